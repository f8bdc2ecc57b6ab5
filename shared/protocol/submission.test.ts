/** Many messages at once: each frame to the leader stays within its bounds, and so does what it holds. */
import { expect, test } from 'vitest';
import { encodeMessage } from './codec.ts';
import { defaultConfig } from './config.ts';
import { Cluster } from './testing/cluster.ts';
import { idOf, messageOf } from './testing/entries.ts';
import type { Message } from './types.ts';

/** A group of two that 2 leads. */
function groupOfTwo(): Cluster {
  const cluster = new Cluster();
  cluster.level = 'none';
  cluster.found(2);
  cluster.start(2);
  cluster.addHost(1);
  cluster.start(1);
  cluster.run(5_000);
  return cluster;
}

test('messages of any size share frames within the limit of a batch', () => {
  const cluster = groupOfTwo();
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

test('a leader holds so many messages whose predecessor is missing, and no more', () => {
  const cluster = groupOfTwo();
  const leader = cluster.host(2);
  // Nothing becomes final: what is counted is what is taken into the order.
  leader.manualDisk = true;
  const last = (): number => cluster.replica(2).inspect().last.seq;
  const submit = (...messages: readonly Message[]): void =>
    cluster.input(leader, { kind: 'message', from: 1, message: { kind: 'submit', messages } });
  const before = last();
  const missing = messageOf(1, 1);
  const heldMax = 20_000;
  // The last one is one too many; it is submitted again later.
  for (let n = 0; n <= heldMax; n++) submit({ ...missing, id: idOf(n + 2), after: missing.id });
  expect(last()).toBe(before);
  submit(missing);
  expect(last()).toBe(before + 1 + heldMax);
  submit({ ...missing, id: idOf(heldMax + 2), after: missing.id });
  expect(last()).toBe(before + 2 + heldMax);
});
