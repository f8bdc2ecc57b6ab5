/**
 * Random faults on real processes, from a seed, for as long as is asked for:
 * `node e2e/processes/nemesis.ts --minutes 10 --seed 7` (after `npm run build`). Ends with a table, and
 * with a code other than 0 when anything was wrong. `--totals FILE` adds a line about the run to a
 * file; `--sum FILE` adds such lines up.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { oneOf, positiveNumber, readOptions, wholeNumber } from '../../scripts/lib/options.mjs';
import { type FaultKind, drawPlan, faultKinds, proxyOnly } from './nemesis-plan.ts';
import { type Outcome, networks, runNemesis } from './nemesis-run.ts';

/** One run in the file of totals. */
interface Total {
  readonly seed: number;
  readonly network: string;
  readonly seconds: number;
  readonly struck: Readonly<Record<string, number>>;
  readonly accepted: number;
  readonly final: number;
  readonly lost: number;
  readonly doubled: number;
  readonly violations: number;
}

const { values } = readOptions({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    peers: { type: 'string', default: '5' },
    network: { type: 'string', default: 'auto' },
    faults: { type: 'string' },
    totals: { type: 'string' },
    sum: { type: 'string' },
  },
});

if (values.sum === undefined) process.exitCode = await run();
else print(sum(readTotals(values.sum)));

async function run(): Promise<number> {
  const seed = wholeNumber('seed', values.seed, { min: 0 });
  const minutes = positiveNumber('minutes', values.minutes);
  const ids = Array.from({ length: wholeNumber('peers', values.peers) }, (_, i) => i + 1);
  const asked = kindsAskedFor();
  const names = Object.keys(networks) as (keyof typeof networks)[];
  const open = networks[oneOf('network', values.network, names)];
  const network = await open(ids);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  try {
    const kinds = asked.filter((kind) => network.kind === 'proxies' || !proxyOnly.has(kind));
    const plan = drawPlan({ seed, lastsMs: minutes * 60_000, peers: ids.length, kinds });
    console.log(`seed ${seed}, ${ids.length} peers, links cut by ${network.kind}`);
    const outcome = await runNemesis({
      plan,
      ids,
      network,
      say: (line) => console.log(line),
      signal: stop.signal,
    });
    if (stop.signal.aborted) {
      console.error('Interrupted: what was under way is not judged and not counted.');
      return 130;
    }
    const total = totalOf(seed, network.kind, outcome);
    print(total);
    if (values.totals !== undefined) appendFileSync(values.totals, `${JSON.stringify(total)}\n`);
    return report(seed, outcome);
  } finally {
    await network.close();
  }
}

function report(seed: number, { violations, folder, restMs }: Outcome): number {
  if (restMs.length > 0) {
    const slowest = (Math.max(...restMs) / 1000).toFixed(1);
    console.log(`at rest ${restMs.length} times, after ${slowest} s at most`);
  }
  if (violations.length === 0) return 0;
  console.error(`\n${violations.slice(0, 20).join('\n')}`);
  console.error(`\nSeed ${seed}. Logs, data and plan are kept in ${folder}.`);
  console.error(`Again: node e2e/processes/nemesis.ts ${process.argv.slice(2).join(' ')}`);
  return 1;
}

function kindsAskedFor(): readonly FaultKind[] {
  const all = Object.keys(faultKinds) as FaultKind[];
  if (values.faults === undefined) return all;
  const wanted = values.faults.split(',').map((kind) => oneOf('faults', kind, all));
  return all.filter((kind) => wanted.includes(kind));
}

function totalOf(seed: number, network: string, outcome: Outcome): Total {
  const { counts } = outcome;
  return {
    seed,
    network,
    seconds: Math.round(outcome.seconds),
    struck: Object.fromEntries(outcome.struck),
    accepted: counts.accepted,
    final: counts.final,
    lost: counts.open,
    doubled: counts.doubled,
    violations: outcome.violations.length,
  };
}

function readTotals(file: string): readonly Total[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Total);
}

/** Several runs as one. */
function sum(totals: readonly Total[]): Total {
  console.log(`${totals.length} runs`);
  const struck: Record<string, number> = {};
  for (const [kind, count] of totals.flatMap((total) => Object.entries(total.struck))) {
    struck[kind] = (struck[kind] ?? 0) + count;
  }
  const add = (key: 'seconds' | 'accepted' | 'final' | 'lost' | 'doubled' | 'violations'): number =>
    totals.reduce((all, total) => all + total[key], 0);
  return {
    seed: 0,
    network: '',
    seconds: add('seconds'),
    struck,
    accepted: add('accepted'),
    final: add('final'),
    lost: add('lost'),
    doubled: add('doubled'),
    violations: add('violations'),
  };
}

function print(total: Total): void {
  const faults = Object.entries(total.struck).toSorted(([a], [b]) => a.localeCompare(b));
  const all = faults.reduce((count, [, more]) => count + more, 0);
  const rows: readonly (readonly [string, number])[] = [
    ...faults,
    ['faults', all],
    ['messages accepted', total.accepted],
    ['messages final', total.final],
    ['accepted and lost', total.lost],
    ['final twice', total.doubled],
    ['violations', total.violations],
    ['seconds', total.seconds],
  ];
  for (const [name, count] of rows) console.log(`${name.padEnd(20)} ${String(count).padStart(9)}`);
}
