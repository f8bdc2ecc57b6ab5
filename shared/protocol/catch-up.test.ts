/** Catch-up over a path on which a batch takes longer than it is first waited for. */
import { expect, test } from 'vitest';
import { defaultConfig } from './config.ts';
import { Cluster } from './testing/cluster.ts';

/** Lets what peer 2 is sent by a source take `ms` each, one after the other; until it has `seq`. */
function trickle(cluster: Cluster, ms: number, seq: number): number {
  const entries = { kind: 'entries', from: 1, to: 2 } as const;
  let arrives = Infinity;
  const begun = cluster.now;
  while (cluster.replica(2).inspect().mark < seq && cluster.now < begun + 300_000) {
    cluster.run(10);
    if (cluster.held.length > 0 && arrives === Infinity) arrives = cluster.now + ms;
    if (cluster.now < arrives) continue;
    for (const frame of cluster.takeHeld(entries, 1)) cluster.arriveHeld(frame);
    arrives = Infinity;
  }
  return cluster.now - begun;
}

test('a joiner gets through though each batch takes twice as long as it is first waited for', () => {
  const cluster = new Cluster();
  cluster.level = 'none';
  cluster.config = { ...defaultConfig, tailEntries: 16, batchEntries: 16 };
  cluster.found(1);
  cluster.start(1);
  cluster.run(1_000);
  for (let i = 0; i < 160; i++) cluster.submit(1, `m${i}`, 10);
  cluster.run(1_000);
  const batches = cluster.replica(1).inspect().mark / 16;
  cluster.addRule('hold', { kind: 'entries', from: 1, to: 2 });
  cluster.addHost(2);
  cluster.start(2);
  const ms = 2 * defaultConfig.syncMs;
  expect(trickle(cluster, ms, 160)).toBeLessThan((batches + 5) * ms);
});
