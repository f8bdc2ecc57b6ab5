/** Three real processes and a disk that is full, refuses, or is slow. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Cluster, type StartOptions } from './cluster.ts';
import type { PeerProcess } from './peer-process.ts';
import { SlowDisk } from './slow-disk.ts';
import { type Trial, plain, trial } from './trial.ts';
import { Undo } from './undo.ts';
import type { Wiring } from './wiring.ts';

const ids = [1, 2, 3];
const text = 'x'.repeat(10_000);

/** Sends long messages until the disk of peer 3, the leader, refuses; the others go on. */
async function untilRefused(group: Trial<Wiring>): Promise<void> {
  const victim = group.peer(3);
  const sent = [...group.send(3, 60, text), ...group.send(1, 60, text)];
  const { code } = await victim.ended();
  expect(code).not.toBe(0);
  await victim.event('error', (event) => event.code === 'DISK');
  // What the disk refused was never called stored, and nobody else stops.
  expect([...victim.accepted.keys()].length).toBeLessThan(60);
  await group.final(
    [1, 2],
    sent.filter((one) => one.startsWith('p1.')),
  );
  await group.cluster.settled();
  await group.final([1, 2], group.send(2, 10));
}

/** The disk has room again, and the peer comes back with everything that it accepted. */
async function comesBack(group: Trial<Wiring>): Promise<void> {
  await group.start(3);
  await group.cluster.settled();
  await group.final(ids, group.send(3, 10));
  expect(await group.atRest()).toEqual([]);
}

test.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')(
  'a full disk ends its peer, the others go on, and with more room it returns',
  async () => {
    await trial({ ids: [1, 2], wiring: plain }, async (group) => {
      const undo = new Undo();
      try {
        // Peer 3 has a small disk of its own, almost filled by something else.
        const folder = group.cluster.dataOf(3);
        mkdirSync(folder);
        undo.add('umount', '-l', folder);
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'lockstep-test', folder]);
        writeFileSync(join(folder, 'ballast'), Buffer.alloc(3_300_000));
        await group.start(3);
        await group.cluster.settled();
        await untilRefused(group);
        execFileSync('mount', ['-o', 'remount,size=64m', folder]);
        await comesBack(group);
        await group.peer(3).kill();
      } finally {
        // Lazily: a process that is still there keeps its disk until it ends.
        await undo.now();
      }
    });
  },
);

test('a disk that refuses to let files grow ends its peer, and nothing is lost', async () => {
  let limited = true;
  // Files of this process may not pass 400 KiB; the signal that comes with it is ignored.
  const wrap = ['sh', '-c', `trap '' XFSZ; ulimit -f 800; exec "$@"`, 'sh'];
  const start = (id: number): StartOptions => (id === 3 && limited ? { wrap } : {});
  await trial({ ids, wiring: plain, start }, async (group) => {
    await untilRefused(group);
    limited = false;
    await comesBack(group);
  });
});

test('a slow disk slows its own peer only; as leader it counts when it has stored', async () => {
  const slow = await SlowDisk.build();
  try {
    const start = (id: number): StartOptions => (id === 3 ? slow.start : {});
    await trial({ ids, wiring: plain, start }, async (group) => {
      slow.delay(400);
      const begin = performance.now();
      // The other two are a quorum: what they have is final before the leader's disk has it.
      await group.final([1, 2], group.send(1, 20));
      const others = performance.now() - begin;
      const own = group.send(3, 20);
      await group.accepted(3, own);
      const itself = performance.now() - begin - others;
      expect(itself).toBeGreaterThan(390);
      expect(others).toBeLessThan(itself);
      await group.final(ids, own);
      slow.delay(0);
      expect(await group.atRest()).toEqual([]);
    });
  } finally {
    slow.close();
  }
});

test('a leave that the disk outlasts answers each message, and each answer is true', async () => {
  const slow = await SlowDisk.build();
  const cluster = new Cluster();
  try {
    const peer = await cluster.startPeer(1, [], slow.start);
    await peer.until('it leads and is listed', () => peer.final.length === 2);
    slow.delay(2_500);
    // The first is in the write under way, the others in those behind it.
    peer.send({ cmd: 'send', text: 'm0', ref: 0 });
    await peer.status();
    const refs = [1, 2, 3, 4, 5];
    for (const ref of refs) peer.send({ cmd: 'send', text: `m${ref}`, ref });
    expect((await peer.quit()).code).toBe(0);
    const answers = peer.events.flatMap((event) => {
      if (event.event === 'accepted') return [[event.ref, 'accepted'] as const];
      return event.event === 'error' ? [[event.ref, event.message] as const] : [];
    });
    expect(new Set(answers.map(([ref]) => ref))).toEqual(new Set([0, ...refs]));
    expect(answers.length).toBe(1 + refs.length);
    slow.delay(0);
    const again = await cluster.startPeer(1, [], slow.start);
    await again.statusWhere(
      'all is final',
      ({ pending, established }) => established && pending === 0,
    );
    again.send({ cmd: 'history' });
    const { entries } = await again.event('history');
    for (const [ref, answer] of answers) {
      const isThere = entries.some((entry) => entry.text === `m${String(ref)}`);
      if (answer === 'accepted') expect([ref, isThere]).toEqual([ref, true]);
      if (answer.includes('was not sent')) expect([ref, isThere]).toEqual([ref, false]);
    }
    expect(answers.filter(([, answer]) => answer === 'accepted').length).toBeGreaterThan(0);
  } finally {
    await cluster.close();
    slow.close();
  }
});

/** A group of one whose disk the test slows. */
async function alone(story: (peer: PeerProcess, slow: SlowDisk) => Promise<void>): Promise<void> {
  const slow = await SlowDisk.build();
  const cluster = new Cluster();
  try {
    const peer = await cluster.startPeer(1, [], slow.start);
    await peer.until('it leads and is listed', () => peer.final.length === 2);
    await story(peer, slow);
  } finally {
    await cluster.close();
    slow.close();
  }
}

test('input is not read on while far too much of it is not stored', async () => {
  await alone(async (peer, slow) => {
    slow.delay(1_000);
    const many = Array.from({ length: 20_000 }, (_, ref) => ({ cmd: 'send', text: 'm', ref }));
    peer.send(...many, { cmd: 'history', limit: 1 });
    await peer.event('history');
    const kinds = peer.events.map(({ event }) => event);
    const before = kinds.slice(0, kinds.indexOf('history')).filter((kind) => kind === 'accepted');
    // What is held at most, and what is in the pipe and in chunks that were read.
    expect(before.length).toBeGreaterThan(20_000 - 8_192 - 4_000);
    slow.delay(0);
  });
});

test('a second signal ends a peer whose disk hangs', async () => {
  await alone(async (peer, slow) => {
    slow.hang();
    peer.send({ cmd: 'send', text: 'never stored', ref: 1 });
    await expect.poll(() => slow.hangs).toBe(true);
    // Two of a kind can become one on their way.
    peer.signal('SIGINT');
    peer.signal('SIGTERM');
    expect(await peer.ended()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(peer.accepted.size).toBe(0);
  });
});
