/** Each invariant is broken once on purpose: a checker that cannot fail checks nothing. */
import { describe, expect, test } from 'vitest';
import { InvariantWatch, checkDelta, checkState, snapshotOf } from './invariants.ts';
import type { Inspection } from './ready.ts';
import {
  chain,
  epoch,
  hashZero,
  idOf,
  memberOf,
  messageOf,
  readableHash,
} from './testing/entries.ts';
import { type Entry, type Message, EPOCH_ZERO } from './types.ts';

const first = chain(epoch(0, 1), [[1]]);
const log = [
  ...first,
  ...chain(epoch(1, 1), ['leader', messageOf(1, 1), messageOf(2, 1, 1)], first[0]),
];

/** What a replica with this log and these pending messages lets one see. */
function inspection(
  entries: readonly Entry[] = log,
  pending: readonly Message[] = [],
  other: Partial<Inspection> = {},
): Inspection {
  const last = entries.at(-1) ?? { epoch: EPOCH_ZERO, seq: 0 };
  return {
    promised: last.epoch,
    durablePromised: last.epoch,
    leading: null,
    last,
    mark: 2,
    entryAt: (seq) => entries[seq - 1],
    tailFrom: 1,
    pending: pending.map(({ id }) => id),
    pendingMessage: (id) => pending.find((message) => message.id === id),
    pendingPlace: () => null,
    lists: [{ seq: 1, members: [memberOf(1)] }],
    role: { kind: 'leaderless' },
    ...other,
  };
}

const leading = (leaderSeq: number): Partial<Inspection> => ({
  role: {
    kind: 'leading',
    epoch: epoch(1, 1),
    leaderSeq,
    progress: new Map(),
    ownStored: 0,
    refusedSince: null,
    refusedAt: 0,
  },
});

const following = (matched: number): Partial<Inspection> => ({
  role: { kind: 'following', leader: 2, epoch: epoch(1, 1), via: null, matched, acked: 0 },
});

const behind = (contents: Parameters<typeof chain>[1], of = epoch(1, 1)): Entry[] => [
  ...log,
  ...chain(of, contents, log.at(-1)),
];

test('a sound state breaks nothing', () => {
  expect(
    checkState(inspection(log, [messageOf(3, 1, 2), messageOf(4, 2)]), readableHash),
  ).toBeNull();
  expect(checkState(inspection(log, [], leading(2)), readableHash)).toBeNull();
  expect(checkState(inspection(log, [], following(4)), readableHash)).toBeNull();
});

const unsorted = [{ seq: 1, members: [memberOf(2), memberOf(1)] }];
const open = [3, 4].map((seq) => ({ seq, members: [memberOf(1)] }));

test.each<[string, Inspection]>([
  ['I1', inspection(log, [], { promised: epoch(0, 9), durablePromised: EPOCH_ZERO })],
  ['I2', inspection(log, [], { durablePromised: epoch(7, 1) })],
  ['I3', inspection(log, [], { mark: 5 })],
  ['I5', inspection(behind(['leader'], epoch(0, 9)), [], { promised: epoch(9, 9) })],
  ['I5', inspection(log.toSpliced(2, 1))],
  ['I6', inspection(log, [], following(5))],
  ['I9', inspection(log, [], { ...leading(2), lists: open })],
  ['I9', inspection(log, [], { ...leading(3), lists: open.slice(1) })],
  ['I10', inspection(behind([messageOf(2, 1, 1)]))],
  ['I10', inspection(log, [messageOf(2, 1, 1)])],
  ['I11', inspection(behind([messageOf(9, 2, 8)]))],
  ['I11', inspection(log, [messageOf(9, 2, 8)])],
  ['I13', inspection(log.with(3, { ...(log[3] as Entry), hash: hashZero }))],
  ['I14', inspection(log, [], { lists: [{ seq: 1, members: [] }] })],
  ['I14', inspection(log, [], { lists: unsorted })],
  ['I15', inspection(log, [], { ...leading(2), promised: epoch(2, 1) })],
  ['I15', inspection(log, [], leading(9))],
])('%s is noticed', (name, state) => {
  expect(checkState(state, readableHash)).toMatch(new RegExp(`^${name}:`));
});

test.each<[string, Partial<Inspection>]>([
  ['I2', { promised: epoch(1, 1), durablePromised: epoch(1, 1) }],
  ['I3', { mark: 1 }],
])('%s is noticed across a step', (name, after) => {
  const high = { promised: epoch(2, 1), durablePromised: epoch(2, 1) };
  const before = snapshotOf(inspection(log, [], high));
  expect(checkDelta(before, inspection(log, [], { ...high, ...after }))).toMatch(`${name}:`);
  expect(checkDelta(before, inspection(log, [], high))).toBeNull();
});

test('I4 is noticed across a step: another entry where one was final', () => {
  const [other] = chain(epoch(1, 1), [messageOf(7, 1)], first[0]);
  const before = snapshotOf(inspection());
  expect(checkDelta(before, inspection(log.with(1, other as Entry)))).toMatch('I4:');
});

describe('a watch', () => {
  test('follows a log through appends and cuts', () => {
    const watch = new InvariantWatch(readableHash);
    expect(watch.check(inspection())).toBeNull();
    expect(watch.check(inspection(behind([messageOf(3, 1, 2)])))).toBeNull();
    const other = [...log.slice(0, 3), ...chain(epoch(2, 1), ['leader'], log[2])];
    expect(watch.check(inspection(other, [messageOf(2, 1, 1)]))).toBeNull();
  });

  test('notices a message that a cut lost together with one that follows it', () => {
    const watch = new InvariantWatch(readableHash);
    expect(watch.check(inspection(log, [messageOf(3, 1, 2)]))).toBeNull();
    const cut = inspection(log.slice(0, 3), [messageOf(3, 1, 2)]);
    expect(watch.check(cut)).toBe(
      `I11: …${idOf(3).slice(-6)} is pending without its author's …${idOf(2).slice(-6)}`,
    );
  });

  test('says nothing of what is older than memory', () => {
    const tail = { tailFrom: 4, entryAt: (seq: number) => (seq < 4 ? undefined : log[seq - 1]) };
    expect(new InvariantWatch(readableHash).check(inspection(log, [], tail))).toBeNull();
  });
});
