/** Every situation's words, exactly as the status panel shows them. */
import { describe, expect, test } from 'vitest';
import type { NodeStatus } from '../../shared/model.ts';
import { peer, status } from '../testing/samples.ts';
import { describeSituation, patienceWith } from './situation.ts';

const gone = { connected: false } as const;
const silent = { suspected: true } as const;
const unled = { established: false, leader: null } as const;

const cases: readonly (readonly [part: Partial<NodeStatus>, kind: string, sentence: string])[] = [
  [{}, 'established', 'Chiara (3) leads. 3 of 3 connected. Everything is final.'],
  [
    { id: 3, role: 'leader', peers: [peer(1), peer(2)] },
    'established',
    'You lead. 3 of 3 connected. Everything is final.',
  ],
  [
    { pending: 1, peers: [peer(2, gone), peer(3)] },
    'established',
    'Chiara (3) leads. 2 of 3 connected. 1 message waits for its final place.',
  ],
  [
    { pending: 1200 },
    'established',
    'Chiara (3) leads. 3 of 3 connected. 1,200 messages wait for their final place.',
  ],
  [
    { established: false, leader: 1, role: 'leader', peers: [peer(2, gone), peer(3, gone)] },
    'no-quorum',
    'No quorum: 1 of 3. You can go on writing; messages become final when Ben Okafor (2) or Chiara (3) is back.',
  ],
  [
    { ...unled, peers: [peer(2, silent), peer(3, gone)] },
    'no-quorum',
    'No quorum: 1 of 3. You can go on writing; messages become final when Ben Okafor (2) or Chiara (3) is back.',
  ],
  [
    {
      established: false,
      leader: 2,
      members: [1, 2, 3, 4, 5],
      peers: [peer(2), peer(3, gone), peer(4, gone), peer(5, gone)],
    },
    'no-quorum',
    'No quorum: 2 of 5. Ben Okafor (2) leads for now: messages get provisional places. You can ' +
      'go on writing; messages become final when Chiara (3), peer 4 or peer 5 is back.',
  ],
  [
    { ...unled, members: [1, 2], peers: [peer(2, gone)] },
    'no-quorum',
    'No quorum: 1 of 2. You can go on writing; messages become final when Ben Okafor (2) is back.',
  ],
  [
    { ...unled, members: [1, 2, 3, 4], peers: [2, 3, 4].map((id) => peer(id, gone)) },
    'no-quorum',
    'No quorum: 1 of 4. You can go on writing; messages become final when peer 4 is back, or ' +
      'Ben Okafor (2) and Chiara (3) are back.',
  ],
  [
    // Peer 2 has left, and the list without it is not final: its vote is still needed.
    {
      established: false,
      leader: 1,
      role: 'leader',
      members: [1],
      lists: [[1, 2], [1]],
      peers: [],
    },
    'no-quorum',
    'No quorum: 1 of 2. You can go on writing; messages become final when Ben Okafor (2) is back.',
  ],
  [
    // Peer 4 was let in while 3 was there; now the old list lacks somebody and the new one too.
    {
      ...unled,
      members: [1, 2, 3, 4],
      lists: [
        [1, 2, 3],
        [1, 2, 3, 4],
      ],
      peers: [peer(4)],
    },
    'no-quorum',
    'No quorum: 2 of 4. You can go on writing; messages become final when Ben Okafor (2) or Chiara (3) is back.',
  ],
  [
    {
      members: [1, 2],
      lists: [
        [1, 2, 3],
        [1, 2],
      ],
      peers: [peer(2)],
      leader: 2,
    },
    'established',
    'Ben Okafor (2) leads. 2 of 3 connected. Everything is final.',
  ],
  [
    { role: 'candidate', ...unled },
    'electing',
    'Electing a leader. 3 of 3 connected. You can go on writing.',
  ],
  [
    { established: false },
    'taking-over',
    'Chiara (3) is taking the lead, provisionally so far. 3 of 3 connected. You can go on writing.',
  ],
  [
    { established: false, leader: 1, role: 'leader' },
    'taking-over',
    'You are taking the lead, provisionally so far. 3 of 3 connected. You can go on writing.',
  ],
  [
    { synchronising: true, established: false },
    'synchronising',
    'Chiara (3) is about to lead, and fetches what is missing there first. You can go on writing.',
  ],
  [
    { synchronising: true, established: false, leader: 1 },
    'synchronising',
    'You are about to lead, and fetch what you lack first. You can go on writing.',
  ],
  [
    { synchronising: true, ...unled },
    'synchronising',
    'The next leader is fetching what it lacks before it leads. You can go on writing.',
  ],
  [
    { progress: { at: 12_400, target: 80_000 } },
    'catching-up',
    'Catching up: 12,400 of 80,000 entries are here.',
  ],
  [
    { progress: { at: 9, target: 9 } },
    'established',
    'Chiara (3) leads. 3 of 3 connected. Everything is final.',
  ],
  [
    { role: 'joining', members: [] },
    'joining',
    'Joining the group. You can write already; messages are sent once the leader has let you in.',
  ],
  [
    { role: 'joining', members: [2, 3], progress: { at: 12_400, target: 80_000 } },
    'joining',
    'Joining the group: 12,400 of 80,000 entries are here. You can write already; messages are ' +
      'sent once the leader has let you in.',
  ],
  [
    // First one up in the morning: taken off the list, and the last one to leave is not up.
    { ...unled, role: 'joining', members: [3], peers: [peer(3, gone)] },
    'nobody',
    'Nobody of the group answers. Your messages go out when Chiara (3) is back.',
  ],
  [
    { ...unled, role: 'joining', leader: 2, members: [2, 3], peers: [peer(2), peer(3, gone)] },
    'no-quorum',
    'No quorum: 1 of 2. Your messages go out when Chiara (3) is back.',
  ],
  [
    { ...unled, role: 'joining', members: [2, 3], peers: [peer(2), peer(3)] },
    'joining',
    'Joining the group. You can write already; messages are sent once the leader has let you in.',
  ],
  [
    { role: 'joining', members: Array.from({ length: 128 }, (_, i) => i + 1) },
    'full',
    'The group has 128 members, and cannot have more. You are let in when somebody leaves; until then ' +
      'messages wait on this computer.',
  ],
  [
    { diverged: true, progress: { at: 1, target: 9 } },
    'diverged',
    'This peer’s history differs from the group’s at a final number, so it has stopped: nothing ' +
      'new arrives or becomes final here. Compare fingerprints with another member, then join ' +
      'again under a new id.',
  ],
];

test.each(cases)('case %#', (part, kind, sentence) => {
  const situation = describeSituation(status(part));
  expect({ kind: situation.kind, sentence: situation.sentence }).toEqual({ kind, sentence });
});

describe('beside the sentence', () => {
  test.each([
    [{}, 'calm', 'Chiara (3) leads · 3 of 3', ''],
    [{ progress: { at: 12_400, target: 80_000 } }, 'busy', 'Catching up 15%', ''],
    [
      { diverged: true },
      'alarm',
      'History differs',
      'Stopped: messages stay on this computer, because the history here differs.',
    ],
    [
      { ...unled, role: 'joining', members: [3], peers: [] },
      'waiting',
      'Nobody answers',
      'Nobody answers: messages go out when Chiara (3) is back.',
    ],
    [
      { ...unled, peers: [] },
      'waiting',
      'No quorum · 1 of 3',
      'No quorum: messages wait for their final place until Ben Okafor (2) or Chiara (3) is back.',
    ],
  ] as const)('tone, label and hint %#', (part, tone, label, composerHint) => {
    expect(describeSituation(status(part))).toMatchObject({ tone, label, composerHint });
  });
});

describe('how long a situation must last to be shown', () => {
  const calm = status();
  const passing = 300;
  const electing = status({ role: 'candidate', ...unled });
  const cases: readonly (readonly [
    what: string,
    next: NodeStatus,
    shown: NodeStatus | null,
    ms: number,
  ])[] = [
    ['a message on its way', status({ pending: 1 }), calm, passing],
    ['another one, when that is shown', status({ pending: 2 }), status({ pending: 1 }), 0],
    ['everything final again', calm, status({ pending: 1 }), 0],
    ['an election', electing, calm, passing],
    ['an election that goes on', electing, electing, 0],
    ['what follows it', status({ established: false }), electing, passing],
    ['a new leader', status({ leader: 2 }), electing, 0],
    ['no quorum', status({ ...unled, peers: [] }), calm, 0],
    ['a history that differs', status({ diverged: true }), calm, 0],
    ['the first one, if it may pass', electing, null, passing],
    ['nobody yet', status({ ...unled, role: 'joining', members: [3], peers: [] }), null, 1000],
  ];
  test.each(cases)('%s', (_, next, shown, ms) => {
    const before = shown === null ? null : describeSituation(shown);
    expect(patienceWith(describeSituation(next), before)).toBe(ms);
  });
});
