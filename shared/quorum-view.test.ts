/** The quorum rule against its definition, and the words for who is missing. */
import { describe, expect, test } from 'vitest';
import type { PeerId, PeerView } from './model.ts';
import { describeWhoIsNeeded, isQuorum, viewQuorum } from './quorum-view.ts';

function peer(id: PeerId, part: Partial<PeerView> = {}): PeerView {
  return { id, connected: true, suspected: false, phi: 0.2, rttMs: 2, commit: 41, ...part };
}

interface Standing {
  readonly members?: readonly PeerId[];
  readonly lists?: readonly (readonly PeerId[])[];
  readonly peers?: readonly PeerView[];
}

/** What peer 1 sees; three members, all there, unless told otherwise. */
function status({ members = [1, 2, 3], lists = [members], peers = [peer(2), peer(3)] }: Standing) {
  return { id: 1, lists, peers };
}

function subsets(ids: readonly PeerId[]): readonly (readonly PeerId[])[] {
  return Array.from({ length: 2 ** ids.length }, (_, bits) =>
    ids.filter((_id, i) => (bits & (2 ** i)) !== 0),
  );
}

describe('isQuorum', () => {
  test.each([
    [[], [], false],
    [[1], [1], true],
    [[1], [1, 2], false],
    [[2], [1, 2], true],
    [[1, 2], [1, 2, 3], true],
    [[3], [1, 2, 3], false],
    [[1, 2], [1, 2, 3, 4], false],
    [[1, 4], [1, 2, 3, 4], true],
    [[1, 2, 3], [1, 2, 3, 4], true],
  ])('%j of %j: %s', (some, members, expected) => {
    expect(isQuorum(some, members)).toBe(expected);
  });
});

describe('who is needed', () => {
  const cases: readonly (readonly [size: number, here: readonly number[], words: string])[] = [
    [3, [1], 'peer 2 or 3 is back'],
    [5, [1], '2 of peers 2, 3, 4 and 5 are back'],
    [5, [1, 2], 'peer 3, 4 or 5 is back'],
    [2, [1], 'peer 2 is back'],
    [4, [1, 2], 'peer 3 or 4 is back'],
    [4, [1], 'peer 4 is back, or peers 2 and 3 are back'],
    [6, [1, 6], 'peer 2, 3, 4 or 5 is back'],
    [6, [1], 'peer 6 and peer 2, 3, 4 or 5 are back, or 3 of peers 2, 3, 4 and 5 are back'],
    [11, [1], '5 of the 10 others are back'],
    [17, [1, 2, 3, 4, 5, 6, 7, 8], '1 of the 9 others is back'],
  ];
  test.each(cases)('%i members, %j there', (size, here, words) => {
    const members = Array.from({ length: size }, (_, i) => i + 1);
    const peers = members.filter((id) => id !== 1 && here.includes(id)).map((id) => peer(id));
    const view = viewQuorum(status({ members, peers }));
    expect(describeWhoIsNeeded(view)).toBe(words);
  });

  test.each([
    [[1, 2, 3], 'Ben (2) or Cleo (3) is back'],
    [[1, 3, 4], 'Cleo (3) or peer 4 is back'],
    [[1, 4, 5], 'peer 4 or 5 is back'],
    [[1, 2, 3, 4], 'peer 4 is back, or Ben (2) and Cleo (3) are back'],
    [[1, 2, 3, 4, 5], '2 of Ben (2), Cleo (3), peer 4 and peer 5 are back'],
  ])('of %j with names: %s', (members, words) => {
    const names = new Map([
      [2, 'Ben'],
      [3, 'Cleo'],
    ]);
    const view = viewQuorum(status({ members, peers: [] }));
    expect(describeWhoIsNeeded(view, (id) => names.get(id) ?? null)).toBe(words);
  });

  const twoLists: readonly (readonly [
    lists: readonly (readonly number[])[],
    here: readonly number[],
    words: string,
  ])[] = [
    [[[1, 2], [1]], [1], 'peer 2 is back'],
    [
      [
        [1, 2, 3],
        [1, 2],
      ],
      [1],
      'peer 2 is back',
    ],
    [
      [
        [1, 2, 3],
        [1, 2, 3, 4],
      ],
      [1, 2],
      'peer 3 or 4 is back',
    ],
    [
      [
        [1, 2, 3],
        [1, 2, 3, 4],
      ],
      [1, 2, 3],
      '',
    ],
    [
      [
        [1, 2, 3],
        [1, 2, 3, 4],
      ],
      [1, 4],
      'peer 2 or 3 is back',
    ],
    [
      [
        [1, 2, 3],
        [1, 2, 3, 4],
      ],
      [1],
      'a quorum of the members before (1, 2 and 3) and one of those now (1, 2, 3 and 4) are connected',
    ],
  ];
  test.each(twoLists)('lists %j, %j there', (lists, here, words) => {
    const peers = here.filter((id) => id !== 1).map((id) => peer(id));
    const view = viewQuorum(status({ lists, members: lists.at(-1) ?? [], peers }));
    expect(describeWhoIsNeeded(view)).toBe(words);
    expect(view.isQuorum).toBe(words === '');
  });

  test('whoever can help to complete the quorum is wanted, and nobody else', () => {
    const listsOf = (n: number) =>
      subsets([1, 2, 3, 4].slice(0, n)).filter((ids) => ids.length > 0);
    for (const before of listsOf(3)) {
      for (const lists of [[before], ...listsOf(4).map((now) => [before, now])]) {
        for (const here of subsets([2, 3, 4])) {
          const view = viewQuorum(status({ lists, peers: here.map((id) => peer(id)) }));
          const completes = (some: readonly PeerId[]): boolean =>
            lists.every((list) => isQuorum([...view.connected, ...some], list));
          const helps = (id: PeerId): boolean =>
            subsets(view.absent.filter((other) => other !== id)).some(
              (some) => !completes(some) && completes([...some, id]),
            );
          expect([lists, here, view.wanted]).toEqual([lists, here, view.absent.filter(helps)]);
        }
      }
    }
  });

  test('whoever is named would complete the quorum, for every group of up to six', () => {
    for (let size = 1; size <= 6; size += 1) {
      const members = Array.from({ length: size }, (_, i) => i + 1);
      for (let bits = 0; bits < 2 ** (size - 1); bits += 1) {
        const peers = members
          .slice(1)
          .filter((_, i) => (bits & (2 ** i)) !== 0)
          .map((id) => peer(id));
        const view = viewQuorum(status({ members, peers }));
        for (const id of view.absent) {
          const completes = isQuorum([...view.connected, id], members);
          expect(view.anyOneOf.includes(id)).toBe(!view.isQuorum && completes);
        }
      }
    }
  });
});
