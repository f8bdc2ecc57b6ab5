/**
 * Schedules made by hand for what chance rarely meets. Each is a story of five peers told as operations;
 * the seed moves the times a little and draws everything else, so that a story holds for many timings.
 * On a sound core every one must pass; each exists because a broken core fails it (variants/).
 */
import type { EntryKind } from '../protocol/types.ts';
import { Random } from '../random.ts';
import type { CoreUnderTest } from './core-under-test.ts';
import type { Act, Operation } from './operations.ts';
import { type SimOptions, drawOptions } from './options.ts';
import type { Simulation } from './simulation.ts';
import { type RunSettings, type Verdict, runSchedule } from './simulator.ts';
import { recorded } from './workload.ts';

/** Hosts by peer id: peer 1 is host 0. */
const [P1, P2, P3, P4, P5] = [0, 1, 2, 3, 4] as const;
/** The same hosts where the first three are peers 3, 4 and 5. */
const [LOW, MIDDLE, HIGH] = [0, 1, 2] as const;
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
  readonly steps: readonly Step[];
}

/** Long enough for an election and what it causes, milliseconds. */
const ELECTION = 1_200;
/** Long enough for a message to be ordered. */
const ORDER = 60;

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
};

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

function isolate(hosts: readonly number[]): readonly Act[] {
  return [block(hosts, ALL), block(ALL, hosts)];
}

/** Right when the nth ACCEPT with an entry of this kind is sent on a link (-1: any host). */
function onAccept(
  carries: EntryKind,
  [sender, receiver]: readonly [number, number],
  nth: number,
  ...also: readonly Act[]
): Act {
  const message = 'accept';
  return { kind: 'trap', message, sender, receiver, nth, carries, act: 'none', forMs: 0, also };
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
    readMs: 2,
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
