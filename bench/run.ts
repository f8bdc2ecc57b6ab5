/**
 * `npm run bench`: three headless peers on loopback, fsync before every ack, measured through their JSON
 * interface. Prints a table and writes the same as JSON to bench/results.json.
 * Options: --runs N (throughput runs, the median counts), --messages N, --failovers N, --only NAME.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Cluster } from '../e2e/processes/cluster.ts';
import { openNetwork } from '../e2e/processes/network.ts';
import { loopback, type Wiring } from '../e2e/processes/wiring.ts';
import { buildIfStale } from '../scripts/build.mjs';
import { oneOf, readOptions, wholeNumber } from '../scripts/lib/options.mjs';
import { type Fault, failover } from './failover.ts';
import {
  drain,
  latencyAlone,
  latencyAt,
  memoryOf,
  processorTimeOf,
  spreadOf,
  throughput,
} from './measure.ts';

const { values } = readOptions({
  options: {
    runs: { type: 'string', default: '3' },
    messages: { type: 'string', default: '100000' },
    failovers: { type: 'string', default: '30' },
    only: { type: 'string' },
  },
});

const parts = ['load', 'latency', 'failover', 'catch-up'] as const;
type Part = (typeof parts)[number];

const runs = wholeNumber('runs', values.runs);
const messages = wholeNumber('messages', values.messages);
const failovers = wholeNumber('failovers', values.failovers);
const only = values.only === undefined ? null : oneOf('only', values.only, parts);

/**
 * Messages before the latency of a running group is measured. Until then the compilers of four programs
 * share the cores with them, which is what the row about the start shows.
 */
const WARM_UP = 10_000;

interface Row {
  readonly what: string;
  readonly value: string;
}

const rows: Row[] = [];
const results: Record<string, unknown> = {};

function report(what: string, value: string, raw: unknown): void {
  rows.push({ what, value });
  results[what] = raw;
  console.log(`${what.padEnd(52)} ${value}`);
}

function round(value: number, digits = 2): string {
  return value.toFixed(digits);
}

function selected(part: Part): boolean {
  return only === null || only === part;
}

async function withGroup(
  use: (cluster: Cluster) => Promise<void>,
  wiring: Wiring = loopback,
): Promise<void> {
  const cluster = await Cluster.start(3, [], wiring);
  try {
    await use(cluster);
  } catch (error) {
    console.error(cluster.describe());
    throw error;
  } finally {
    await cluster.close();
  }
}

/** Throughput of one sender, memory before and after, and a fourth peer that catches up. */
async function measureLoad(from: 'follower' | 'leader'): Promise<void> {
  const total = messages;
  const perSecond: number[] = [];
  const processorMs: number[] = [];
  const idle: number[] = [];
  const after: number[] = [];
  for (let run = 0; run < runs; run++) {
    await withGroup(async (cluster) => {
      const peers = [1, 2, 3].map((id) => cluster.peer(id));
      const sender = cluster.peer(from === 'leader' ? 3 : 1);
      for (const peer of peers) if (peer !== sender) drain(peer);
      idle.push(...peers.map(memoryOf));
      const before = peers.reduce((sum, peer) => sum + processorTimeOf(peer), 0);
      perSecond.push(await throughput(sender, { total, inFlight: 1_000 }));
      const used = peers.reduce((sum, peer) => sum + processorTimeOf(peer), 0) - before;
      processorMs.push(used / (total / 1_000));
      after.push(...peers.map(memoryOf));
    });
  }
  const rate = spreadOf(perSecond).p50;
  report(`final messages a second, 1,000 in flight, from a ${from}`, round(rate, 0), perSecond);
  report(
    `processor ms per 1,000, all peers, from a ${from}`,
    round(spreadOf(processorMs).p50, 1),
    processorMs,
  );
  if (from === 'leader') return;
  report('memory of a peer, idle, MB', round(spreadOf(idle).p50, 0), idle);
  report(`memory of a peer after ${total}, MB, highest`, round(Math.max(...after), 0), after);
}

async function measureLatency(): Promise<void> {
  await withGroup(async (cluster) => {
    const alone = async (id: number, when: string): Promise<void> => {
      const spread = await latencyAlone(cluster.peer(id), 1_000);
      report(`alone, ${when}, p50 / p99 ms`, `${round(spread.p50)} / ${round(spread.p99)}`, spread);
    };
    const [follower, leader] = [1, 3];
    await alone(follower, 'follower, right after the start');
    await latencyAlone(cluster.peer(follower), WARM_UP);
    await alone(follower, 'follower');
    await latencyAlone(cluster.peer(leader), WARM_UP);
    await alone(leader, 'leader');
    const steady = await latencyAt(cluster.peer(follower), { rate: 200, seconds: 10 });
    report('at 200 a second, p50 / p99 ms', `${round(steady.p50)} / ${round(steady.p99)}`, steady);
  });
}

async function measureFailover(fault: Fault, wiring: Wiring = loopback): Promise<void> {
  await withGroup(async (cluster) => {
    const spread = await failover(cluster, { fault, times: failovers });
    const value = `${round(spread.p50, 0)} / ${round(spread.p99, 0)}`;
    report(`leader ${fault.kind} → next final message, p50 / p99 ms (${spread.n})`, value, spread);
  }, wiring);
}

async function measureCutOff(): Promise<void> {
  const network = await openNetwork([1, 2, 3]);
  try {
    await measureFailover({ kind: 'cut off', network }, network);
  } finally {
    await network.close();
  }
}

async function measureCatchUp(): Promise<void> {
  const total = messages;
  await withGroup(async (cluster) => {
    for (const id of [2, 3]) drain(cluster.peer(id));
    await throughput(cluster.peer(1), { total, inFlight: 1_000 });
    const begun = performance.now();
    const peer = cluster.spawnPeer(4);
    cluster.peers.set(4, peer);
    await peer.until('caught up', () => (peer.final.at(-1)?.seq ?? 0) >= total, 60_000);
    const seconds = (performance.now() - begun) / 1_000;
    report(`catch-up of ${total}, process start included, s`, round(seconds), seconds);
  });
}

await buildIfStale();
if (selected('load')) {
  await measureLoad('follower');
  await measureLoad('leader');
}
if (selected('latency')) await measureLatency();
if (selected('failover')) {
  for (const kind of ['killed', 'paused', 'leaves'] as const) await measureFailover({ kind });
  await measureCutOff();
}
if (selected('catch-up')) await measureCatchUp();

const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version };
const path = fileURLToPath(new URL('results.json', import.meta.url));
writeFileSync(
  path,
  `${JSON.stringify({ machine, date: new Date().toISOString(), results }, null, 2)}\n`,
);
console.log(
  `\n${machine.cores} cores, ${machine.model}, Node ${machine.node}; written to bench/results.json`,
);
