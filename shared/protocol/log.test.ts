/** The tail of the log in memory: places, cuts, lists, heads of authors, trimming. */
import { describe, expect, test } from 'vitest';
import { Log } from './log.ts';
import { chain, durable, epoch, hashZero, idOf, memberOf, messageOf } from './testing/entries.ts';
import { POSITION_ZERO } from './types.ts';

const first = chain(epoch(0, 1), [[1]]);
const second = chain(
  epoch(1, 1),
  ['leader', messageOf(1, 1), messageOf(2, 1, 1), messageOf(3, 2), [1, 2]],
  first[0],
);
const entries = [...first, ...second];

describe('places', () => {
  test('of an empty log', () => {
    const log = new Log(durable([], 0));
    expect([log.last, log.first, log.lastHash, log.lists]).toEqual([
      POSITION_ZERO,
      1,
      hashZero,
      [],
    ]);
    expect(log.positionAt(0)).toEqual(POSITION_ZERO);
    expect(log.positionAt(1)).toBeUndefined();
  });

  test('of a full one', () => {
    const log = new Log(durable(entries, 3));
    expect(log.last.seq).toBe(6);
    expect(log.at(3)).toBe(entries[2]);
    expect(log.at(7)).toBeUndefined();
    expect(log.epochAt(1)).toEqual(epoch(0, 1));
    expect(log.hashAt(6)).toBe(entries[5]?.hash);
    expect(log.slice(2, 4)).toEqual(entries.slice(1, 4));
    expect(() => log.slice(2, 7)).toThrow('in memory');
  });

  test('before a tail are known, older ones are not', () => {
    const [, prev] = entries;
    const place = { position: { epoch: epoch(1, 1), seq: 2 }, hash: prev?.hash ?? hashZero };
    const log = new Log({ ...durable(entries.slice(2), 3), tailPrev: place });
    expect([log.first, log.epochAt(2), log.epochAt(1)]).toEqual([3, epoch(1, 1), undefined]);
    expect(log.headOf(9)).toBeUndefined();
  });
});

describe('what may be appended', () => {
  test('only the next seq', () => {
    const log = new Log(durable(first, 1));
    expect(() => log.append(entries[2] as (typeof entries)[0])).toThrow('without a gap');
  });

  test('no lower epoch', () => {
    const log = new Log(durable(entries, 3));
    const [low] = chain(epoch(0, 9), ['leader'], entries[5]);
    expect(() => log.append(low as (typeof entries)[0])).toThrow('never decrease');
  });

  test('no message twice', () => {
    const log = new Log(durable(entries, 3));
    const [twice] = chain(epoch(1, 1), [messageOf(2, 1, 1)], entries[5]);
    expect(() => log.append(twice as (typeof entries)[0])).toThrow('once');
  });
});

describe('heads of authors', () => {
  test('are the last message of each', () => {
    const log = new Log(durable(entries, 3));
    expect([log.headOf(1), log.headOf(2), log.headOf(3)]).toEqual([idOf(2), idOf(3), null]);
  });

  test('go back with a cut', () => {
    const log = new Log(durable(entries, 1));
    log.cut(3);
    expect([log.headOf(1), log.headOf(2)]).toEqual([idOf(1), null]);
    expect([log.has(idOf(1)), log.has(idOf(2)), log.seqOf(idOf(3))]).toEqual([
      true,
      false,
      undefined,
    ]);
    log.cut(2);
    expect(log.headOf(1)).toBeNull();
  });
});

describe('lists', () => {
  test('come with entries and go with cuts', () => {
    const log = new Log(durable(entries, 1));
    const one = { seq: 1, members: [memberOf(1)] };
    const both = [one, { seq: 6, members: [memberOf(1), memberOf(2)] }];
    expect(log.lists).toEqual(both);
    expect(log.cut(5).map(({ seq }) => seq)).toEqual([6]);
    expect(log.lists).toEqual([one]);
  });
});

describe('trimming', () => {
  const many = [
    ...first,
    ...chain(
      epoch(1, 1),
      Array.from({ length: 99 }, (_, i) => messageOf(i + 1, 1)),
      first[0],
    ),
  ];

  test('keeps the mark, what is behind it, and about as many as asked for', () => {
    const log = new Log(durable(many, 90));
    log.trim(90, { entries: 20, bytes: 1e9 });
    expect(log.first).toBe(71);
    expect(log.epochAt(70)).toEqual(epoch(1, 1));
    expect([log.has(idOf(69)), log.has(idOf(70))]).toEqual([false, true]);
    expect(log.last.seq).toBe(100);
  });

  test('by bytes stops at the mark', () => {
    const log = new Log(durable(many, 90));
    log.trim(90, { entries: 1_000, bytes: 0 });
    expect(log.first).toBe(91);
    expect(log.hashAt(90)).toBe(many[89]?.hash);
  });

  test('waits until it is worth the trouble', () => {
    const log = new Log(durable(many, 90));
    log.trim(90, { entries: 80, bytes: 1e9 });
    expect(log.first).toBe(1);
  });

  test('an author whose last message may be older is not known to have none', () => {
    const log = new Log(durable(many, 90));
    log.trim(90, { entries: 20, bytes: 1e9 });
    expect([log.headOf(1), log.headOf(2)]).toEqual([idOf(99), undefined]);
  });
});
