/**
 * Every number the protocol uses: unit, why this value, what it must relate to. `validateConfig` checks
 * the relations at start, so that a bad combination is an error with a name and not a slow group.
 */
import { err, ok, type Result } from '../result.ts';

/** Timing and sizes of one replica. Peers of one group may differ in timing. */
export interface ProtocolConfig {
  /** Milliseconds between heartbeats to the leader, from it, and to ids above it. */
  readonly heartbeatMs: number;
  /** Links between followers are this many times quieter in a group of `largeGroup` and more. */
  readonly quietFactor: number;
  /** Number of members from which followers are quiet towards each other. */
  readonly largeGroup: number;
  /** Suspicion at this phi: 8 is about one false suspicion in 10^8 (Hayashibara et al. 2004). */
  readonly phiThreshold: number;
  /** Never suspect before this many heartbeat intervals of silence. */
  readonly floorIntervals: number;
  /** How long a suspicion that was wrong makes this peer slower to suspect the same one again. */
  readonly widenedForMs: number;
  /** Wait per connected listed peer above before standing, milliseconds; above a LAN round trip. */
  readonly rankWaitMs: number;
  /** How long an ELECTION waits for silent peers, milliseconds. */
  readonly lookMs: number;
  /** How long PREPARE waits for promises, and who gave one for a COORDINATOR, milliseconds. */
  readonly prepareMs: number;
  /** How long a synchronising winner may make no progress, milliseconds. */
  readonly syncMs: number;
  /** Pause before the next try after one that failed, milliseconds; as much again at random. */
  readonly retryMs: number;
  /** How long a refusal for a higher promise must last before the leader prepares above it. */
  readonly reprepareMs: number;
  /** First wait of a peer that lost the lead before it takes over again; doubles to `yieldMaxMs`. */
  readonly yieldMs: number;
  readonly yieldMaxMs: number;
  /** Quiet time after which `yieldMs` counts from the start again. */
  readonly yieldResetMs: number;
  /** How often messages that are not final are offered to the leader again. */
  readonly resubmitMs: number;
  /** A member unheard by every connected member for this long is taken off the list. */
  readonly evictAfterMs: number;
  readonly evictMaxMs: number;
  /** A peer this close to the leader's last seq counts as caught up, entries. */
  readonly caughtUpEntries: number;
  /** A peer this far behind neither answers nor stands while a better one is up, entries. */
  readonly farBehindEntries: number;
  /** Bytes of entries or messages in one frame, which holds one of any size; the frame limit is 256 KiB. */
  readonly batchBytes: number;
  /** Entries in one frame, so that tiny messages do not make a huge one. */
  readonly batchEntries: number;
  /** Entries that may be unacknowledged at one follower before it is served slower. */
  readonly windowEntries: number;
  /**
   * The same in bytes of bodies, and the most that is sent at once of what waits: well below what a
   * link may hold back for a slow peer, or it would be closed again each time.
   */
  readonly windowBytes: number;
  /** Final entries kept in memory behind the mark, for followers that are a little behind. */
  readonly tailEntries: number;
  /**
   * The same at a leader that knows a peer which catches up from a log on disk: at full speed the end
   * moves on by hundreds of entries before that peer's word arrives that it has reached it.
   */
  readonly tailEntriesForLaggards: number;
  /** What is kept behind the mark at most, in bytes of bodies. */
  readonly tailBytes: number;
  /** Pending up to this many bytes is submitted whole to a new leader, more is offered by id. */
  readonly offerBytes: number;
}

/** What a peer uses unless told otherwise; chosen for a LAN. */
export const defaultConfig: ProtocolConfig = {
  heartbeatMs: 250,
  quietFactor: 4,
  largeGroup: 8,
  phiThreshold: 8,
  floorIntervals: 3,
  widenedForMs: 300_000,
  rankWaitMs: 20,
  lookMs: 150,
  prepareMs: 500,
  syncMs: 1_500,
  retryMs: 100,
  reprepareMs: 1_000,
  yieldMs: 2_000,
  yieldMaxMs: 60_000,
  yieldResetMs: 300_000,
  resubmitMs: 2_000,
  evictAfterMs: 30_000,
  evictMaxMs: 600_000,
  caughtUpEntries: 256,
  farBehindEntries: 1_000,
  batchBytes: 192 * 1024,
  batchEntries: 2_048,
  windowEntries: 16_384,
  windowBytes: 8 * 1024 * 1024,
  tailEntries: 256,
  tailEntriesForLaggards: 2_048,
  tailBytes: 8 * 1024 * 1024,
  offerBytes: 32 * 1024,
};

/** The default timing scaled to another heartbeat interval, as `--heartbeat-ms` asks. */
export function configFor(heartbeatMs: number, evictAfterMs: number): ProtocolConfig {
  const scale = Math.max(1, heartbeatMs / defaultConfig.heartbeatMs);
  return {
    ...defaultConfig,
    heartbeatMs,
    evictAfterMs,
    evictMaxMs: Math.max(defaultConfig.evictMaxMs, evictAfterMs),
    lookMs: defaultConfig.lookMs * scale,
    prepareMs: defaultConfig.prepareMs * scale,
    syncMs: defaultConfig.syncMs * scale,
    reprepareMs: defaultConfig.reprepareMs * scale,
  };
}

/** Checks every relation between the numbers; the error names the first that does not hold. */
export function validateConfig(config: ProtocolConfig): Result<ProtocolConfig, string> {
  const rules: readonly (readonly [boolean, string])[] = [
    [
      Object.values(config).every((value) => Number.isFinite(value) && value > 0),
      'every number must be finite and above 0',
    ],
    [config.floorIntervals >= 2, 'floorIntervals must be at least 2: one late heartbeat is normal'],
    [
      config.prepareMs >= config.lookMs,
      'prepareMs must be at least lookMs: a promise needs a disk',
    ],
    [config.yieldMaxMs >= config.yieldMs, 'yieldMaxMs must be at least yieldMs'],
    [config.evictMaxMs >= config.evictAfterMs, 'evictMaxMs must be at least evictAfterMs'],
    [
      config.evictAfterMs > config.heartbeatMs * config.floorIntervals * config.quietFactor,
      'evictAfterMs must exceed the time to a suspicion on a quiet link',
    ],
    [config.batchBytes <= 192 * 1024, 'batchBytes must leave room within the frame limit'],
    [config.windowBytes >= config.batchBytes, 'windowBytes must hold at least one batch'],
    [
      config.tailEntriesForLaggards >= config.tailEntries,
      'tailEntriesForLaggards must be at least tailEntries',
    ],
    [
      config.farBehindEntries >= config.caughtUpEntries,
      'farBehindEntries must be at least caughtUpEntries',
    ],
  ];
  const broken = rules.find(([holds]) => !holds);
  return broken === undefined ? ok(config) : err(broken[1]);
}
