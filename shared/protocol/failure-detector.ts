/**
 * Phi accrual failure detection for one peer (Hayashibara et al. 2004).
 *
 * Intuition: instead of a fixed timeout, ask how surprising the present silence is, given how regularly
 * this peer's heartbeats came so far. phi = 8 means that a healthy peer would be silent for so long about
 * once in 10^8 times. A floor of a few intervals keeps one late heartbeat from ever counting, and every
 * suspicion that turned out wrong widens the window for that peer, up to a cap and for some minutes. Any
 * bytes are a sign of life; only whole heartbeats are samples of the rhythm, and a silence that ended in
 * a suspicion is none, unless that comes again and again. It reads no clock: `now` is an argument.
 */
import type { ProtocolConfig } from './config.ts';

/** Heartbeat gaps remembered per peer: half a minute at the default rate. */
const SAMPLES_MAX = 120;

/** The detector of one peer. */
export class FailureDetector {
  readonly #config: ProtocolConfig;
  #lastLifeAt: number;
  #lastHeartbeatAt: number | null = null;
  #intervalMs: number;
  readonly #gaps: number[] = [];
  #sum = 0;
  #sumOfSquares = 0;
  #next = 0;
  #paddingMs = 0;
  #widenedAt = -Infinity;

  constructor(config: ProtocolConfig, now: number) {
    this.#config = config;
    this.#lastLifeAt = now;
    this.#intervalMs = config.heartbeatMs;
  }

  /** Something arrived from the peer. */
  onLife(now: number): void {
    const { heartbeatMs, floorIntervals } = this.#config;
    const long = now - this.#lastLifeAt >= heartbeatMs * floorIntervals;
    // The first time: silences that come again and again are this peer's rhythm.
    const isFirst = now - this.#widenedAt >= this.#config.widenedForMs;
    if (long && isFirst && this.isSuspect(now)) this.#lastHeartbeatAt = null;
    this.#lastLifeAt = now;
  }

  /** A heartbeat arrived: a sample of the peer's rhythm, and when the next one is to be expected. */
  onHeartbeat(now: number, intervalMs: number): void {
    const { heartbeatMs, quietFactor } = this.#config;
    this.onLife(now);
    this.#intervalMs = Math.min(Math.max(intervalMs, heartbeatMs), heartbeatMs * quietFactor);
    if (this.#lastHeartbeatAt !== null) this.#addGap(now - this.#lastHeartbeatAt);
    this.#lastHeartbeatAt = now;
  }

  /** Forgets the present silence, not the rhythm: after an own pause, or on a new link. */
  restart(now: number): void {
    this.#lastLifeAt = now;
    this.#lastHeartbeatAt = null;
  }

  /** The last suspicion was wrong: be slower to suspect this peer again, up to a cap, for a while. */
  widen(now: number): void {
    const { heartbeatMs, floorIntervals } = this.#config;
    const wider = this.#padding(now) + heartbeatMs;
    this.#paddingMs = Math.min(wider, heartbeatMs * floorIntervals);
    this.#widenedAt = now;
  }

  #padding(now: number): number {
    return now - this.#widenedAt < this.#config.widenedForMs ? this.#paddingMs : 0;
  }

  /** Suspicion level; 0 while the silence is shorter than the floor. */
  phi(now: number): number {
    const silence = now - this.#lastLifeAt;
    const { heartbeatMs, floorIntervals } = this.#config;
    const count = this.#gaps.length;
    const mean = count === 0 ? this.#intervalMs : this.#sum / count;
    const interval = Math.max(mean, this.#intervalMs);
    // What a wrong suspicion widens is not added to what the rhythm that it showed allows.
    const widened = this.#intervalMs * floorIntervals + this.#padding(now);
    if (silence < Math.max(interval * floorIntervals, widened)) return 0;
    const variance = count < 2 ? 0 : Math.max(0, this.#sumOfSquares / count - mean * mean);
    const deviation = Math.max(Math.sqrt(variance), heartbeatMs / 4);
    return phiOf((silence - interval) / Math.min(deviation, heartbeatMs));
  }

  /** True while the silence is too surprising for a peer that is up. */
  isSuspect(now: number): boolean {
    return this.phi(now) >= this.#config.phiThreshold;
  }

  #addGap(gap: number): void {
    // One gap that was just not suspected must not count for more than the rest.
    const { heartbeatMs, quietFactor } = this.#config;
    const sample = Math.min(gap, heartbeatMs * quietFactor * 2);
    const old = this.#gaps[this.#next];
    if (old !== undefined) {
      this.#sum -= old;
      this.#sumOfSquares -= old * old;
    }
    this.#gaps[this.#next] = sample;
    this.#sum += sample;
    this.#sumOfSquares += sample * sample;
    this.#next = (this.#next + 1) % SAMPLES_MAX;
  }
}

/** -log10 of the upper tail of the normal distribution at `y`, by its logistic approximation. */
function phiOf(y: number): number {
  const e = Math.exp(-y * (1.5976 + 0.070566 * y * y));
  const tail = e / (1 + e);
  return tail > 0 ? -Math.log10(tail) : 300;
}
