/** The band: always around what is on screen, never longer than the browser can lay out. */
import { describe, expect, test } from 'vitest';
import { BAND_MARGIN, BAND_SPAN, boundBand, endBand, moveBand, startBand } from './band.ts';
import type { Band } from './band.ts';

const MILLION = 1_000_000;

test('short conversations are laid out whole', () => {
  const whole = { from: 1, to: null };
  expect([endBand(0), endBand(500), startBand(500)]).toEqual([whole, whole, whole]);
});

test('long ones begin at either end', () => {
  expect(endBand(MILLION)).toEqual({ from: MILLION - BAND_SPAN + 1, to: null });
  expect(startBand(MILLION)).toEqual({ from: 1, to: BAND_SPAN });
});

test('nothing moves while no edge is near', () => {
  const band = endBand(MILLION);
  expect(moveBand(band, { first: MILLION - 20, last: MILLION }, MILLION)).toBe(band);
});

describe.each([
  ['backward', -700],
  ['forward', 700],
])('reading the whole %s', (_, step) => {
  test('keeps the screen inside the band, away from edges that have more behind them', () => {
    let band: Band = step < 0 ? endBand(MILLION) : startBand(MILLION);
    let first = step < 0 ? MILLION - 20 : 1;
    while (first >= 1 && first <= MILLION - 20) {
      band = moveBand(band, { first, last: first + 20 }, MILLION);
      const to = band.to ?? MILLION;
      expect(band.from === 1 || first - band.from >= BAND_MARGIN - 1).toBe(true);
      expect(band.to === null || to - first - 20 >= BAND_MARGIN - 1).toBe(true);
      expect(to - band.from).toBeLessThanOrEqual(2 * BAND_SPAN);
      first += step;
    }
  });
});

test('a history that arrives at once is not laid out at once', () => {
  const empty = endBand(0);
  expect(boundBand(empty, MILLION, true)).toEqual(endBand(MILLION));
  expect(boundBand(empty, MILLION, false)).toEqual({ from: 1, to: 2 * BAND_SPAN });
  expect(boundBand(empty, 500, true)).toBe(empty);
});
