/** The simulated disk keeps writes whole and in order, and holds the core to the rules of the store. */
import { describe, expect, test } from 'vitest';
import type { Write, WriteOp } from '../protocol/ready.ts';
import type { Entry } from '../protocol/types.ts';
import { Disk, DiskQueue } from './disk.ts';
import { Violation } from './violation.ts';

const EPOCH = { number: 1, leader: 1 };
const HASH = new Uint8Array(8);

function entry(seq: number, id = `m${seq}`): Entry {
  const body = new Uint8Array([seq]);
  return {
    seq,
    epoch: EPOCH,
    kind: 'message',
    id,
    author: 1,
    after: null,
    sentAt: 0,
    body,
    hash: HASH,
  };
}

function write(number: number, ...ops: readonly WriteOp[]): Write {
  return { number, ops, urgent: true };
}

function promised(...entries: readonly Entry[]): WriteOp[] {
  return [
    { kind: 'promise', epoch: EPOCH },
    { kind: 'append', entries },
  ];
}

describe('Disk', () => {
  test.each<[string, readonly WriteOp[]]>([
    ['a gap', [{ kind: 'append', entries: [entry(4)] }]],
    ['a message twice', [{ kind: 'append', entries: [entry(3, 'm1')] }]],
    ['a cut below the mark', [{ kind: 'cut', after: 0 }]],
    ['a mark that goes back', [{ kind: 'mark', seq: 0 }]],
    ['a mark past the end', [{ kind: 'mark', seq: 3 }]],
    ['a promise that goes down', [{ kind: 'promise', epoch: { number: 0, leader: 9 } }]],
    [
      'an entry above the promise',
      [{ kind: 'append', entries: [{ ...entry(3), epoch: { number: 2, leader: 1 } }] }],
    ],
  ])('refuses %s', (_, ops) => {
    const disk = new Disk(HASH);
    disk.apply(write(1, ...promised(entry(1), entry(2)), { kind: 'mark', seq: 1 }));
    expect(() => disk.apply(write(2, ...ops))).toThrow(Violation);
  });

  test('loads the open end whole and as much of the final part as asked for', () => {
    const disk = new Disk(HASH);
    disk.apply(write(1, ...promised(entry(1), entry(2), entry(3)), { kind: 'mark', seq: 2 }));
    const { tail, tailPrev, mark } = disk.load(1);
    expect({ seqs: tail.map(({ seq }) => seq), before: tailPrev.position.seq, mark }).toEqual({
      seqs: [2, 3],
      before: 1,
      mark: 2,
    });
  });
});

describe('DiskQueue', () => {
  test('a crash keeps a prefix of the queue', () => {
    const disk = new Disk(HASH);
    const queue = new DiskQueue(disk);
    queue.queueWrite(write(1, ...promised(entry(1))));
    queue.queueWrite(write(2, { kind: 'append', entries: [entry(2)] }));
    queue.queueWrite(write(3, { kind: 'append', entries: [entry(3)] }));
    queue.crash(2);
    expect(disk.log.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test('a read sees every write that was queued before it, and waits for no later one', () => {
    const queue = new DiskQueue(new Disk(HASH));
    const read = { kind: 'find-ids', request: 1, ids: ['m1'] } as const;
    queue.queueWrite(write(1, ...promised(entry(1))));
    queue.queueRead(read);
    expect(queue.beginReads()).toBe(false);
    queue.begin();
    queue.queueWrite(write(2, { kind: 'append', entries: [entry(2)] }));
    expect(queue.commit()).toBe(1);
    expect(queue.beginReads()).toBe(true);
    expect(queue.endReads()).toEqual([{ kind: 'ids-found', request: read.request, found: ['m1'] }]);
  });
});
