/**
 * Makes a failing run smaller: leaves out operations, in halves, quarters and so on (delta debugging,
 * Zeller and Hildebrandt 2002), then chances of the options, as long as a run of the same core breaks the
 * same rule. The result is another run that fails, not a part of the first.
 */
import type { CoreUnderTest } from './core-under-test.ts';
import type { Operation } from './operations.ts';
import type { SimOptions } from './options.ts';
import { type Verdict, runSchedule } from './simulator.ts';
import { recorded } from './workload.ts';

/** Runs tried at most: a person waits for the answer. */
const TRIES_MAX = 400;

/** A smaller failing run. */
export interface Minimized {
  readonly options: SimOptions;
  readonly operations: readonly Operation[];
  readonly healAt: number | undefined;
  readonly failure: NonNullable<Verdict['failure']>;
  readonly states: readonly string[];
}

/** The smallest failing run found in bounded time; `verdict` is that of the run to start from. */
export function minimize(core: CoreUnderTest, options: SimOptions, verdict: Verdict): Minimized {
  const { failure } = verdict;
  if (failure === null) throw new RangeError('only a failing run can be minimised');
  // A run that failed before it was healed must not be healed earlier.
  let healAt: number | undefined = verdict.healedAt ?? verdict.at + 1;
  let best: Minimized = {
    options,
    operations: verdict.operations,
    healAt,
    failure,
    states: verdict.states,
  };
  let tries = 0;
  const attempt = (options: SimOptions, operations: readonly Operation[]): boolean => {
    if (tries >= TRIES_MAX) return false;
    tries += 1;
    const next = runSchedule(core, options, { source: recorded(operations), healAt });
    if (next.failure?.rule !== failure.rule) return false;
    best = { options, operations, healAt, failure: next.failure, states: next.states };
    return true;
  };
  if (!attempt(options, verdict.operations)) {
    // Something happened at the very moment of healing: then it is the number of events that counts.
    healAt = undefined;
    if (!attempt(options, verdict.operations)) return { ...best, healAt };
  }
  leaveOut(
    (operations) => attempt(best.options, operations),
    () => best.operations,
  );
  for (const plain of PLAIN) attempt({ ...best.options, ...plain }, best.operations);
  leaveOut(
    (operations) => attempt(best.options, operations),
    () => best.operations,
  );
  return best;
}

/** What makes a run easier to read when it can be switched off. */
const PLAIN: readonly Partial<SimOptions>[] = [
  { drop: 0, duplicate: 0 },
  { spike: 0 },
  { drift: 0 },
  { wire: false },
  { leaveDead: false },
  { leaveAtEnd: false },
  { deadLink: false },
];

function leaveOut(
  attempt: (operations: readonly Operation[]) => boolean,
  current: () => readonly Operation[],
): void {
  for (let size = Math.ceil(current().length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < current().length;) {
      const operations = current();
      const fewer = [...operations.slice(0, at), ...operations.slice(at + size)];
      if (!attempt(fewer)) at += size;
    }
  }
}
