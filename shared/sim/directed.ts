/**
 * Schedules made by hand for what chance rarely meets. Each is a story of five peers told as operations;
 * the seed moves the times a little and draws everything else, so that a story holds for many timings.
 * On a sound core every one must pass; each exists because a broken core fails it (variants/).
 */
import type { ProtocolMessage } from '../protocol/messages.ts';
import type { EntryKind } from '../protocol/types.ts';
import { Random } from '../random.ts';
import type { CoreUnderTest } from './core-under-test.ts';
import type { Act, Operation } from './operations.ts';
import { type SimOptions, drawOptions } from './options.ts';
import type { Simulation } from './simulation.ts';
import { type RunSettings, type Verdict, runSchedule } from './simulator.ts';
import { recorded } from './workload.ts';

/** Hosts by peer id: peer 1 is host 0. */
const [P1, P2, P3, P4, P5, P6, P7] = [0, 1, 2, 3, 4, 5, 6] as const;
/** The same hosts where the first three are peers 3, 4 and 5. */
const [LOW, MIDDLE, HIGH] = [0, 1, 2] as const;
/** The same hosts where 5 is the fourth, and 4 joins. */
const [FIFTH, JOINER] = [3, 4] as const;
const ALL = [P1, P2, P3, P4, P5];

/** One step of a story: `after` milliseconds behind the step before. */
interface Step {
  readonly after: number;
  readonly acts: readonly Act[];
}

/** A story and what it needs of the options. */
interface Story {
  /** What must be so before anything is healed: null if it is, else what is wrong. */
  readonly expects?: (sim: Simulation) => string | null;
  readonly leaveDead?: boolean;
  /** Peers at the start; all five unless it says otherwise. */
  readonly ids?: readonly number[];
  readonly config: Partial<SimOptions['config']>;
  readonly readMs?: number;
  readonly steps: readonly Step[];
}

/** Long enough for an election and what it causes, milliseconds. */
const ELECTION = 1_200;
/** Long enough for a message to be ordered. */
const ORDER = 60;
/** So often the highest peer is cut off where that is the story. */
const FLAPS = 8;

/** Nearly everything is on disk alone, and goes out in few frames; nobody is taken off the list. */
const SHORT_MEMORY: Partial<SimOptions['config']> = {
  tailEntries: 4,
  tailBytes: 512,
  batchEntries: 64,
  batchBytes: 65_536,
  windowEntries: 128,
  evictAfterMs: 60_000,
};

/** The stories. */
const STORIES: Readonly<Record<string, Story>> = {
  /**
   * Raft's figure 8. Peer 5 orders m, which only 4 gets; 3 leads without them and writes its own entry at
   * the same number; 5 comes back, leads again and gets m stored by a quorum, but not yet its own
   * `leader` entry. Whoever calls m final now is wrong: 3 comes back and has the better log.
   */
  'older-epoch-by-counting': {
    config: { batchEntries: 1 },
    steps: [
      { after: ELECTION, acts: [block([P5], [P1, P2, P3]), submit(P5, 1)] },
      { after: ORDER, acts: [crash(P5), ...isolate([P4])] },
      { after: 0, acts: [onAccept('leader', [P3, -1], 1, block([P3], ALL))] },
      // Without each other 1 and 2 are no quorum with 5, so that 5 itself leads.
      { after: ELECTION, acts: [crash(P3), block([P1], [P2]), block([P2], [P1])] },
      {
        after: ORDER,
        acts: [
          unblock([P5], [P1, P2, P3]),
          // The first goes out before 5 knows that 1 and 2 lack m, the second right behind m.
          onAccept('leader', [P5, P1], 2, block([P5], [P1])),
          onAccept('leader', [P5, P2], 2, block([P5], [P2])),
          start(P5),
        ],
      },
      {
        after: ELECTION,
        acts: [crash(P5), unblock([P1, P2, P3], [P1, P2, P3]), start(P3)],
      },
      { after: ELECTION, acts: [submit(P3, 1)] },
    ],
  },

  /**
   * Peer 5 orders messages that only 1 stores; 1's ACK is held up. 4 leads the others meanwhile and
   * replaces them, and dies. When 5 leads again, the old ACK arrives: it speaks of entries that are gone.
   */
  'ack-of-an-old-epoch': {
    config: {},
    steps: [
      {
        after: ELECTION,
        acts: [block([P1], [P5]), block([P5], [P2, P3, P4]), submit(P5, 6)],
      },
      { after: ORDER, acts: [block([P1, P5], ALL), block(ALL, [P1, P5])] },
      // 5 must not follow 4 first: it would order what it has cut again, beyond the old ACK.
      { after: ELECTION, acts: [crash(P4), unblock([P5], [P2, P3]), unblock([P2, P3], [P5])] },
      {
        after: 1,
        acts: [onAccept('leader', [P5, -1], 1, block([P5], [P3]), unblock([P1], [P5]))],
      },
      { after: 2 * ELECTION, acts: [] },
    ],
  },

  /**
   * 1 and 2 join 3, 4 and 5. 3 misses those lists, and 4 misses what 5, 1 and 2 make final afterwards. By
   * the list that 3 knows, 3 and 4 are a quorum; by the list in the log of 4, which is better, they are
   * none. (Low ids join, because a higher one would take over and so raise the epoch out of reach of 3.)
   */
  'own-list-is-not-enough': {
    ids: [3, 4, 5],
    config: { caughtUpEntries: 32 },
    steps: [
      {
        after: ELECTION,
        acts: [
          { kind: 'join', id: 1, seeds: [5] },
          { kind: 'join', id: 2, seeds: [5] },
          onAccept('members', [HIGH, LOW], 1, ...isolate([LOW])),
        ],
      },
      { after: ELECTION / 2, acts: [...isolate([MIDDLE]), submit(HIGH, 2)] },
      { after: 4 * ORDER, acts: [unblock([LOW, MIDDLE], [LOW, MIDDLE])] },
      { after: ELECTION, acts: [unblock(ALL, ALL)] },
      { after: ELECTION, acts: [] },
    ],
  },

  /**
   * 3 is down, and 5 hears only 1: it leads provisionally. 4, 1 and 2 are a quorum; that 1 hears a higher
   * leader without one must not keep 4 from leading.
   */
  'provisional-leader-in-the-way': {
    expects: everythingFinal,
    config: {},
    steps: [
      {
        after: ELECTION,
        acts: [crash(P3), block([P5], [P2, P4]), block([P2, P4], [P5])],
      },
      { after: ELECTION, acts: [submit(P2, 2), submit(P4, 1)] },
      { after: ELECTION, acts: [] },
    ],
  },

  /** 4 and 5 do not hear each other: 4 follows through another, and what it writes goes that way. */
  'leader-at-second-hand': {
    expects: everythingFinal,
    config: {},
    steps: [
      { after: ELECTION, acts: [block([P5], [P4]), block([P4], [P5])] },
      { after: ELECTION, acts: [submit(P4, 2), submit(P5, 2)] },
      { after: ELECTION, acts: [] },
    ],
  },

  /**
   * 1 and 2 are cut off. What they write 2 orders provisionally, and 1 keeps it all; so it becomes final
   * later, even though 2 never comes back.
   */
  'minority-goes-on': {
    expects: heldByTheOther,
    leaveDead: true,
    config: {},
    steps: [
      { after: ELECTION, acts: [block([P1, P2], [P3, P4, P5]), block([P3, P4, P5], [P1, P2])] },
      { after: ELECTION, acts: [submit(P1, 2), submit(P2, 1), submit(P1, 1)] },
      { after: ELECTION, acts: [crash(P2)] },
    ],
  },

  /**
   * 5 dies with a message in its log that nobody else got. It comes back to 1 alone, leads provisionally and
   * catches up from 1: the message is cut, and takes its place in the provisional order at once.
   */
  'cut-by-a-provisional-leader': {
    expects: placedAtTheLeader,
    config: {},
    steps: [
      { after: ELECTION, acts: [block([P5], [P1, P2, P3, P4]), submit(P5, 1)] },
      { after: ORDER, acts: [crash(P5), unblock([P5], ALL)] },
      { after: ELECTION, acts: [submit(P1, 1)] },
      { after: 4 * ORDER, acts: cut([P1, P5], [P2, P3, P4]) },
      { after: ELECTION, acts: [start(P5)] },
      { after: 2 * ELECTION, acts: [submit(P5, 1)] },
      { after: ELECTION, acts: [] },
    ],
  },

  /**
   * 5 orders much that only 3 gets, and dies. 4 leads without 3, and only 1 gets its first entry, for at that
   * moment 5 is back and leads 2 and 3. So 1 catches up from 2 what replaces the entry of 4, whose higher
   * epoch it still follows: 4 lags behind, and differs from 1 in nothing that both call final.
   */
  'outdated-leader': {
    config: { batchEntries: 1, windowEntries: 128, reprepareMs: 500 },
    steps: [
      { after: ELECTION, acts: [block([P5], [P1, P2, P4]), submit(P5, 30)] },
      {
        after: ORDER,
        acts: [
          crash(P5),
          ...isolate([P3]),
          onAccept(
            'leader',
            [P4, P2],
            1,
            block([P4], [P2]),
            ...join([P5, P3], [P2]),
            ...join([P5], [P3]),
            ...cut([P5], [P1, P4]),
            start(P5),
            trapOn('promise', [P2, P5], 1, unblock([P4], [P2])),
            // 2 calls the messages final by then.
            onAccept('leader', [P5, P2], 1, trapOn('heartbeat', [P2, P1], 3, crash(P1), start(P1))),
          ),
        ],
      },
      ...Array.from({ length: 30 }, () => ({ after: 20, acts: [submit(P4, 1)] })),
    ],
  },

  /**
   * 7 dies when only 1 has its last message. 6, far behind, wins and asks 1 for all it has; the disk of 1 is
   * slow. 6 dies, 5 leads without both and puts something else at that place, which 1 learns. When the disk
   * has answered, 6 is back as another process and asks 1 for what it missed, with the same number.
   */
  'answer-for-an-earlier-process': {
    ids: [1, 2, 3, 4, 5, 6, 7],
    config: {
      ...SHORT_MEMORY,
      ...{ heartbeatMs: 200, prepareMs: 400, syncMs: 800 },
    },
    readMs: 20,
    steps: [
      { after: 2 * ELECTION, acts: [block([P7], [P6]), submit(P7, 12)] },
      { after: ORDER / 2, acts: [submit(P7, 12)] },
      { after: ORDER, acts: [block([P7], [P2, P3, P4, P5]), submit(P7, 1)] },
      {
        after: ORDER / 2,
        acts: [
          crash(P7),
          // 6 catches up from nobody before, and needs the promise of 1.
          { ...trapOn('fetch', [P6, -1], 1), act: 'block' },
          trapOn('prepare', [P6, P1], 1, block([P4, P5], [P6])),
          trapOn('promise', [P1, P6], 1, { kind: 'slow-disk', host: P1, factor: 100 }),
          trapOn(
            'fetch',
            [P6, P1],
            1,
            trapOn(
              'heartbeat',
              [P6, P1],
              2,
              { kind: 'crash', host: P6, power: false, survivors: 1_000 },
              ...cut([P1], [P2, P3, P4, P5]),
              ...cut([P6], [P2, P3, P4, P5]),
              trapOn(
                'accept',
                [P5, P2],
                3,
                ...join([P1], [P5]),
                trapOn(
                  'accept',
                  [P5, P1],
                  3,
                  start(P6),
                  trapOn('fetch', [P6, P1], 1, { kind: 'break', a: P6, b: P1 }),
                ),
              ),
            ),
          ),
        ],
      },
      { after: 4 * ELECTION, acts: [] },
    ],
  },

  /**
   * 3 has an end that nobody else holds, and leads 2 provisionally. Its slow disk is asked for what 2 wrote
   * while 4 tells it what the others have made final in place of that end, the same message among it.
   */
  'looked-up-before-a-cut': {
    ids: [1, 2, 3, 4, 5, 6, 7],
    config: { ...SHORT_MEMORY, heartbeatMs: 60 },
    readMs: 20,
    steps: [
      { after: 2 * ELECTION, acts: [submit(P7, 12)] },
      { after: ORDER, acts: [block([P7], [P1, P2, P4, P5, P6]), submit(P7, 30)] },
      {
        after: ORDER / 2,
        acts: [
          // 6 hears what 2 writes, and 2 nothing of what became of it.
          {
            ...onAccept('leader', [P6, P2], 1, submit(P2, 1), ...cut([P2], [P1, P4, P5])),
            act: 'block',
          },
          crash(P7),
          ...cut([P3], [P1, P2, P4, P5, P6]),
        ],
      },
      { after: ELECTION, acts: [block([P2], [P6]), submit(P6, 30)] },
      {
        after: ORDER,
        acts: [
          trapOn(
            'submit',
            [P2, P3],
            1,
            { kind: 'slow-disk', host: P3, factor: 100 },
            ...join([P3], [P4]),
          ),
          ...join([P2], [P3]),
        ],
      },
      { after: ELECTION / 2, acts: cut([P3], [P4]) },
      { after: 2 * ELECTION, acts: [] },
    ],
  },

  /**
   * While id 4 is free another key comes under it, and promises more. Then a list that has the first key
   * becomes final, and the machine comes back with that: nobody holds against it what the other promised.
   */
  'promise-of-another-key': {
    ids: [1, 2, 3, 5],
    config: { evictAfterMs: 60_000 },
    steps: [
      {
        after: ELECTION,
        acts: [
          { kind: 'join', id: 4, seeds: [3] },
          // Nobody tells 5 that its list is stored.
          onAccept(
            'members',
            [FIFTH, -1],
            1,
            block([P1, P2, P3], [FIFTH]),
            crash(JOINER),
            { kind: 'new-key', host: JOINER },
            trapOn('join', [JOINER, FIFTH], 1, crash(FIFTH)),
          ),
        ],
      },
      { after: 2 * ELECTION, acts: [crash(JOINER), start(JOINER)] },
      { after: ELECTION, acts: [] },
    ],
  },

  /** The stored history of 1 was falsified. It has stopped when 6 comes, and gives it nothing of that. */
  'stopped-peer-serves-nobody': {
    config: {},
    steps: [
      { after: ELECTION, acts: [submit(P3, 2)] },
      { after: 4 * ORDER, acts: spoil(P1) },
      { after: ELECTION, acts: [{ kind: 'join', id: 6, seeds: [1] }] },
      { after: ELECTION, acts: [] },
    ],
  },

  /**
   * The stored history of 3 was falsified; it has stopped, long ago. 4 and 5 start anew and know nothing of
   * that. Without 4, 5 has no quorum.
   */
  'stopped-peer-is-no-quorum': {
    ids: [3, 4, 5],
    expects: nobodyLeads,
    config: { tailEntries: 4, tailBytes: 512, evictAfterMs: 60_000 },
    steps: [
      { after: ELECTION, acts: [submit(HIGH, 2)] },
      { after: 4 * ORDER, acts: spoil(LOW) },
      { after: ELECTION, acts: [submit(HIGH, 90)] },
      { after: ELECTION, acts: [crash(MIDDLE), start(MIDDLE)] },
      { after: ELECTION, acts: [crash(HIGH), start(HIGH)] },
      { after: 2 * ELECTION, acts: [crash(MIDDLE)] },
      { after: 2 * ELECTION, acts: [] },
    ],
  },

  /** 5 comes back with a falsified history and calls those who followed it wrong: they go on without it. */
  'word-of-a-former-leader': {
    config: {},
    steps: [
      { after: ELECTION, acts: [submit(P3, 2)] },
      { after: 4 * ORDER, acts: spoil(P5) },
      { after: 2 * ELECTION, acts: [submit(P1, 1)] },
    ],
  },

  /** 5 is cut off and back again, all the time: it does not take over from 4 each time that it is back. */
  'flapping-highest': {
    expects: fewElections,
    config: { yieldMs: 2_000, yieldMaxMs: 60_000, yieldResetMs: 600_000 },
    steps: [
      { after: ELECTION, acts: [] },
      ...Array.from({ length: FLAPS }, () => [
        { after: 400, acts: isolate([P5]) },
        { after: 400, acts: join([P5], ALL) },
      ]).flat(),
    ],
  },
};

/** Without waits every flap costs two elections. */
function fewElections({ hosts }: Simulation): string | null {
  const numbers = hosts.map(({ replica }) => replica?.inspect().promised.number ?? 0);
  const highest = Math.max(...numbers);
  return highest <= FLAPS ? null : `${FLAPS} flaps, and an epoch ${highest}`;
}

/** Whoever orders provisionally at 5 has a place for everything that is not final. */
function placedAtTheLeader({ hosts, checkers }: Simulation): string | null {
  const look = hosts[P5]?.replica?.inspect();
  const lacking = [...checkers.open.keys()].filter(
    (id) => (look?.pendingPlace(id) ?? null) === null,
  );
  if (checkers.open.size !== 2) return `${checkers.open.size} messages wait instead of two`;
  return lacking.length === 0 ? null : `${lacking.join(', ')} has no place`;
}

/** Alone with a peer that takes no part nobody has a quorum. */
function nobodyLeads({ hosts }: Simulation): string | null {
  const leader = hosts.find(({ led }) => led !== null);
  return leader === undefined ? null : `host ${leader.index} leads`;
}

/** A quorum can work, so it does. */
function everythingFinal({ checkers }: Simulation): string | null {
  const [open] = checkers.open.keys();
  return open === undefined ? null : `${open} is not final`;
}

/** 1 has what 2 wrote, and a place for each message. */
function heldByTheOther({ hosts, checkers }: Simulation): string | null {
  const look = hosts[P1]?.replica?.inspect();
  const places = [...checkers.open.keys()].map((id) => look?.pendingPlace(id) ?? null);
  if (places.length !== 4) return `${places.length} messages wait instead of four`;
  const distinct = new Set(places.filter((place) => place !== null));
  return distinct.size === 4 ? null : `places at peer 1: ${places.join(', ')}`;
}

function submit(host: number, count: number): Act {
  return { kind: 'submit', host, count };
}

function spoil(host: number): readonly Act[] {
  return [crash(host), { kind: 'spoil', host }, start(host)];
}

function start(host: number): Act {
  return { kind: 'start', host };
}

/** Everything queued reaches the disk, nothing in flight arrives. */
function crash(host: number): Act {
  return { kind: 'crash', host, power: true, survivors: 1_000 };
}

function block(from: readonly number[], to: readonly number[]): Act {
  return { kind: 'block', from, to, now: false, breaks: false };
}

function unblock(from: readonly number[], to: readonly number[]): Act {
  return { kind: 'unblock', from, to };
}

function cut(some: readonly number[], others: readonly number[]): readonly Act[] {
  return [block(some, others), block(others, some)];
}

function join(some: readonly number[], others: readonly number[]): readonly Act[] {
  return [unblock(some, others), unblock(others, some)];
}

function isolate(hosts: readonly number[]): readonly Act[] {
  return [block(hosts, ALL), block(ALL, hosts)];
}

/** Right when the nth ACCEPT with an entry of this kind is sent on a link (-1: any host). */
function onAccept(
  carries: EntryKind,
  [sender, receiver]: readonly [number, number],
  nth: number,
  ...also: readonly Act[]
): Extract<Act, { kind: 'trap' }> {
  const message = 'accept';
  return { kind: 'trap', message, sender, receiver, nth, carries, act: 'none', forMs: 0, also };
}

/** Right when the nth message of this kind is sent on a link. */
function trapOn(
  message: ProtocolMessage['kind'],
  [sender, receiver]: readonly [number, number],
  nth: number,
  ...also: readonly Act[]
): Extract<Act, { kind: 'trap' }> {
  return { kind: 'trap', message, sender, receiver, nth, act: 'none', forMs: 0, also };
}

/** The operations of a story with the times that `random` draws. */
function tell(story: Story, random: Random): { operations: readonly Operation[]; end: number } {
  const operations: Operation[] = [];
  let now = 0;
  for (const { after, acts } of story.steps) {
    now += after * (1 + 0.3 * random.unit());
    for (const act of acts) operations.push({ at: now, act });
  }
  return { operations, end: now };
}

/** All stories by name. */
export const storyNames: readonly string[] = Object.keys(STORIES);

/** Runs a story on a core, with the timing of `seed`. Throws for a name that there is not. */
export function directedSchedule(
  name: string,
  core: CoreUnderTest,
  seed: number,
  settings: Pick<RunSettings, 'log'> = {},
): Verdict {
  const story = STORIES[name];
  if (story === undefined) throw new RangeError(`no story is called ${name}`);
  const drawn = drawOptions(seed, 1_000);
  const options: SimOptions = {
    ...drawn,
    ids: story.ids ?? [1, 2, 3, 4, 5],
    start: 'together',
    delayMs: [1, 3],
    spike: 0,
    diskMs: [0.5, 2],
    readMs: story.readMs ?? 2,
    turnMs: 0,
    redialMs: 5,
    verdictMs: 0,
    drop: 0,
    duplicate: 0,
    leaveDead: story.leaveDead ?? false,
    deadLink: false,
    config: { ...drawn.config, ...TIMING, ...story.config },
  };
  const { operations, end: healAt } = tell(story, new Random(seed));
  return runSchedule(core, options, {
    ...settings,
    source: recorded(operations),
    healAt,
    ...(story.expects === undefined ? {} : { beforeHealing: story.expects }),
  });
}

/** Timing at which {@link ELECTION} is long enough. */
const TIMING: Partial<SimOptions['config']> = {
  heartbeatMs: 60,
  quietFactor: 1,
  lookMs: 60,
  prepareMs: 200,
  retryMs: 30,
  yieldMs: 200,
  yieldMaxMs: 400,
};
