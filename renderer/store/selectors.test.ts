/** Rows, groups, slim lines and people. */
import { describe, expect, test } from 'vitest';
import {
  SAMPLE_NOW,
  leaderEntry,
  member,
  membersChange,
  membersEntry,
  messageEntry,
  peer,
  status,
} from '../testing/samples.ts';
import { INITIAL_STATE } from './apply-event.ts';
import { EMPTY_CONVERSATION, withEntries } from './conversation.ts';
import {
  calledIn,
  continuesGroup,
  leaderRunAt,
  describeMembersChange,
  nameOf,
  peopleOf,
  rowAt,
  titleOf,
} from './selectors.ts';

describe('slim lines', () => {
  const ann = member(1);
  const ben = member(2);
  const chiara = member(3);
  const changes = [
    [{ joined: [ann] }, 'Ann joined'],
    [{ joined: [ben, chiara] }, 'Ben Okafor and Chiara joined'],
    [{ back: [ben] }, 'Ben Okafor is back'],
    [{ gone: [ben] }, 'Ben Okafor is away'],
    [{ gone: [ann, ben] }, 'Ann and Ben Okafor are away'],
    [
      { joined: [chiara], back: [ann], gone: [ben] },
      'Chiara joined · Ann is back · Ben Okafor is away',
    ],
    [{ renamed: [{ member: { ...ann, name: 'Anna' }, was: 'Ann' }] }, 'Ann is now Anna'],
    [{ moved: [ann] }, 'Ann can be reached at a new address'],
    [{}, 'Members unchanged'],
    [{ joined: [{ ...ann, name: '' }] }, 'Peer 1 joined'],
  ] as const;
  test.each(changes)('change %#', (change, words) => {
    expect(describeMembersChange(membersChange(change))).toBe(words);
  });

  test('say what changed, whatever lies between', () => {
    const conversation = withEntries(EMPTY_CONVERSATION, [
      membersEntry(1, [1]),
      leaderEntry(2, 1, 1),
      membersEntry(900, [1, 2]),
      membersEntry(1800, [1], membersChange({ gone: [ben] })),
    ]);
    const words = [1, 2, 900, 1800]
      .map((seq) => rowAt(conversation, seq))
      .map((row) => 'text' in row && row.text);
    expect(words).toEqual([
      'Ann started the group',
      'Peer 1 leads · epoch 1',
      'Ben Okafor joined',
      'Ben Okafor is away',
    ]);
  });
});

describe('runs of leaders', () => {
  const entries = [
    membersEntry(1, [1]),
    ...[2, 3].map((seq) => leaderEntry(seq, 1, seq)),
    messageEntry(4),
    ...[5, 6, 7, 8].map((seq) => leaderEntry(seq, 3, seq)),
    messageEntry(9),
  ];
  const conversation = withEntries(EMPTY_CONVERSATION, entries);

  test.each([
    [1, null],
    [2, null],
    [4, null],
    [5, [5, 8]],
    [7, [5, 8]],
    [8, [5, 8]],
    [9, null],
    [10, null],
  ])('entry %i belongs to %j', (seq, expected) => {
    const run = leaderRunAt(conversation, seq);
    expect(run && [run.from, run.to]).toEqual(expected);
  });

  test('are known by their first, and say what they come to', () => {
    expect(leaderRunAt(conversation, 6)).toMatchObject({
      id: 'm5',
      text: '4 elections · Peer 3 leads · epoch 8',
    });
  });

  test('end with their page', () => {
    const long = Array.from({ length: 110 }, (_, i) => leaderEntry(i + 1, 2, i + 1));
    const many = withEntries(EMPTY_CONVERSATION, long);
    expect(leaderRunAt(many, 50)).toMatchObject({ from: 1, to: 100 });
    expect(leaderRunAt(many, 105)).toMatchObject({ from: 101, to: 110 });
  });
});

describe('groups of rows', () => {
  const conversation = withEntries(EMPTY_CONVERSATION, [
    messageEntry(1),
    messageEntry(2),
    messageEntry(3, { author: 3 }),
    messageEntry(4, { author: 3, sentAt: SAMPLE_NOW + 3_600_000 }),
    leaderEntry(5, 3, 2),
    messageEntry(6, { author: 3 }),
  ]);
  test.each([
    [1, false],
    [2, true],
    [3, false],
    [4, false],
    [5, false],
    [6, false],
  ])('row %i continues the group: %s', (seq, expected) => {
    const above = seq === 1 ? null : rowAt(conversation, seq - 1);
    expect(continuesGroup(rowAt(conversation, seq), above)).toBe(expected);
  });
});

test('people: oneself, the leader and the members by id with presence, the others away', () => {
  const people = peopleOf(
    status({
      members: [3, 1, 2, 5],
      peers: [peer(2, { suspected: true }), peer(3, { rttMs: 4.2 })],
      roster: [1, 2, 3, 5, 7].map((id) => ({ ...member(id), listed: id !== 7 })),
    }),
  );
  expect(people.members.map((p) => [p.id, p.presence, p.isLeader, p.rttMs])).toEqual([
    [1, 'self', false, null],
    [3, 'connected', true, 4.2],
    [2, 'suspected', false, 4],
    [5, 'unconnected', false, null],
  ]);
  expect(people.away.map((p) => [p.id, p.presence, p.name])).toEqual([[7, 'away', 'Grete']]);
});

test('people: oneself is never away', () => {
  const people = peopleOf(status({ members: [3], leader: null, peers: [] }));
  expect(people.members.map((p) => [p.id, p.presence])).toEqual([
    [1, 'self'],
    [3, 'unconnected'],
  ]);
  expect(people.away.map((p) => p.id)).toEqual([2]);
});

test('names fall back to the id', () => {
  expect([nameOf(status(), 2), nameOf(status(), 99), nameOf(null, 4)]).toEqual([
    'Ben Okafor',
    'Peer 99',
    'Peer 4',
  ]);
});

test('in a sentence a name stands with its id', () => {
  const roster = [...status().roster, { id: 4, name: 'peer_4', address: '', listed: true }];
  expect([2, 4, 5].map((id) => calledIn(status({ roster }), id))).toEqual([
    'Ben Okafor (2)',
    'Peer 4',
    'Peer 5',
  ]);
});

test.each([
  [0, 'Lockstep'],
  [3, '(3) Lockstep'],
])('the title for %i unseen messages', (unseen, title) => {
  expect(titleOf({ ...INITIAL_STATE, attention: { ...INITIAL_STATE.attention, unseen } })).toBe(
    title,
  );
});
