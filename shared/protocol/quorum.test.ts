/** Quorum arithmetic against a dumb twin, and the property on which agreement rests. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isQuorum, quorumSeq } from './quorum.ts';

const list = (ids: readonly number[]): { id: number }[] => ids.map((id) => ({ id }));

describe('isQuorum', () => {
  test.each([
    [[1], [1], true],
    [[1], [], false],
    [[1, 2], [2], true],
    [[1, 2], [1], false],
    [[1, 2, 3], [1, 2], true],
    [[1, 2, 3], [3], false],
    [[1, 2, 3, 4], [1, 4], true],
    [[1, 2, 3, 4], [2, 3], false],
    [[1, 2, 3, 4], [1, 2, 3], true],
    [[7, 5, 9, 2], [9, 2], true],
    [[1, 2, 3, 4, 5], [4, 5], false],
    [[1, 2, 3, 4, 5], [1, 2, 3], true],
    [[1, 2], [2, 9, 10], true],
    [[1, 2, 3], [3, 8, 9], false],
  ])('of %j, %j: %s', (members, there, expected) => {
    expect(isQuorum(list(members), ({ id }) => there.includes(id))).toBe(expected);
  });

  test('refuses an empty list', () => {
    expect(() => isQuorum([], () => true)).toThrow('never empty');
    expect(() => quorumSeq([], () => 1)).toThrow('never empty');
  });
});

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 9 });

/** The definition, word by word. */
function isQuorumByDefinition(members: readonly number[], there: ReadonlySet<number>): boolean {
  const present = members.filter((id) => there.has(id));
  if (present.length > members.length / 2) return true;
  return present.length === members.length / 2 && present.includes(Math.max(...members));
}

test('agrees with the definition, whatever the order of the list', () => {
  fc.assert(
    fc.property(ids, fc.func(fc.boolean()), (members, has) => {
      const there = new Set(members.filter((id) => has(id)));
      expect(isQuorum(list(members), ({ id }) => there.has(id))).toBe(
        isQuorumByDefinition(members, there),
      );
    }),
    { numRuns: 2_000 },
  );
});

test('any two quorums of one list intersect, and of a set and its complement one at most is one', () => {
  for (let size = 1; size <= 7; size++) {
    const members = Array.from({ length: size }, (_, i) => i + 1);
    const quorums: number[] = [];
    for (let set = 0; set < 2 ** size; set++) {
      const has = ({ id }: { id: number }): boolean => (set & (1 << (id - 1))) !== 0;
      if (isQuorum(list(members), has)) quorums.push(set);
    }
    // Linear voting decides every split: exactly one side of each can go on.
    expect(quorums.length).toBe(2 ** (size - 1));
    for (const a of quorums) for (const b of quorums) expect(a & b).not.toBe(0);
  }
});

test('quorumSeq is the greatest seq that a quorum has stored', () => {
  const members = ids.chain((list) =>
    fc.tuple(fc.constant(list), fc.array(fc.nat(12), { minLength: 9, maxLength: 9 })),
  );
  fc.assert(
    fc.property(members, ([members, stored]) => {
      const at = new Map(members.map((id, i) => [id, stored[i] as number]));
      const storedBy = ({ id }: { id: number }): number => at.get(id) as number;
      let expected = 0;
      for (let seq = 1; seq <= 12; seq++) {
        const there = new Set(members.filter((id) => (at.get(id) as number) >= seq));
        if (isQuorumByDefinition(members, there)) expected = seq;
      }
      expect(quorumSeq(list(members), storedBy)).toBe(expected);
    }),
    { numRuns: 3_000 },
  );
});
