/**
 * What kind of run a seed means. Each seed switches a random subset of the faults on and draws its own
 * timing and sizes ("swarm testing", Groce et al. 2012): runs that differ in kind find more than runs
 * that all have a little of everything. Everything here is data and can be printed; nothing is decided
 * elsewhere.
 */
import { type ProtocolConfig, defaultConfig } from '../protocol/config.ts';
import type { PeerId } from '../protocol/types.ts';
import { Random } from '../random.ts';

/** Everything that a run does to the peers; the number is how often, relative to the others. */
export interface FaultWeights {
  readonly submit: number;
  /** The process ends, its machine goes on: others see their connections reset. */
  readonly kill: number;
  /** The machine ends: others see silence. */
  readonly power: number;
  /** The process stops for a while, its clock does not. */
  readonly pause: number;
  /** Some peers do not reach the others, in both directions. */
  readonly partition: number;
  /** One direction of one link does not carry anything. */
  readonly oneWay: number;
  /** A connection breaks, once or several times in a row. */
  readonly breakLink: number;
  readonly slowDisk: number;
  readonly fullDisk: number;
  readonly wallJump: number;
  readonly join: number;
  readonly leave: number;
  readonly rename: number;
  /** The machine ends and comes back with an old copy of its data folder. */
  readonly restore: number;
  /** The machine ends and comes back without its data, claiming the same id. */
  readonly wipe: number;
  /** A copy of the data folder is started elsewhere while the original is up. */
  readonly copy: number;
  /** Something befalls sender or receiver at the very moment when a message of some kind is sent. */
  readonly trap: number;
}

/** One run. */
export interface SimOptions {
  readonly seed: number;
  /** Ids of the peers that exist at the start, ascending. */
  readonly ids: readonly PeerId[];
  /** All are listed from the start, or the first one founds the group and the others join it. */
  readonly start: 'together' | 'joining';
  /** Events until everything is healed. */
  readonly steps: number;
  readonly config: ProtocolConfig;
  /** Hosts that may join besides the first ones. */
  readonly joinersMax: number;
  /** Time on a link, milliseconds: at least, and the most of what is added at random. */
  readonly delayMs: readonly [number, number];
  /** Chance that a frame takes ten times as long. */
  readonly spike: number;
  /** Time of one transaction, milliseconds: at least, and the most of what is added at random. */
  readonly diskMs: readonly [number, number];
  /** How long a write that is not urgent waits for one that is, milliseconds. */
  readonly lazyMs: number;
  /** Time of a read until everything is healed, milliseconds at most; what is queued behind it waits. */
  readonly readMs: number;
  /** A host collects what happens to it for this long at most before it acts, milliseconds. */
  readonly turnMs: number;
  /** Time between operations, milliseconds, on average. */
  readonly gapMs: number;
  readonly redialMs: number;
  /** How long the end of a connection is held back, milliseconds: a new one may stand by then. */
  readonly verdictMs: number;
  /** How much faster or slower than real time a peer's clock runs at most. */
  readonly drift: number;
  /** Chance that a single frame is lost, or arrives twice: no TCP does that, safety holds anyway. */
  readonly drop: number;
  readonly duplicate: number;
  /** Every frame is encoded and decoded on its way. */
  readonly wire: boolean;
  /** The invariants of every single replica are checked too, at some cost. */
  readonly watch: boolean;
  /** Bytes of one message. */
  readonly bodyBytes: number;
  /** Some of the members that are down at the end stay down, as far as a quorum can spare them. */
  readonly leaveDead: boolean;
  /** One link of three or more living peers is never healed: who has no direct link goes through another. */
  readonly deadLink: boolean;
  /** Once all is quiet one peer leaves, and the others must get on without it. */
  readonly leaveAtEnd: boolean;
  /** A machine that loses its data keeps its identity key; the product makes that impossible. */
  readonly amnesia: boolean;
  readonly weights: FaultWeights;
}

/** A member dead for this long is off the list, milliseconds; short, so that runs see evictions. */
const EVICT_MS = 2_600;

/** Draws the options of a run. */
export function drawOptions(seed: number, steps: number): SimOptions {
  const random = new Random(seed);
  // A stream of its own, so that seeds still mean what they meant before there was more to draw.
  const extra = new Random(seed ^ 0x2545_f491);
  const count = random.pick([1, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 7]);
  const lossy = random.chance(0.12);
  const slow = random.chance(0.25);
  return {
    seed,
    ids: drawIds(random, count),
    start: random.chance(0.7) ? 'together' : 'joining',
    steps,
    config: drawConfig(random),
    joinersMax: random.pick([0, 0, 1, 2]),
    delayMs: slow ? [5, 40] : [1, random.pick([1, 5, 15])],
    spike: random.pick([0, 0, 0.01, 0.05]),
    diskMs: random.pick([
      [0.5, 2],
      [2, 10],
      [5, 60],
    ]),
    lazyMs: random.pick([20, 200]),
    readMs: extra.pick([2, 2, 20, 200]),
    turnMs: extra.pick([0, 0, 0, 1, 10]),
    gapMs: random.pick([20, 40, 80, 150]),
    redialMs: random.pick([5, 30, 150]),
    verdictMs: extra.pick([0, 0, 300]),
    drift: random.pick([0, 0.001, 0.05]),
    drop: lossy ? random.pick([0.005, 0.03]) : 0,
    duplicate: lossy ? random.pick([0, 0.02]) : 0,
    wire: random.chance(0.04),
    watch: random.chance(0.15),
    bodyBytes: random.pick([4, 4, 40, 400]),
    leaveDead: random.chance(0.3),
    deadLink: random.chance(0.15),
    leaveAtEnd: random.chance(0.3),
    amnesia: false,
    weights: drawWeights(random),
  };
}

function drawIds(random: Random, count: number): readonly PeerId[] {
  const dense = random.chance(0.7);
  const ids: PeerId[] = [];
  for (let id = 1; ids.length < count; id += dense ? 1 : random.between(1, 40)) ids.push(id);
  return ids;
}

function drawConfig(random: Random): ProtocolConfig {
  const heartbeatMs = random.pick([60, 100, 200]);
  return {
    ...defaultConfig,
    heartbeatMs,
    quietFactor: random.pick([1, 2, 4]),
    largeGroup: random.pick([3, 8, 8]),
    lookMs: random.pick([60, 150]),
    prepareMs: random.pick([200, 400]),
    syncMs: random.pick([300, 800]),
    retryMs: random.pick([30, 100]),
    reprepareMs: random.pick([200, 500]),
    yieldMs: random.pick([200, 800]),
    yieldMaxMs: 1_600,
    yieldResetMs: random.pick([2_000, 10_000]),
    widenedForMs: random.pick([2_000, 300_000]),
    resubmitMs: random.pick([200, 600]),
    evictAfterMs: EVICT_MS,
    evictMaxMs: 2 * EVICT_MS,
    caughtUpEntries: random.pick([1, 4, 32]),
    farBehindEntries: random.pick([32, 100]),
    batchBytes: random.pick([2_048, 4_096, 65_536]),
    batchEntries: random.pick([1, 2, 4, 64]),
    windowEntries: random.pick([2, 16, 128]),
    windowBytes: 65_536 * random.pick([1, 16]),
    tailEntries: random.pick([4, 16, 64]),
    tailEntriesForLaggards: 64,
    tailBytes: random.pick([512, 65_536]),
    offerBytes: random.pick([100, 1_000, 32_768]),
  };
}

/** Each fault is off in many runs, so that the others have room to do something rare. */
function drawWeights(random: Random): FaultWeights {
  const some = (chance: number, ...weights: readonly number[]): number =>
    random.chance(chance) ? random.pick(weights) : 0;
  return {
    submit: random.pick([4, 10, 30]),
    kill: some(0.5, 1, 3),
    power: some(0.4, 1, 3),
    pause: some(0.4, 1, 4),
    partition: some(0.65, 2, 6),
    oneWay: some(0.4, 1, 4),
    breakLink: some(0.4, 1, 6),
    slowDisk: some(0.3, 1, 3),
    fullDisk: some(0.15, 1),
    wallJump: some(0.2, 1),
    join: some(0.5, 1, 3),
    leave: some(0.3, 1),
    rename: some(0.1, 1),
    restore: some(0.1, 1),
    wipe: some(0.1, 1),
    copy: some(0.05, 1),
    trap: some(0.6, 2, 8),
  };
}

/** The options as a block of lines for people. */
export function describeOptions(options: SimOptions): string {
  const { config, weights, ...rest } = options;
  const lines = [...Object.entries(rest), ...Object.entries(changedFrom(config))];
  const faults = Object.entries(weights).filter(([, weight]) => weight > 0);
  return [
    ...lines.map(([name, value]) => `  ${name.padEnd(16)} ${JSON.stringify(value)}`),
    `  ${'weights'.padEnd(16)} ${faults.map(([name, weight]) => `${name} ${weight}`).join(', ')}`,
  ].join('\n');
}

function changedFrom(config: ProtocolConfig): Partial<ProtocolConfig> {
  const standard = new Map<string, number>(Object.entries(defaultConfig));
  return Object.fromEntries(
    Object.entries(config).filter(([name, value]) => standard.get(name) !== value),
  );
}
