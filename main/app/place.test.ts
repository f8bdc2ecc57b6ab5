import { expect, test } from 'vitest';
import { usablePlace } from './place.ts';

const screens = [
  { x: 0, y: 25, width: 1600, height: 975 },
  { x: 1600, y: 0, width: 800, height: 600 },
];
const size = { width: 800, height: 600 };

test.each([
  ['where it was', { x: 100, y: 100, ...size }, { x: 100, y: 100, ...size }],
  ['on the second screen', { x: 1700, y: 10, ...size }, { x: 1700, y: 10, ...size }],
  ['half over the edge', { x: -400, y: 100, ...size }, { x: -400, y: 100, ...size }],
  ['on a screen that has gone', { x: 3000, y: 100, ...size }, null],
  ['with its title above the screen', { x: 100, y: 0, ...size }, null],
  ['with its title below the screen', { x: 100, y: 990, ...size }, null],
  [
    'smaller than it may be',
    { x: 100, y: 100, width: 10, height: 10 },
    { x: 100, y: 100, width: 640, height: 480 },
  ],
])('a window %s', (_what, place, expected) => {
  expect(usablePlace({ ...place, maximized: false }, screens)).toEqual(expected);
});

test('a window that never stood anywhere has no place', () => {
  expect(usablePlace(null, screens)).toBeNull();
});
