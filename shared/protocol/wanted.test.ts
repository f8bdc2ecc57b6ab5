/** Who is asked for what: each message of one peer, in order, one answer at a time. */
import { expect, test } from 'vitest';
import { idOf } from './testing/entries.ts';
import { Wanted } from './wanted.ts';

const [a, b, c, d] = [idOf(1), idOf(2), idOf(3), idOf(4)];

test('asks for the next only when the last ones have come', () => {
  const wanted = new Wanted();
  wanted.add(1, [a, b, c], 0);
  expect(wanted.next(1, 2, 0)).toEqual([a, b]);
  expect(wanted.next(1, 2, 0)).toEqual([]);
  wanted.received(1, [d]);
  expect(wanted.next(1, 2, 0)).toEqual([]);
  wanted.received(1, [a, b]);
  expect(wanted.next(1, 2, 0)).toEqual([c]);
  wanted.received(1, [c]);
  expect([wanted.next(1, 2, 0), wanted.has(c)]).toEqual([[], false]);
});

test('asks nobody for what another peer is asked for', () => {
  const wanted = new Wanted();
  wanted.add(1, [a, b], 0);
  wanted.add(2, [a, b, c], 0);
  expect(wanted.next(2, 9, 0)).toEqual([c]);
  wanted.drop(1);
  wanted.add(2, [a, b, c], 0);
  wanted.received(2, [c]);
  expect(wanted.next(2, 9, 0)).toEqual([a, b]);
});

test('takes what an answer leaves out for what the peer has no more', () => {
  const wanted = new Wanted();
  wanted.add(1, [a, b, c, d], 0);
  wanted.next(1, 9, 0);
  wanted.received(1, [a, c]);
  expect([wanted.has(b), wanted.next(1, 9, 0)]).toEqual([false, [d]]);
});

test('waits for nobody for ever', () => {
  const wanted = new Wanted();
  wanted.add(1, [a], 0);
  wanted.add(2, [b], 0);
  wanted.next(1, 9, 0);
  wanted.next(2, 9, 100);
  wanted.dropIfSilent(2, 50);
  wanted.expire(50);
  expect([wanted.has(a), wanted.has(b)]).toEqual([false, true]);
  wanted.clear();
  expect(wanted.has(b)).toBe(false);
});

test('forgets what turned out to be here', () => {
  const wanted = new Wanted();
  wanted.add(1, [a, b, c], 0);
  wanted.forget(1, [a, c]);
  expect(wanted.next(1, 9, 0)).toEqual([b]);
});
