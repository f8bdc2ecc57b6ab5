/** Frames that are well laid out and make no sense: from a member, the worst that they may do is nothing. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { chainHashWith, decodeMessage, encodeMessage } from './codec.ts';
import { Cluster } from './testing/cluster.ts';
import type { Entry, Position } from './types.ts';

const chainHash = chainHashWith((bytes) => createHash('sha256').update(bytes).digest());

/** A group of three that 3 leads. */
function groupOfThree(): Cluster {
  const cluster = new Cluster();
  cluster.level = 'none';
  cluster.found(1);
  for (const id of [1, 2, 3]) {
    if (id !== 1) cluster.addHost(id);
    cluster.start(id);
    cluster.run(4_000);
  }
  expect(cluster.replica(3).inspect().leading).not.toBeNull();
  return cluster;
}

/** The next entry, rightly chained: a message that always has the same id. */
function next({ seq, epoch }: Position, hash: Uint8Array): Entry {
  const id = '01890000-0000-7000-8000-0000000000aa';
  const body = new Uint8Array([65]);
  const entry = { seq: seq + 1, epoch, id, author: 3, after: null, sentAt: 1, body } as const;
  return { ...entry, kind: 'message', hash: chainHash(hash, { ...entry, kind: 'message' }) };
}

test('an ACCEPT that has one message twice is not taken', () => {
  const cluster = groupOfThree();
  const { last, entryAt } = cluster.replica(1).inspect();
  const first = next(last, (entryAt(last.seq) as Entry).hash);
  const entries = [first, next(first, first.hash)];
  const message = { kind: 'accept', epoch: last.epoch, prev: last, entries, mark: 0 } as const;
  cluster.input(cluster.host(1), { kind: 'message', from: 3, message });
  expect(cluster.replica(1).inspect().last.seq).toBe(last.seq);
});

test('an ACCEPT with a list that nobody can read is not taken', () => {
  const cluster = groupOfThree();
  const { last, entryAt } = cluster.replica(1).inspect();
  const message = next(last, (entryAt(last.seq) as Entry).hash);
  const unhashed = { ...message, kind: 'members', body: new Uint8Array([255, 255]) } as const;
  const entry = { ...unhashed, hash: chainHash((entryAt(last.seq) as Entry).hash, unhashed) };
  const entries = [entry];
  const accept = { kind: 'accept', epoch: last.epoch, prev: last, entries, mark: 0 } as const;
  cluster.input(cluster.host(1), { kind: 'message', from: 3, message: accept });
  expect(cluster.replica(1).inspect().last.seq).toBe(last.seq);
});

test('only the leader is believed that this history is the wrong one', () => {
  const cluster = groupOfThree();
  cluster.input(cluster.host(1), { kind: 'refused-as-diverged', by: 2 });
  expect(cluster.replica(1).status().diverged).toBe(false);
  cluster.input(cluster.host(1), { kind: 'refused-as-diverged', by: 3 });
  expect(cluster.replica(1).status().diverged).toBe(true);
});

test('an epoch that leaves no room for another is refused with its frame', () => {
  const epoch = { number: 2 ** 48 + 1, leader: 2 };
  expect(decodeMessage(encodeMessage({ kind: 'prepare', epoch }))).toEqual({
    ok: false,
    error: 'epoch number out of range',
  });
});
