/**
 * Time as the node sees it: a monotonic clock for everything that is measured, the wall clock for what
 * people read, and one alarm that wakes the replica. The core gets both as numbers and reads neither.
 */

/** Milliseconds since some fixed moment; never goes back. */
export function monotonicNow(): number {
  return performance.now();
}

/** Milliseconds since 1970. */
export function wallNow(): number {
  return Date.now();
}

/**
 * One timer that can be moved. Moving it later is free: it then fires early once and is set again by
 * whoever looks at the clock, which is cheaper than a new timer for every message.
 */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | null = null;
  #at = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings at monotonic time `at` or a little earlier. */
  set(at: number): void {
    if (this.#timer !== null && this.#at <= at) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#ring();
      },
      Math.max(0, Math.ceil(at - monotonicNow())),
    );
  }

  /** Stays silent from now on, until it is set again. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
