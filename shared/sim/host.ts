/**
 * One simulated machine and the process on it: its disk, its clocks, its links, and what the checkers
 * remember of it. Data only; processes.ts runs it.
 */
import type { InvariantWatch } from '../protocol/invariants.ts';
import type { KnownPeer } from '../protocol/ready.ts';
import { type Epoch, EPOCH_ZERO, type Member, type PeerId, type Seq } from '../protocol/types.ts';
import type { Random } from '../random.ts';
import type { ReplicaUnderTest } from './core-under-test.ts';
import type { Disk, DiskQueue } from './disk.ts';
import type { Timed } from './event-queue.ts';
import type { Direction } from './network.ts';

/** Something on the agenda. */
export interface Actor extends Timed {
  readonly fire: () => void;
}

/** An actor that is not scheduled yet. */
export function actor(fire: () => void): Actor {
  return { at: 0, order: 0, slot: -1, fire };
}

export type HostState =
  | 'up'
  /** The process is stopped; its clock goes on. */
  | 'paused'
  | 'down'
  /** It left the group and closed. */
  | 'left'
  /** Others would not have it, as they should. */
  | 'refused';

/** Whose data the machine has. */
export type Folder =
  | 'own'
  /** An old copy of its own. */
  | 'old'
  /** None: a new key under the same id. */
  | 'empty'
  /** A copy of another machine's that is up. */
  | 'copied'
  /** Its own, with a history that was falsified: it takes no part from then on. */
  | 'spoilt';

/** A members list in a log, as the checkers follow it. */
export interface ListAt {
  readonly seq: Seq;
  readonly members: readonly Member[];
}

/** The timers of one host. */
export interface HostTimers {
  readonly tick: Actor;
  readonly disk: Actor;
  readonly read: Actor;
  /** Acts on what has happened. */
  readonly turn: Actor;
  /** A leave that takes too long ends the process anyway. */
  readonly leave: Actor;
}

/** One machine. */
export class Host {
  readonly index: number;
  readonly id: PeerId;
  readonly random: Random;
  readonly timers: HostTimers;
  self: Member;
  disk: Disk;
  folder: Folder = 'own';
  /** While `folder` is not its own: what lies in the cupboard. */
  ownFolder: { readonly disk: Disk; readonly self: Member } | null = null;
  /** Copy of the data folder taken earlier. */
  snapshot: Disk | null = null;

  state: HostState = 'down';
  /** The machine answers, if only with a refusal. */
  machineUp = true;
  replica: ReplicaUnderTest | null = null;
  queue: DiskQueue | null = null;
  nonce = 0;
  /** Counts processes over all hosts, so that it names this one. */
  process = 0;
  /** Whom it was told to dial when it was started. */
  seeds: readonly PeerId[] = [];
  wants: ReadonlySet<PeerId> = new Set();
  /** Outgoing directions of the links that the process was told of. */
  readonly links = new Map<PeerId, Direction>();

  // Clocks.
  rate = 1;
  clockBase = 0;
  clockSince = 0;
  wallOffset = 0;
  wakeAt = Infinity;

  // Disk behaviour.
  slowFactor = 1;
  diskFull = false;

  // What the checkers remember of the process.
  watch: InvariantWatch | null = null;
  delivered: Seq = 0;
  promised: Epoch = EPOCH_ZERO;
  led: Epoch | null = null;
  /** Lists in its queued log that are not known to be final. */
  openLists: ListAt[] = [];
  /** The same as they were when the last Ready moved the mark. */
  listsAtMark: readonly ListAt[] = [];

  constructor(index: number, self: Member, parts: HostParts) {
    this.index = index;
    this.id = self.id;
    this.self = self;
    this.disk = parts.disk;
    this.random = parts.random;
    this.timers = parts.timers;
  }

  /** Its own monotonic clock at simulated time `now`. */
  localTime(now: number): number {
    return this.clockBase + (now - this.clockSince) * this.rate;
  }

  /** The simulated time at which its monotonic clock shows `local`. */
  globalTime(local: number): number {
    return this.clockSince + (local - this.clockBase) / this.rate;
  }

  /** The process runs or could run on. */
  get running(): boolean {
    return this.state === 'up' || this.state === 'paused';
  }

  /** What is durably remembered here of a peer. */
  remembers(id: PeerId): KnownPeer | undefined {
    return this.disk.known.get(id);
  }
}

/** What a host is made of. */
export interface HostParts {
  readonly disk: Disk;
  readonly random: Random;
  readonly timers: HostTimers;
}
