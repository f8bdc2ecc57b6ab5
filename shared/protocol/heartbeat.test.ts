/** How often heartbeats leave: quieter between followers of a large group, as fast as whoever is asked. */
import { expect, test } from 'vitest';
import { defaultConfig } from './config.ts';
import { Cluster } from './testing/cluster.ts';

const { heartbeatMs, largeGroup, quietFactor } = defaultConfig;

/** A group of `size` in which the highest leads; peer 1 has its own rhythm. */
function group(size: number, ownMs = heartbeatMs): Cluster {
  const cluster = new Cluster();
  cluster.level = 'none';
  cluster.found(size);
  cluster.start(size);
  for (let id = 1; id < size; id++) {
    cluster.addHost(id);
    cluster.config = { ...defaultConfig, heartbeatMs: id === 1 ? ownMs : heartbeatMs };
    cluster.start(id);
  }
  cluster.run(10_000);
  expect(cluster.replica(size).inspect().lists.at(-1)?.members).toHaveLength(size);
  expect(cluster.replica(size).inspect().leading).not.toBeNull();
  return cluster;
}

/** The mean time between heartbeats from one peer to another, milliseconds. */
function interval(cluster: Cluster, from: number, to: number): number {
  cluster.level = 'all';
  cluster.takeLines();
  cluster.run(10_000);
  const heartbeats = cluster.takeLines().filter((l) => l.startsWith(`${from}>${to} heartbeat`));
  return Math.round(10_000 / heartbeats.length);
}

const quietMs = heartbeatMs * quietFactor;

test.each<[string, number, readonly [from: number, to: number], number]>([
  ['of a small group, to one below', largeGroup - 1, [3, 2], heartbeatMs],
  ['of a large group, to one below', largeGroup, [3, 2], quietMs],
  ['of a large group, to one above', largeGroup, [2, 3], quietMs],
  ['of a large group, to the leader', largeGroup, [2, largeGroup], heartbeatMs],
])('a follower %s', (_what, size, [from, to], expected) => {
  expect(interval(group(size), from, to)).toBe(expected);
});

test('the leader of a large group is never quiet', () => {
  expect(interval(group(largeGroup), largeGroup, 2)).toBe(heartbeatMs);
});

test.each([
  ['a faster rhythm is answered in it', 3, 100, 100],
  ['a faster rhythm is answered in it by the leader of a large group', largeGroup, 100, 100],
  ['a slower rhythm is not followed', 3, 1_000, heartbeatMs],
])('%s', (_what, size, ownMs, expected) => {
  expect(interval(group(size, ownMs), size, 1)).toBe(expected);
});
