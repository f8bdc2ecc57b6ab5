/** The situations that the gallery shows and screenshots are taken of. */
import type { Snapshot } from '../../shared/ipc/contract.ts';
import type { FinalEntry, Seq } from '../../shared/model.ts';
import type { FakeAnswers } from './fake-bridge.ts';
import {
  leaderEntry,
  member,
  membersEntry,
  messageEntry,
  openPhase,
  peer,
  snapshot,
  startView,
  status,
  waitingMessage,
} from './samples.ts';

type Scene = Partial<FakeAnswers> & { snapshot: Snapshot };

const TALK: readonly (readonly [author: number, text: string])[] = [
  [2, 'Morning! The **staging** cluster is back, see https://status.example.org/incidents/42'],
  [2, 'I left the old one up until noon, in case somebody still needs its logs.'],
  [3, 'Thanks. I need them for about an hour.'],
  [1, 'Same here. Is there anything to do before the switch?'],
  [3, 'Three things:\n\n1. run `npm run check`\n2. stop the importer\n3. tell *everybody* here'],
  [2, '> stop the importer\n\nDone already, it was idle.'],
  [1, 'Then here is the command:\n\n```\nlockstep --id 4 --seed 1:192.168.1.11:6001\n```'],
  [3, 'Works. Lunch at 12:30?'],
  [2, 'Yes.'],
  [
    2,
    'The usual place, or the new one by the river that Chiara talked about last week? It is a little farther, but they have room for eight and we would not have to wait in line for half an hour again.',
  ],
  [1, 'The river.'],
];

/** Everything that has a way of its own on screen, and what has none. */
const TYPED = `def f(x):
    return 2*3*4   # __init__.py

3. three
5. five, which is so long that it needs more than the one line that there is room for in any window, and goes on in a second
1986. What a year
- a bullet with **strong** words

> quoted
> > twice

\`\`\`ts
const a = 1;
\`\`\`
*em* ~~struck~~ \`code\` [label](https://a.example/x) and [b.example](https://a.example/y)`;

/** A deterministic endless conversation. */
export function historyEntry(last: Seq, end: number): (seq: Seq) => FinalEntry {
  return (seq) => {
    const at = end - (last - seq) * 47_000;
    if (seq === 1) return { ...membersEntry(seq, [1]), sentAt: at };
    if (seq === 2) return { ...leaderEntry(seq, 1, 1), sentAt: at };
    if (seq === 3) return { ...membersEntry(seq, [1, 2]), sentAt: at };
    if (seq === 4) return { ...membersEntry(seq, [1, 2, 3]), sentAt: at };
    if (seq === last - 6) return { ...leaderEntry(seq, 3, 4), sentAt: at };
    const [author, text] = TALK[seq % TALK.length] ?? [1, ''];
    return messageEntry(seq, { author, text, sentAt: at });
  };
}

function talk(last: Seq, part: Partial<Snapshot> = {}): Scene {
  const entry = historyEntry(last, Date.now() - 60_000);
  const from = Math.max(1, last - 199);
  const entries = Array.from({ length: last - from + 1 }, (_, i) => entry(from + i));
  return {
    entry,
    snapshot: snapshot({ entries, ...part, status: { ...status(), ...part.status, commit: last } }),
  };
}

const alone = {
  role: 'leader',
  established: false,
  leader: 1,
  pending: 2,
  peers: [peer(2, { connected: false, suspected: true }), peer(3, { connected: false })],
} as const;

const five = {
  members: [1, 2, 3, 4, 5],
  roster: [1, 2, 3, 4, 5, 6, 7].map((id) => ({ ...member(id), listed: id < 6 })),
};

const SCENES: Readonly<Record<string, () => Scene>> = {
  calm: () => talk(1234),
  million: () => talk(1_000_000),
  short: () => talk(14),
  empty: () => ({
    snapshot: snapshot({
      entries: [membersEntry(1, [1]), leaderEntry(2, 1, 1)],
      status: status({
        role: 'leader',
        leader: 1,
        members: [1],
        peers: [],
        commit: 2,
        roster: [{ ...member(1), listed: true }],
        epoch: [1, 1],
      }),
    }),
  }),
  elections: () => {
    const talked = talk(20).snapshot.entries;
    const elections = Array.from({ length: 16 }, (_, i) => leaderEntry(21 + i, 2 + (i % 2), 5 + i));
    const after = [
      messageEntry(37, { text: TYPED, sentAt: Date.now() }),
      messageEntry(38, { text: 'Still there?', sentAt: Date.now() }),
    ];
    const entries = [
      ...talked,
      ...elections.map((one) => ({ ...one, sentAt: Date.now() })),
      ...after,
    ];
    return { snapshot: snapshot({ entries, status: status({ commit: 38 }) }) };
  },
  opening: () => ({ snapshot: snapshot({ status: null }) }),
  'no-quorum': () =>
    talk(1234, {
      status: status(alone),
      waiting: [
        waitingMessage('I am on the train, you will see this later.', { n: 1 }),
        waitingMessage('And this too.', { n: 2 }),
        waitingMessage('Just typed.'),
      ],
    }),
  provisional: () =>
    talk(1234, {
      status: status({
        ...five,
        established: false,
        leader: 2,
        pending: 3,
        peers: [
          peer(2),
          peer(3, { connected: false }),
          peer(4, { suspected: true }),
          peer(5, { connected: false }),
        ],
      }),
      waiting: [
        waitingMessage('We are cut off, it seems.', { n: 1, author: 2 }),
        waitingMessage('Looks like it. Let us go on.', { n: 2 }),
        waitingMessage('Sending the numbers now.'),
      ],
    }),
  'catching-up': () =>
    talk(12_400, {
      status: status({
        progress: { at: 12_400, target: 80_000 },
        ...five,
        peers: [2, 3, 4, 5].map((id) => peer(id)),
      }),
    }),
  electing: () =>
    talk(1234, { status: status({ role: 'candidate', leader: null, established: false }) }),
  diverged: () => talk(1234, { status: status({ diverged: true }) }),
  first: () => ({
    snapshot: snapshot({ phase: { kind: 'start', start: startView(), error: null }, status: null }),
  }),
  groups: () => ({
    snapshot: snapshot({
      status: null,
      phase: {
        kind: 'start',
        error: null,
        start: startView({
          groups: [
            {
              group: '9d41c7e20b8a4f6c',
              id: 1,
              name: 'Ann',
              data: '/home/ann/.local/share/lockstep/1',
              openedAt: Date.now() - 3_600_000,
              diverged: false,
            },
            {
              group: '77b0e3a91c2d5f48',
              id: 12,
              name: 'Ann (work)',
              data: '/home/ann/.local/share/lockstep/12',
              openedAt: Date.now() - 86_400_000 * 3,
              diverged: false,
            },
          ],
        }),
      },
    }),
  }),
  invited: () => ({
    snapshot: snapshot({
      status: null,
      phase: { kind: 'start', error: null, start: startView({ invite: openPhase().invite }) },
    }),
  }),
  'port-in-use': () => ({
    snapshot: snapshot({
      status: null,
      phase: {
        kind: 'start',
        start: startView(),
        error: {
          field: 'port',
          code: 'PORT_IN_USE',
          freePort: 6004,
          message: 'Port 6001 is taken by another program on this computer.',
        },
      },
    }),
  }),
  joining: () => ({
    snapshot: snapshot({
      status: null,
      phase: {
        kind: 'joining',
        target: '192.168.1.20:6001',
        notice: 'Nothing answers yet at 192.168.1.20:6001; still trying.',
      },
    }),
  }),
  ended: () => ({
    snapshot: snapshot({
      status: null,
      phase: {
        kind: 'ended',
        error: {
          code: 'DISK',
          fatal: true,
          message:
            'The disk refused a write: no space left on device. Make room, then open Lockstep again; nothing that was final is lost.',
        },
      },
    }),
  }),
  left: () => ({ snapshot: snapshot({ status: null, phase: { kind: 'ended', error: null } }) }),
};

/** Names of all scenes, for scripts that visit each. */
export const SCENE_NAMES: readonly string[] = Object.keys(SCENES);

/** What the fake bridge answers in a scene; the calm one for an unknown name. */
export function sceneOf(name: string): Scene {
  return (SCENES[name] ?? (() => talk(1234)))();
}
