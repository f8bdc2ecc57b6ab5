/**
 * What will go wrong in a run, drawn from a seed before it begins: the same seed and length give the
 * same faults at the same times. Whom a fault hits is drawn as a number and settled when it strikes,
 * among the peers that are up then. A plan starts nothing and looks at no clock.
 */
import { Random } from '../../shared/random.ts';

/** Kinds of faults, and what they do. */
export const faultKinds = {
  kill: 'SIGKILL, started again later',
  'kill-leader': 'SIGKILL of the leader, started again later',
  'kill-all': 'SIGKILL of everyone at once, all started again',
  pause: 'SIGSTOP, SIGCONT later',
  'pause-leader': 'SIGSTOP of the leader, SIGCONT later',
  split: 'the network in two halves',
  'split-leader': 'the leader and one follower cut off from the rest',
  bridge: 'the network in two halves that overlap in one peer',
  'cut-pair': 'one link cut both ways',
  'cut-one-way': 'one direction of one link cut',
  deaf: 'a peer that hears nobody and is heard',
  mute: 'a peer that hears everybody and is not heard',
  leave: 'a graceful leave, joining again later',
  'slow-disk': 'every transaction of one peer takes up to half a second longer',
  break: 'the connections of one link reset',
  'slow-link': 'one link late by up to 200 ms',
} as const;

export type FaultKind = keyof typeof faultKinds;

/** Kinds that only a proxy can do. */
export const proxyOnly: ReadonlySet<FaultKind> = new Set(['break', 'slow-link']);

/** One thing that goes wrong, and for how long. Times are milliseconds from the start of the phase. */
export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly lastsMs: number;
  /** Chooses whom it hits. */
  readonly draw: number;
}

/** A time of faults, after which the group has to come to rest. */
export interface Phase {
  readonly lastsMs: number;
  readonly faults: readonly Fault[];
  /** Mean time between two messages of one peer, milliseconds. */
  readonly sendEveryMs: number;
}

/** A whole run. */
export interface Plan {
  readonly seed: number;
  readonly evictAfterMs: number;
  /** The peer with the slow disk. */
  readonly slowPeer: number;
  readonly phases: readonly Phase[];
}

/** How a plan is drawn. */
export interface PlanOptions {
  readonly seed: number;
  readonly lastsMs: number;
  readonly peers: number;
  readonly kinds: readonly FaultKind[];
}

const phaseMs = 25_000;

/** Draws a plan whose phases take about `lastsMs` together. */
export function drawPlan({ seed, lastsMs, peers, kinds }: PlanOptions): Plan {
  const random = new Random(seed);
  const count = Math.max(1, Math.round(lastsMs / phaseMs));
  return {
    seed,
    // A short time makes members come and go with every partition, a long one keeps the list.
    evictAfterMs: random.pick([5_000, 8_000, 30_000]),
    slowPeer: random.between(1, peers),
    phases: Array.from({ length: count }, () => drawPhase(random, lastsMs / count, kinds)),
  };
}

/** Each phase has a few kinds of its own: faults that are rare among all kinds meet each other. */
function drawPhase(random: Random, lastsMs: number, kinds: readonly FaultKind[]): Phase {
  const shuffled = kinds
    .map((kind) => ({ kind, order: random.unit() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ kind }) => kind);
  const some = shuffled.slice(0, random.between(Math.min(3, kinds.length), kinds.length));
  const gapMs = random.pick([150, 400, 1_000]);
  const faults: Fault[] = [];
  for (let atMs = 200; atMs < lastsMs - 500; atMs += random.between(gapMs / 4, gapMs * 2)) {
    const lastsAtMostMs = Math.min(random.pick([400, 2_000, 8_000]), lastsMs - atMs);
    faults.push({
      kind: random.pick(some),
      atMs,
      lastsMs: random.between(50, lastsAtMostMs),
      draw: random.uint32(),
    });
  }
  return { lastsMs, faults, sendEveryMs: random.pick([30, 60, 150]) };
}
