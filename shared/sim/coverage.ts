/**
 * What a run has met, as counters: a simulator that never elects a second leader proves nothing, so the
 * command that runs it prints these.
 */

/** Counters of one run, or the sums of many. */
export interface Coverage {
  starts: number;
  crashes: number;
  pauses: number;
  leaders: number;
  submitted: number;
  provisional: number;
  delivered: number;
  reads: number;
  traps: number;
  joined: number;
  left: number;
  restored: number;
  refused: number;
  deadLinks: number;
}

export function emptyCoverage(): Coverage {
  return {
    starts: 0,
    crashes: 0,
    pauses: 0,
    leaders: 0,
    submitted: 0,
    provisional: 0,
    delivered: 0,
    reads: 0,
    traps: 0,
    joined: 0,
    left: 0,
    restored: 0,
    refused: 0,
    deadLinks: 0,
  };
}

/** Adds the counters of one run to `sum`. */
export function addCoverage(sum: Coverage, run: Coverage): void {
  for (const name of Object.keys(sum) as (keyof Coverage)[]) sum[name] += run[name];
}
