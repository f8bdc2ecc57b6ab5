/**
 * Where the window may stand: where it stood, unless the screen it stood on has gone. Pure.
 */
import type { WindowPlace } from './groups.ts';

/** A part of the screens, in their common coordinates. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Smallest size at which every part of the page has room. */
export const leastSize = { width: 640, height: 480 } as const;
/** As much of the title bar must be on a screen, so that the window can be moved, pixels. */
const gripSize = { width: 160, height: 40 } as const;

/**
 * The remembered place if enough of it is on a screen that is still there to grab the window by;
 * null otherwise.
 */
export function usablePlace(place: WindowPlace | null, areas: readonly Area[]): Area | null {
  if (place === null) return null;
  const { x, y } = place;
  const width = Math.max(place.width, leastSize.width);
  const height = Math.max(place.height, leastSize.height);
  const visible = areas.some((area) => {
    const shown = Math.min(x + width, area.x + area.width) - Math.max(x, area.x);
    return shown >= gripSize.width && y >= area.y && y + gripSize.height <= area.y + area.height;
  });
  return visible ? { x, y, width, height } : null;
}
