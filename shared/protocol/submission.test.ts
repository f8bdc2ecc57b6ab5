/** Many messages of one author at once: each frame to the leader stays within its bounds. */
import { expect, test } from 'vitest';
import { encodeMessage } from './codec.ts';
import { defaultConfig } from './config.ts';
import { Cluster } from './testing/cluster.ts';

test('messages of any size share frames within the limit of a batch', () => {
  const cluster = new Cluster();
  cluster.level = 'none';
  cluster.found(2);
  cluster.start(2);
  cluster.addHost(1);
  cluster.start(1);
  cluster.run(5_000);
  const submits = { kind: 'submit', from: 1, to: 2 } as const;
  cluster.addRule('hold', submits);
  const author = cluster.host(1);
  author.manualDisk = true;
  // Large ones fill a frame nearly, small ones come behind them.
  const sizes = [60_000, 60_000, 60_000, ...Array<number>(1_000).fill(100), 1, 65_536, 10];
  for (const [i, size] of sizes.entries()) cluster.submit(1, `m${i}`, size);
  cluster.persist(author, Infinity);
  const frames = cluster.takeHeld(submits, Infinity).map(({ message }) => message);
  const counts = frames.map((frame) => (frame.kind === 'submit' ? frame.messages.length : 0));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(sizes.length);
  expect(frames.length).toBe(3);
  for (const frame of frames) {
    expect(encodeMessage(frame).length).toBeLessThan(defaultConfig.batchBytes);
  }
});
