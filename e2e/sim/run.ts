/**
 * `npm run sim`: runs schedules of the simulator and prints what came of them. A failing seed is printed
 * with its options, a minimised list of operations and the command that replays it; then the exit code
 * is 1. Nothing here decides what is right: shared/sim does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { foundGroup } from '../../shared/protocol/membership.ts';
import { Replica } from '../../shared/protocol/replica.ts';
import type { CoreUnderTest } from '../../shared/sim/core-under-test.ts';
import { addCoverage, emptyCoverage } from '../../shared/sim/coverage.ts';
import { minimize } from '../../shared/sim/minimize.ts';
import { type Operation, describeOperation } from '../../shared/sim/operations.ts';
import { type SimOptions, describeOptions, drawOptions } from '../../shared/sim/options.ts';
import { type Verdict, runSchedule } from '../../shared/sim/simulator.ts';
import { recorded } from '../../shared/sim/workload.ts';

const USAGE = `npm run sim -- [options]
  --seed=N         first seed; random without it
  --runs=N         number of schedules, seeds N, N+1, … (default 2000)
  --quick          300 schedules
  --minutes=N      goes on for N minutes instead
  --steps=N        events before everything is healed (default 1000)
  --peers=N        peers at the start, instead of what the seed says
  --log=short|full prints the operations, or every event, of the first schedule
  --replay=FILE    runs a case stored by --store
  --store=FILE     stores the minimised case of the first failure
  --keep-going     goes on after a failure
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

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    steps: { type: 'string', default: '1000' },
    peers: { type: 'string' },
    log: { type: 'string' },
    replay: { type: 'string' },
    store: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

process.exitCode = main();

function main(): number {
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  if (flags.replay !== undefined) return replay(flags.replay);
  if (flags.log !== undefined) return runOne(firstSeed());
  return runMany(firstSeed());
}

function firstSeed(): number {
  return flags.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(flags.seed);
}

function optionsOf(seed: number): SimOptions {
  const options = drawOptions(seed, Number(flags.steps));
  if (flags.peers === undefined) return options;
  const ids = Array.from({ length: Number(flags.peers) }, (_, i) => i + 1);
  return { ...options, ids };
}

function replayCommand(seed: number): string {
  const peers = flags.peers === undefined ? '' : ` --peers=${flags.peers}`;
  return `npm run sim -- --seed=${seed} --steps=${flags.steps}${peers} --log=full`;
}

/** One schedule, printed as it goes. */
function runOne(seed: number): number {
  const options = optionsOf(seed);
  console.log(`seed ${seed}\n${describeOptions(options)}`);
  const verdict = runSchedule(core, options, printing());
  return conclude(verdict);
}

function printing(): { log?: (line: string) => void } {
  return flags.log === 'full' ? { log: (line) => console.log(line) } : {};
}

function conclude(verdict: Verdict): number {
  if (flags.log === 'short') {
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

/** Many schedules, with a line about all of them. */
function runMany(first: number): number {
  const runs = flags.quick ? 300 : Number(flags.runs ?? 2_000);
  const minutes = flags.minutes === undefined ? null : Number(flags.minutes);
  const startedAt = performance.now();
  const coverage = emptyCoverage();
  let [done, events, failed] = [0, 0, 0];
  let reportAt = startedAt + 60_000;
  for (let seed = first; ; seed++) {
    const elapsed = performance.now() - startedAt;
    if (minutes === null ? done >= runs : elapsed >= minutes * 60_000) break;
    const verdict = runSchedule(core, optionsOf(seed));
    done++;
    events += verdict.steps;
    addCoverage(coverage, verdict.coverage);
    if (verdict.failure !== null) {
      failed++;
      reportFailure(seed, verdict);
      if (!flags['keep-going']) break;
    }
    if (performance.now() > reportAt) {
      reportAt += 60_000;
      console.log(`${done} schedules, ${failed} failed, next seed ${seed + 1}`);
    }
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const perMinute = ((done / seconds) * 60).toFixed(0);
  const perEvent = ((seconds * 1e6) / Math.max(1, events)).toFixed(1);
  console.log(`first seed ${first}, ${done} schedules, ${events} events, ${failed} failed`);
  console.log(`${perMinute} schedules a minute, ${perEvent} µs an event`);
  console.log(coverageLine({ coverage }));
  return failed > 0 ? 1 : 0;
}

function reportFailure(seed: number, verdict: Verdict): void {
  const options = optionsOf(seed);
  console.log(`FAILED seed ${seed}: ${verdict.failure?.rule}: ${verdict.failure?.message}`);
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
