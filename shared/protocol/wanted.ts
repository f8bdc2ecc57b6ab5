/**
 * Which messages this peer has asked for, and whom: each is asked for once, in order, a frame at a time.
 * After a reunion everyone offers what it holds, mostly the same, and the bodies of all that at once would
 * fill every link and this peer's memory. It decides nothing about what is offered or sent.
 */
import type { MessageId, PeerId } from './types.ts';

interface Asked {
  /** In the order of the offer. */
  readonly ids: Set<MessageId>;
  /** An answer for the first of them is awaited. */
  awaited: boolean;
  /** When it was asked or answered last, monotonic milliseconds. */
  since: number;
}

/** Messages by the peer that is asked for them. */
export class Wanted {
  readonly #peers = new Map<PeerId, Asked>();
  /** Everything that anybody is asked for. */
  readonly #all = new Set<MessageId>();

  /** True while somebody is asked for it. */
  has(id: MessageId): boolean {
    return this.#all.has(id);
  }

  /** Adds what `peer` offers and nobody is asked for. */
  add(peer: PeerId, ids: readonly MessageId[], now: number): void {
    const asked = this.#peers.get(peer) ?? { ids: new Set(), awaited: false, since: now };
    this.#peers.set(peer, asked);
    for (const id of ids) {
      if (this.#all.has(id)) continue;
      this.#all.add(id);
      asked.ids.add(id);
    }
  }

  /** What to ask `peer` for now, at most `count`: nothing while its answer is awaited. */
  next(peer: PeerId, count: number, now: number): readonly MessageId[] {
    const asked = this.#peers.get(peer);
    if (asked === undefined || asked.awaited) return [];
    const ids: MessageId[] = [];
    for (const id of asked.ids) {
      if (ids.length === count) break;
      ids.push(id);
    }
    asked.awaited = ids.length > 0;
    asked.since = now;
    return ids;
  }

  /**
   * `peer` has sent these messages. What it was asked for before one of them it does not have any more,
   * because it answers in order. If it was asked for any of them it can be asked on.
   */
  received(peer: PeerId, ids: readonly MessageId[]): void {
    const asked = this.#peers.get(peer);
    const last = asked === undefined ? undefined : ids.findLast((id) => asked.ids.has(id));
    if (asked === undefined || last === undefined) return;
    asked.awaited = false;
    // One pass: a set that is begun at its front again and again is slow to skip what was deleted there.
    for (const id of asked.ids) {
      this.#remove(asked, id);
      if (id === last) break;
    }
  }

  /** These are here, or need not come. */
  forget(peer: PeerId, ids: readonly MessageId[]): void {
    const asked = this.#peers.get(peer);
    if (asked !== undefined) for (const id of ids) this.#remove(asked, id);
  }

  /** Whoever has not answered since then is not waited for any more: others may be asked. */
  expire(before: number): void {
    for (const peer of this.#peers.keys()) this.dropIfSilent(peer, before);
  }

  /** The same for one peer. */
  dropIfSilent(peer: PeerId, before: number): void {
    if ((this.#peers.get(peer)?.since ?? before) < before) this.drop(peer);
  }

  /** `peer` is not asked any more. */
  drop(peer: PeerId): void {
    for (const id of this.#peers.get(peer)?.ids ?? []) this.#all.delete(id);
    this.#peers.delete(peer);
  }

  /** Nobody is asked for anything. */
  clear(): void {
    this.#peers.clear();
    this.#all.clear();
  }

  #remove(asked: Asked, id: MessageId): void {
    if (asked.ids.delete(id)) this.#all.delete(id);
  }
}
