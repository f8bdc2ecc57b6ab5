/**
 * `npm run sim`: runs schedules of the simulator and prints what came of them. A failing seed is printed
 * with its options, a minimised list of operations and the command that replays it; then the exit code
 * is 1. Nothing here decides what is right: shared/sim does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { foundGroup } from '../../shared/protocol/membership.ts';
import { Replica } from '../../shared/protocol/replica.ts';
import type { CoreUnderTest } from '../../shared/sim/core-under-test.ts';
import { type Coverage, addCoverage, emptyCoverage } from '../../shared/sim/coverage.ts';
import { directedSchedule, storyNames } from '../../shared/sim/directed.ts';
import { minimize } from '../../shared/sim/minimize.ts';
import { type Operation, describeOperation } from '../../shared/sim/operations.ts';
import { type SimOptions, describeOptions, drawOptions } from '../../shared/sim/options.ts';
import { type Verdict, runSchedule } from '../../shared/sim/simulator.ts';
import { variants } from '../../shared/sim/variants/index.ts';
import { recorded } from '../../shared/sim/workload.ts';
import { oneOf, positiveNumber, readOptions, wholeNumber } from '../../scripts/lib/options.mjs';
import { failedOnce } from './failed-once.ts';
import { hunt } from './variants.ts';

/** Schedules of a quick run: a few seconds. */
const QUICK_RUNS = 300;
/** Schedules of a run that says nothing else: under a minute. */
const DEFAULT_RUNS = 2_000;
/** Timings with which each story is told. */
const STORY_SEEDS = 10;

const USAGE = `npm run sim -- [options]
  --seed=N         first seed; random without it
  --runs=N         number of schedules, seeds N, N+1, … (default ${DEFAULT_RUNS})
  --quick          ${QUICK_RUNS} schedules
  --minutes=N      goes on for N minutes instead
  --steps=N        events before everything is healed (default 1000)
  --peers=N        peers at the start, instead of what the seed says
  --log=short|full prints the operations, or every event, of the first schedule
  --replay=FILE    runs a case stored by --store
  --store=FILE     stores the minimised case of the first failure
  --keep-going     goes on after a failure
  --variants       hunts cores that were broken on purpose; each must be caught
`;

const core: CoreUnderTest = {
  create: (start) => new Replica(start),
  found: foundGroup,
};

/** A run as a file: enough to repeat it without its seed. */
interface Case {
  readonly options: SimOptions;
  readonly operations: readonly Operation[];
  readonly healAt: number | undefined;
}

const { values: flags } = readOptions({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: String(DEFAULT_RUNS) },
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    steps: { type: 'string', default: '1000' },
    peers: { type: 'string' },
    log: { type: 'string' },
    replay: { type: 'string' },
    store: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    variants: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const seedAskedFor = flags.seed === undefined ? null : wholeNumber('seed', flags.seed, { min: 0 });
const runs = flags.quick ? QUICK_RUNS : wholeNumber('runs', flags.runs);
const minutes = flags.minutes === undefined ? null : positiveNumber('minutes', flags.minutes);
const steps = wholeNumber('steps', flags.steps);
const peers = flags.peers === undefined ? null : wholeNumber('peers', flags.peers);
const log = flags.log === undefined ? null : oneOf('log', flags.log, ['short', 'full']);

process.exitCode = flags.variants ? await runVariants() : main();

function main(): number {
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  if (flags.replay !== undefined) return replay(flags.replay);
  if (log !== null) return runOne(firstSeed());
  return runMany(firstSeed());
}

function firstSeed(): number {
  return seedAskedFor ?? Math.floor(Math.random() * 2 ** 31);
}

function optionsOf(seed: number): SimOptions {
  const options = drawOptions(seed, steps);
  if (peers === null) return options;
  const ids = Array.from({ length: peers }, (_, i) => i + 1);
  return { ...options, ids };
}

function replayCommand(seed: number): string {
  const size = peers === null ? '' : ` --peers=${peers}`;
  return `npm run sim -- --seed=${seed} --steps=${steps}${size} --log=full`;
}

/** One schedule, printed as it goes. */
function runOne(seed: number): number {
  const options = optionsOf(seed);
  console.log(`seed ${seed}\n${describeOptions(options)}`);
  const verdict = runSchedule(core, options, printing());
  return conclude(verdict);
}

function printing(): { log?: (line: string) => void } {
  return log === 'full' ? { log: (line) => console.log(line) } : {};
}

function conclude(verdict: Verdict): number {
  if (log === 'short') {
    for (const operation of verdict.operations) console.log(describeOperation(operation));
  }
  console.log(`${verdict.steps} events, ${verdict.at.toFixed(0)} ms, ${coverageLine(verdict)}`);
  if (verdict.failure === null) {
    console.log('passed');
    return 0;
  }
  for (const state of verdict.states) console.log(state);
  console.log(`FAILED ${verdict.failure.rule}: ${verdict.failure.message}`);
  return 1;
}

function coverageLine({ coverage }: Pick<Verdict, 'coverage'>): string {
  return Object.entries(coverage)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function replay(file: string): number {
  const { options, operations, healAt } = JSON.parse(readFileSync(file, 'utf8')) as Case;
  console.log(describeOptions(options));
  const settings = { source: recorded(operations), healAt, ...printing() };
  return conclude(runSchedule(core, options, settings));
}

/** What many runs add up to. */
interface Tally {
  readonly startedAt: number;
  readonly coverage: Coverage;
  done: number;
  events: number;
  failed: number;
}

/** The stories, the seeds that failed once, then new ones; with a line about all of them. */
function runMany(first: number): number {
  const tally: Tally = {
    startedAt: performance.now(),
    coverage: emptyCoverage(),
    done: 0,
    events: 0,
    failed: 0,
  };
  const goesOn = (): boolean => tally.failed === 0 || flags['keep-going'];
  for (const name of storyNames) {
    for (let seed = 1; seed <= STORY_SEEDS && goesOn(); seed++) tellStory(name, seed, tally);
  }
  for (const seed of failedOnce) if (goesOn()) runSeed(seed, tally);
  const before = tally.done;
  let reportAt = tally.startedAt + 60_000;
  for (let seed = first; goesOn(); seed++) {
    const now = performance.now();
    if (
      minutes === null ? tally.done - before >= runs : now - tally.startedAt >= minutes * 60_000
    ) {
      break;
    }
    runSeed(seed, tally);
    if (now < reportAt) continue;
    reportAt += 60_000;
    console.log(`${tally.done} schedules, ${tally.failed} failed, next seed ${seed + 1}`);
  }
  return sumUp(first, tally);
}

function tellStory(name: string, seed: number, tally: Tally): void {
  const verdict = directedSchedule(name, core, seed);
  count(verdict, tally);
  if (verdict.failure === null) return;
  console.log(`FAILED story ${name}, seed ${seed}: ${describeFailure(verdict)}`);
  for (const operation of verdict.operations) console.log(describeOperation(operation));
}

function runSeed(seed: number, tally: Tally): void {
  const verdict = runSchedule(core, optionsOf(seed));
  count(verdict, tally);
  if (verdict.failure !== null) reportFailure(seed, verdict);
}

function count(verdict: Verdict, tally: Tally): void {
  tally.done++;
  tally.events += verdict.steps;
  if (verdict.failure !== null) tally.failed++;
  addCoverage(tally.coverage, verdict.coverage);
}

function sumUp(first: number, { startedAt, coverage, done, events, failed }: Tally): number {
  const seconds = (performance.now() - startedAt) / 1_000;
  const perMinute = ((done / seconds) * 60).toFixed(0);
  const perEvent = ((seconds * 1e6) / Math.max(1, events)).toFixed(1);
  console.log(`first seed ${first}, ${done} schedules, ${events} events, ${failed} failed`);
  console.log(`${perMinute} schedules a minute, ${perEvent} µs an event`);
  console.log(coverageLine({ coverage }));
  return failed > 0 ? 1 : 0;
}

/** Hunts every broken core that the simulator is to catch; fails if one is not caught in time. */
async function runVariants(): Promise<number> {
  let hunted = 0;
  let missed = 0;
  for (const variant of variants) {
    const { name, script, within } = variant;
    if (within === null) {
      console.log(`${name.padEnd(42)} by its script alone: ${script}`);
      continue;
    }
    hunted++;
    const caught = await hunt(variant, within);
    if (caught === null) missed++;
    const what =
      caught === null
        ? `NOT CAUGHT within ${within}`
        : `schedule ${caught.schedules}: ${caught.failure.rule}`;
    console.log(`${name.padEnd(42)} ${what}`);
  }
  console.log(`${hunted - missed} of ${hunted} broken cores caught`);
  return missed > 0 ? 1 : 0;
}

function describeFailure({ failure }: Verdict): string {
  return `${failure?.rule}: ${failure?.message}`;
}

function reportFailure(seed: number, verdict: Verdict): void {
  const options = optionsOf(seed);
  console.log(`FAILED seed ${seed}: ${describeFailure(verdict)}`);
  if (flags['keep-going']) {
    console.log(`  ${replayCommand(seed)}`);
    return;
  }
  console.log(describeOptions(options));
  const small = minimize(core, options, verdict);
  console.log(
    `minimised from ${verdict.operations.length} to ${small.operations.length} operations:`,
  );
  for (const operation of small.operations) console.log(describeOperation(operation));
  console.log(`everything healed at ${small.healAt ?? 'the end'}`);
  for (const state of small.states) console.log(state);
  console.log(`then ${small.failure.rule}: ${small.failure.message}`);
  if (flags.store !== undefined) {
    const { operations, healAt } = small;
    const stored: Case = { options: small.options, operations, healAt };
    writeFileSync(flags.store, `${JSON.stringify(stored)}\n`);
  }
  console.log(`replay: ${replayCommand(seed)}`);
}
