/**
 * How large a group can be on one machine: for each size, peers on loopback form a group, order
 * messages from all at once, and survive the SIGKILL of their leader. Prints memory and rate as a table:
 * `node e2e/processes/large-groups.ts [--sizes 2,3,5,9,25] [--messages 10000]` (after `npm run build`).
 * What is told is checked as in every other run; anything wrong ends it with a code other than 0.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { readOptions, wholeNumber } from '../../scripts/lib/options.mjs';
import { type Trial, plain, trial } from './trial.ts';
import type { Wiring } from './wiring.ts';

/** One line of the table. */
interface Row {
  readonly size: number;
  readonly formedMs: number;
  readonly perSecond: number;
  readonly failoverMs: number;
  /** Resident memory of each peer after everything was ordered, MB. */
  readonly megabytes: readonly number[];
}

/** Longest time for everything that one size has to do, milliseconds. */
const limitMs = 300_000;

const { values } = readOptions({
  options: {
    sizes: { type: 'string', default: '2,3,5,9,25' },
    messages: { type: 'string', default: '10000' },
  },
});
const sizes = values.sizes.split(',').map((size) => wholeNumber('sizes', size, { min: 2 }));
const messages = wholeNumber('messages', values.messages, { min: 2 });

console.log(`${messages} messages from all at once, ${availableParallelism()} cores for all peers`);
print(['peers', 'formed', 'messages/s', 'MB a peer', 'at most', 'leader lost for']);
for (const size of sizes) {
  const row = await measure(size);
  const megabytes = row.megabytes.reduce((sum, mb) => sum + mb, 0);
  print([
    String(row.size),
    `${(row.formedMs / 1000).toFixed(1)} s`,
    row.perSecond.toFixed(0),
    (megabytes / row.size).toFixed(0),
    Math.max(...row.megabytes).toFixed(0),
    `${row.failoverMs.toFixed(0)} ms`,
  ]);
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell) => cell.padStart(16)).join(''));
}

async function measure(size: number): Promise<Row> {
  const ids = Array.from({ length: size }, (_, i) => i + 1);
  const begin = performance.now();
  return await trial({ ids, wiring: plain, settleMs: limitMs }, async (group) => {
    const formedMs = performance.now() - begin;
    const perSecond = await order(group);
    const megabytes = ids.map((id) => residentMb(group.peer(id).pid));
    const failoverMs = await failOver(group);
    const faults = await group.atRest(limitMs);
    if (faults.length > 0) throw new Error(faults.join('\n'));
    return { size, formedMs, perSecond, failoverMs, megabytes };
  });
}

/** Messages a second, from the first that is sent until all are final everywhere. */
async function order(group: Trial<Wiring>): Promise<number> {
  const { ids } = group;
  const begin = performance.now();
  const all = ids.flatMap((id, i) =>
    group.send(id, Math.floor(messages / ids.length) + (i < messages % ids.length ? 1 : 0)),
  );
  await group.final(ids, all, limitMs);
  return all.length / ((performance.now() - begin) / 1000);
}

/**
 * From the SIGKILL of the leader until a message that was sent after it is final everywhere; in a group
 * of two until it is shown, because the lower of two cannot decide alone. Then the leader comes back.
 */
async function failOver(group: Trial<Wiring>): Promise<number> {
  const leader = Math.max(...group.ids);
  const others = group.ids.filter((id) => id !== leader);
  const begin = performance.now();
  await group.peer(leader).kill();
  const texts = group.send(1, 1);
  if (others.length > 1) await group.final(others, texts, limitMs);
  else await group.peer(1).event('provisional', ({ text }) => texts.includes(text));
  const tookMs = performance.now() - begin;
  await group.start(leader);
  await group.final(group.ids, texts, limitMs);
  return tookMs;
}

/** Resident memory of a process, MB; Linux only. */
function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
