/**
 * Which part of a long conversation the list lays out. A browser cannot lay out a million rows: an element
 * has at most about 33 million pixels. The list spans a band of positions instead, which moves before the
 * reader comes near its edge; rows keep their keys, so that the list keeps its place when it moves. Pure.
 */

/** Positions laid out at once. At 44 px a row under half a million pixels. */
export const BAND_SPAN = 10_000;

/** Rows left before an edge when the band moves. */
export const BAND_MARGIN = 1_000;

/** Positions from `from` to `to`; `to` null means that the end of the conversation belongs to it. */
export interface Band {
  readonly from: number;
  readonly to: number | null;
}

/** The band that holds the end. */
export function endBand(count: number): Band {
  return { from: Math.max(1, count - BAND_SPAN + 1), to: null };
}

/** The band that holds the beginning. */
export function startBand(count: number): Band {
  return count <= BAND_SPAN ? { from: 1, to: null } : { from: 1, to: BAND_SPAN };
}

/** The band after the conversation has grown, possibly by a whole history at once. */
export function boundBand(band: Band, count: number, atEnd: boolean): Band {
  if (band.to !== null || count - band.from < 3 * BAND_SPAN) return band;
  return atEnd ? endBand(count) : { from: band.from, to: band.from + 2 * BAND_SPAN - 1 };
}

/** The band for what is on screen: the same object while no edge is near. */
export function moveBand(
  band: Band,
  visible: { readonly first: number; readonly last: number },
  count: number,
): Band {
  const to = band.to ?? count;
  if (band.from > 1 && visible.first - band.from < BAND_MARGIN) {
    const from = Math.max(1, visible.first - BAND_SPAN / 2);
    return bounded({ from, to: from + BAND_SPAN - 1 }, count);
  }
  if (band.to !== null && to - visible.last < BAND_MARGIN) {
    return bounded({ from: band.from, to: visible.last + BAND_SPAN / 2 }, count);
  }
  // Grown by what arrived at the end: let go of the far side.
  if (to - band.from >= 2 * BAND_SPAN && visible.first - band.from > BAND_SPAN + BAND_MARGIN) {
    return bounded({ from: visible.first - BAND_SPAN / 2, to }, count);
  }
  return band;
}

function bounded(band: { readonly from: number; readonly to: number }, count: number): Band {
  if (band.to >= count) return { from: band.from, to: null };
  const from = Math.max(band.from, band.to - BAND_SPAN + 1);
  return { from, to: band.to };
}
