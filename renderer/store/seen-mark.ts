/**
 * How far somebody has read each group, kept by the page itself: it concerns this window alone and is no
 * part of the group. Losing it costs a divider, so every failure of the storage is an unknown mark.
 */
import type { Seq } from '../../shared/model.ts';

/** The part of Storage that marks need; null where the page has none. */
export type MarkStorage = Pick<Storage, 'getItem' | 'setItem'> | null;

/** The page's storage, or null where it is switched off. */
export function pageStorage(): MarkStorage {
  try {
    return window.localStorage;
  } catch {
    // A page without an origin may not even look at it; marks are then not kept.
    return null;
  }
}

/** Last seq seen in a group; null when it is not known. */
export function readSeen(storage: MarkStorage, group: string): Seq | null {
  try {
    const text = storage?.getItem(keyOf(group)) ?? '';
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  } catch {
    // As good as no mark.
    return null;
  }
}

/** Remembers the last seq seen in a group. */
export function writeSeen(storage: MarkStorage, group: string, seen: Seq): void {
  try {
    storage?.setItem(keyOf(group), String(seen));
  } catch {
    // A full or forbidden storage costs a divider at the next start, nothing else.
  }
}

function keyOf(group: string): string {
  return `seen:${group}`;
}
