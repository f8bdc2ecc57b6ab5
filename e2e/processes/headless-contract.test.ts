/**
 * The headless peer as programs and people meet it: every option, command, event and exit code of its
 * contract, on real processes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { PeerProcess } from './peer-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const hex32 = /^[0-9a-f]{64}$/;
const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let home = '';
let started: PeerProcess[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lockstep-contract-'));
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map((peer) => peer.kill()));
  rmSync(home, { recursive: true, force: true });
});

function start(...args: string[]): PeerProcess {
  return startOn(home, ...args);
}

/** On a machine of its own: with this folder of keys and data. */
function startOn(machine: string, ...args: string[]): PeerProcess {
  const peer = new PeerProcess({ home: machine, args });
  started.push(peer);
  return peer;
}

/** A peer of its own group, on a free port. */
function startAlone(...args: string[]): PeerProcess {
  return start('--json', '--id', '1', '--port', '0', ...args);
}

describe('options', () => {
  test.each([
    [['--id', 'one'], '--id'],
    [['--id', '0'], '--id'],
    [['--id', '2147483648'], '--id'],
    [['--id', '1', '--port', '70000'], '--port'],
    [['--id', '1', '--seed', 'nowhere'], '--seed'],
    [['--id', '1', '--invite', 'http://example.org'], '--invite'],
    [['--id', '1', '--name', 'x'.repeat(65)], '--name'],
    [['--id', '1', '--heartbeat-ms', '-5'], '--heartbeat-ms'],
    [['--id', '1', '--evict-after-ms', '1s'], '--evict-after-ms'],
    [['--id', '1', '--log-level', 'loud'], '--log-level'],
    [['--id', '1', '--colour', 'red'], '--colour'],
    [['--id', '1', '--host', 'no such host'], '--host'],
    [['--id', '1', '--heartbeat-ms', '20000', '--evict-after-ms', '30000'], '--evict-after-ms'],
    [[], '--id'],
  ])('%j is refused by name', async (args, named) => {
    const peer = start('--json', ...args);
    const error = await peer.event('error');
    expect(error.code).toBe('BAD_OPTION');
    expect(error.message).toContain(named);
    expect((await peer.ended()).code).toBe(2);
    expect(peer.garbage).toEqual([]);
  });

  test('without --json a wrong option is explained on stderr, and --help explains all', async () => {
    const wrong = start('--id', 'x');
    expect((await wrong.ended()).code).toBe(2);
    expect(wrong.stderr).toMatch(/--id.* \[BAD_OPTION\]/);
    const help = start('--help');
    expect((await help.ended()).code).toBe(0);
    expect(help.garbage.join('\n')).toContain('--evict-after-ms');
  });

  test('port 0 picks a free one, which the folder keeps; so it does with name and id', async () => {
    const first = startAlone('--name', 'Ada');
    const { port } = await first.event('ready');
    expect(port).toBeGreaterThan(0);
    await first.quit();
    const second = start('--json', '--data', join(home, 'peers', '1'));
    const ready = await second.event('ready');
    expect([ready.id, ready.port]).toEqual([1, port]);
    const status = await second.status();
    expect(status).toMatchObject({ roster: [{ id: 1, name: 'Ada', listed: true }] });
    await second.quit();
    const third = startAlone();
    expect((await third.event('ready')).port).toBe(port);
  });

  test('a folder belongs to one id', async () => {
    const first = startAlone('--data', 'folder');
    await first.event('ready');
    await first.quit();
    const second = start('--json', '--id', '2', '--port', '0', '--data', 'folder');
    expect((await second.event('error')).code).toBe('ID_MISMATCH');
    expect((await second.ended()).code).toBe(1);
  });

  test('IPv6 hosts are written in brackets', async () => {
    const first = startAlone('--host', '[::1]');
    const { port } = await first.event('ready');
    const second = start('--json', '--id', '2', '--port', '0', '--seed', `[::1]:${port}`);
    await second.event('ready');
    await second.statusWhere('both are members', ({ members }) => members.length === 2);
  });

  test('who joined by an invite has the key for others on the same machine', async () => {
    const { invite } = await startAlone().event('ready');
    const elsewhere = join(home, 'elsewhere');
    mkdirSync(elsewhere);
    const join2 = ['--json', '--id', '2', '--port', '0', '--invite', invite];
    const second = startOn(elsewhere, ...join2);
    const { port } = await second.event('ready');
    const join3 = ['--json', '--id', '3', '--port', '0', '--seed', `127.0.0.1:${port}`];
    const third = startOn(elsewhere, ...join3);
    await third.statusWhere('all are members', ({ members }) => members.length === 3);
  });

  test('an invite carries the key to a machine that does not have it', async () => {
    const first = startAlone();
    const { invite, group } = await first.event('ready');
    const elsewhere = mkdtempSync(join(tmpdir(), 'lockstep-contract-'));
    try {
      const args = ['--json', '--id', '2', '--port', '0', '--invite', invite];
      const second = new PeerProcess({ home: elsewhere, args });
      started.push(second);
      expect((await second.event('ready')).group).toBe(group);
      await second.statusWhere('both are members', ({ members }) => members.length === 2);
      await second.kill();
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });
});

describe('events and commands', () => {
  test('ready, accepted, final, status and history have their fields', async () => {
    const peer = startAlone();
    peer.send({ cmd: 'send', text: 'hello\nworld "ü" 🙂', ref: { any: ['thing'] } });
    const ready = await peer.event('ready');
    expect(ready).toEqual({
      event: 'ready',
      id: 1,
      host: '127.0.0.1',
      port: ready.port,
      group: expect.stringMatching(/^[0-9a-f]{32}$/),
      invite: expect.stringMatching(/^lockstep:\/\/join\?/),
      commit: 0,
    });
    const accepted = await peer.event('accepted');
    expect(accepted).toEqual({
      event: 'accepted',
      ref: { any: ['thing'] },
      message: expect.stringMatching(uuidV7),
    });
    await peer.until('three final entries', () => peer.final.length >= 3);
    const common = {
      event: 'final',
      message: expect.stringMatching(uuidV7),
      author: 1,
      sentAt: expect.any(Number),
      hash: expect.stringMatching(hex32),
    };
    const address = `127.0.0.1:${ready.port}`;
    expect(peer.final).toEqual([
      {
        ...common,
        ...{ seq: 1, epoch: [0, 1], kind: 'members', text: null },
        members: [{ id: 1, name: 'peer_1', address }],
      },
      { ...common, seq: 2, epoch: [1, 1], kind: 'leader', text: null },
      {
        ...common,
        ...{ seq: 3, epoch: [1, 1], kind: 'message', text: 'hello\nworld "ü" 🙂' },
        message: accepted.message,
      },
    ]);
    expect(Math.abs((peer.final[2]?.sentAt ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await peer.status()).toMatchObject({
      event: 'status',
      id: 1,
      role: 'leader',
      established: true,
      synchronising: false,
      leader: 1,
      epoch: [1, 1],
      members: [1],
      lists: [[1]],
      commit: 3,
      hash: peer.final[2]?.hash,
      pending: 0,
      peers: [],
    });
    peer.send({ cmd: 'history', from: 2, limit: 1 }, { cmd: 'history' });
    const all = await peer.event('history', ({ entries }) => entries.length === 3);
    const one = await peer.event('history', ({ entries }) => entries.length === 1);
    const told = peer.final.map(({ event: _event, ...fields }) => fields);
    expect(all.entries).toEqual(told);
    expect(one.entries).toEqual(told.slice(1, 2));
  });

  test('what is sent before a quit is stored, from the first moment of a new group', async () => {
    const peer = startAlone('--data', 'quick');
    peer.send({ cmd: 'send', text: 'hello', ref: 1 }, { cmd: 'quit' });
    await peer.ended();
    expect(peer.events.filter(({ event }) => event === 'error')).toEqual([]);
    expect(peer.accepted.has(1)).toBe(true);
    const again = startAlone('--data', 'quick');
    // It may have become final before the quit, and is told once a process.
    await again.statusWhere(
      'all is final',
      ({ established, pending }) => established && pending === 0,
    );
    again.send({ cmd: 'history' });
    const { entries } = await again.event('history');
    expect(entries.map(({ text }) => text)).toContain('hello');
  });

  test('bad input gets an error each, and the process goes on', async () => {
    const peer = startAlone();
    await peer.event('ready');
    peer.sendRaw('nonsense\n[1]\nnull\n\n');
    peer.sendRaw(Buffer.from('{"cmd":"send","text":"caf\xe9"}\n', 'latin1'));
    peer.send(
      { cmd: 'dance', ref: 1 },
      { cmd: 'send', ref: 2 },
      { cmd: 'send', text: 5, ref: 3 },
      { cmd: 'history', from: -1, ref: 4 },
      { cmd: 'send', text: 'half \ud83d', ref: 8 },
      { cmd: 'send', text: 'x'.repeat(70 * 1024), ref: 5 },
      { cmd: 'send', text: 'ü'.repeat(32 * 1024), ref: 6 },
    );
    await peer.until('the last is accepted', () => peer.accepted.has(6));
    const errors = peer.events.filter((event) => event.event === 'error');
    expect(errors.map(({ code, ref }) => [code, ref])).toEqual([
      ...[undefined, undefined, undefined, undefined, 1, 2, 3, 4, 8].map((ref) => [
        'BAD_COMMAND',
        ref,
      ]),
      ['TOO_LONG', 5],
    ]);
    peer.sendRaw(`{"cmd":"send","text":"${'x'.repeat(2 ** 20)}"}\n`);
    peer.send({ cmd: 'send', text: 'after all that', ref: 7 });
    await peer.until('accepted', () => peer.accepted.has(7));
    await peer.until('final', () => peer.texts().includes('after all that'));
    expect(peer.exit).toBeNull();
  });

  test('a ref that cannot be echoed and a text far too long cost nothing else', async () => {
    const peer = startAlone();
    const depth = 20_000;
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    peer.sendRaw(`{"cmd":"send","text":"deep","ref":${deep}}\n`);
    const refused = await peer.event('error', ({ code }) => code === 'BAD_COMMAND');
    expect(refused.message).toContain('"ref"');
    peer.send({ cmd: 'send', text: 'x'.repeat(1_000_000), ref: [1] });
    const long = await peer.event('error', ({ code }) => code === 'TOO_LONG');
    expect(long.ref).toEqual([1]);
    peer.send({ cmd: 'send', text: 'fine', ref: { a: [2] } });
    const accepted = await peer.event('accepted');
    expect(accepted.ref).toEqual({ a: [2] });
    await peer.until('final', () => peer.texts().length === 1);
    expect(peer.texts()).toEqual(['fine']);
  });

  test('a peer tells each final entry once per process, after the commit of its ready', async () => {
    const first = startAlone();
    first.send({ cmd: 'send', text: 'one', ref: 1 });
    await first.until('final', () => first.texts().includes('one'));
    await first.quit();
    const second = startAlone();
    const { commit } = await second.event('ready');
    expect(commit).toBe(first.final.length);
    second.send({ cmd: 'send', text: 'two', ref: 2 });
    await second.until('final', () => second.texts().includes('two'));
    expect(second.final.map(({ seq }) => seq)).toEqual([commit + 1, commit + 2]);
  });

  test('a joiner is ready at 0, told of its progress, and gets everything', async () => {
    const cluster = new Cluster();
    try {
      const first = await cluster.startPeer(1);
      first.send(
        ...Array.from({ length: 5_000 }, (_, i) => ({ cmd: 'send', text: `m${i}`, ref: i })),
      );
      await first.until('final', () => first.texts().length === 5_000);
      const joiner = await cluster.startPeer(2);
      expect((await joiner.event('ready')).commit).toBe(0);
      await joiner.until('all', () => joiner.texts().length === 5_000);
      expect(joiner.final.slice(0, 5_000)).toEqual(first.final.slice(0, 5_000));
      const progress = await joiner.event('progress');
      expect(progress.target).toBeGreaterThanOrEqual(progress.at);
    } finally {
      await cluster.close();
    }
  });

  test('without a quorum a message is provisional, and final once there is one', async () => {
    const cluster = await Cluster.start(3);
    try {
      await Promise.all([cluster.peer(2).kill(), cluster.peer(3).kill()]);
      const alone = cluster.peer(1);
      await alone.statusWhere('leads without a quorum', (status) => {
        return status.leader === 1 && !status.established;
      });
      alone.send({ cmd: 'send', text: 'alone', ref: 'a' });
      const provisional = await alone.event('provisional');
      expect(provisional).toEqual({
        event: 'provisional',
        message: alone.accepted.get('a'),
        author: 1,
        text: 'alone',
        n: 1,
      });
      expect((await alone.status()).pending).toBe(1);
      expect(alone.texts()).toEqual([]);
      await cluster.startPeer(2);
      await cluster.allFinal([provisional.message]);
    } finally {
      await cluster.close();
    }
  });
});

describe('the end', () => {
  test('quit leaves the group: the others see it go', async () => {
    const cluster = await Cluster.start(3);
    try {
      const began = Date.now();
      expect((await cluster.peer(3).quit()).code).toBe(0);
      expect(Date.now() - began).toBeLessThan(3_500);
      await cluster.settled();
      const { members } = await cluster.peer(1).status();
      expect(members).toEqual([1, 2]);
    } finally {
      await cluster.close();
    }
  });

  test('the end of input sends own messages first', async () => {
    const peer = startAlone();
    peer.send({ cmd: 'send', text: 'last words', ref: 1 });
    peer.child.stdin?.end();
    expect((await peer.ended()).code).toBe(0);
    expect(peer.texts()).toEqual(['last words']);
  });

  test('the end of input shows everything to a slow reader, and cuts no line', async () => {
    const peer = startAlone();
    const { stdout, stdin } = peer.child;
    // 64 KiB at most in 20 ms: the peer has its answers ready long before they are read.
    stdout?.on('data', () => {
      stdout.pause();
      setTimeout(() => stdout.resume(), 20);
    });
    const texts = Array.from({ length: 20_000 }, (_, n) => `message ${n}`);
    peer.send(...texts.map((text, ref) => ({ cmd: 'send', text, ref })));
    stdin?.end();
    expect((await peer.ended(60_000)).code).toBe(0);
    expect([peer.garbage, peer.texts()]).toEqual([[], texts]);
  });

  test('the end of input answers what was asked for in full, also to a slow reader', async () => {
    const peer = startAlone();
    const texts = Array.from({ length: 3_000 }, (_, n) => `message ${n}`);
    peer.send(...texts.map((text, ref) => ({ cmd: 'send', text, ref })));
    await peer.until('all are final', () => peer.texts().length === texts.length);
    const { stdout, stdin } = peer.child;
    stdout?.on('data', () => {
      stdout.pause();
      setTimeout(() => stdout.resume(), 5);
    });
    const asked = { cmd: 'history', from: 1, limit: 3_000 };
    peer.send(...Array.from({ length: 10 }, (_, ref) => ({ ...asked, ref })));
    stdin?.end();
    expect((await peer.ended(60_000)).code).toBe(0);
    const answers = peer.events.flatMap((event) =>
      event.event === 'history' ? [event.entries.length] : [],
    );
    expect(answers).toEqual(Array<number>(10).fill(3_000));
  });

  test('a reader that is far behind when its peer leaves meets no gap', async () => {
    const cluster = await Cluster.start(2);
    try {
      const [slow, other] = [cluster.peer(1), cluster.peer(2)];
      const text = 'x'.repeat(4_000);
      let n = 0;
      const say = (count: number): void => {
        for (let i = 0; i < count; i++) other.send({ cmd: 'send', text: `${n++} ${text}` });
      };
      slow.child.stdout?.pause();
      // More than the peer keeps for a reader: it stops, to fetch the rest from its disk later.
      say(6_000);
      await other.until('all are final', () => other.texts().length === 6_000, 60_000);
      // What becomes final while it leaves must not be shown before what is missing.
      const more = setInterval(() => say(5), 5);
      slow.send({ cmd: 'quit' });
      slow.child.stdout?.resume();
      expect((await slow.ended(30_000)).code).toBe(0);
      clearInterval(more);
      const seqs = slow.final.map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i));
      expect(slow.garbage).toEqual([]);
    } finally {
      await cluster.close();
    }
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s is a graceful leave', async (signal) => {
    const peer = startAlone();
    await peer.event('ready');
    peer.signal(signal);
    expect((await peer.ended()).code).toBe(0);
  });

  test('a second signal ends at once', async () => {
    const cluster = await Cluster.start(2);
    try {
      // The one that could let it go does not answer.
      cluster.peer(2).signal('SIGSTOP');
      const peer = cluster.peer(1);
      const began = Date.now();
      peer.signal('SIGTERM');
      await peer.until('a second one ends it', () => {
        peer.signal('SIGTERM');
        return peer.exit;
      });
      expect(Date.now() - began).toBeLessThan(2_000);
      expect(peer.exit?.code).toBe(128 + 15);
    } finally {
      await cluster.close();
    }
  });

  test('a leave that nobody answers ends within three seconds', async () => {
    const cluster = await Cluster.start(2);
    try {
      cluster.peer(2).signal('SIGSTOP');
      const began = Date.now();
      expect((await cluster.peer(1).quit()).code).toBe(0);
      expect(Date.now() - began).toBeLessThan(3_500);
    } finally {
      await cluster.close();
    }
  });

  test.runIf(process.platform === 'linux')(
    'an output that takes no more is a failure',
    async () => {
      const node = `${root}node_modules/.bin/node`;
      const args = [`${root}dist/main/cli.js`, '--json', '--id', '1', '--port', '0'];
      const child = spawn(node, args, {
        env: { ...process.env, LOCKSTEP_HOME: home },
        stdio: ['pipe', openSync('/dev/full', 'w'), 'ignore'],
      });
      expect(await once(child, 'exit')).toEqual([1, null]);
    },
  );

  test('/dev/null is not read: a service lives', async () => {
    const first = startAlone();
    const { port } = await first.event('ready');
    const node = `${root}node_modules/.bin/node`;
    const args = ['--json', '--id', '2', '--port', '0', '--seed', `127.0.0.1:${port}`];
    const service: ChildProcess = spawn(node, [`${root}dist/main/cli.js`, ...args], {
      env: { ...process.env, LOCKSTEP_HOME: home },
      stdio: [openSync('/dev/null', 'r'), 'ignore', 'ignore'],
    });
    const ended = once(service, 'exit');
    try {
      await first.statusWhere('it is a member', ({ members }) => members.includes(2));
      first.send({ cmd: 'send', text: 'still there?', ref: 1 });
      await first.statusWhere('it has the message', ({ peers, commit }) =>
        peers.some((peer) => peer.id === 2 && peer.commit === commit && commit > 3),
      );
      expect(service.exitCode).toBeNull();
      service.kill('SIGTERM');
      await first.statusWhere('it has left', ({ members }) => !members.includes(2));
      expect(await ended).toEqual([0, null]);
    } finally {
      // Before its folder goes.
      service.kill('SIGKILL');
      await ended;
    }
  });
});

describe('the terminal interface', () => {
  test('prints messages with numbers, answers commands, leaves by /quit', async () => {
    const peer = start('--id', '1', '--port', '0', '--name', 'Ada');
    const printed = (): string => peer.garbage.join('\n');
    await peer.until('ready', () => printed().includes('listens at'));
    peer.sendRaw('hello there\n');
    await peer.until('final', () => printed().includes('#3 Ada: hello there'));
    peer.sendRaw('/status\n/peers\n/history 1\n/invite\n/help\n/nonsense\n');
    await peer.until('an answer to each', () => printed().includes('/nonsense'));
    await peer.until('history', () => printed().match(/#3 Ada: hello there/g)?.length === 2);
    expect(printed()).toMatch(/peer 1, leader; Ada \(1\) leads; epoch 1; a quorum is up/);
    expect(printed()).toContain('no other peer was met yet');
    expect(printed()).toContain('lockstep://join?');
    expect(printed()).toContain('/history [N]');
    peer.sendRaw('/quit\n');
    expect((await peer.ended()).code).toBe(0);
  });

  test('a message that is not final is marked, and printed again when it is', async () => {
    const cluster = await Cluster.start(3);
    try {
      await Promise.all([1, 2, 3].map((id) => cluster.peer(id).kill()));
      const port = String(cluster.portOf(1));
      const args = ['--id', '1', '--data', cluster.dataOf(1), '--port', port];
      const peer = new PeerProcess({ home: cluster.home, args });
      started.push(peer);
      const printed = (): string => peer.garbage.join('\n');
      await peer.until('ready', () => printed().includes('listens at'));
      peer.sendRaw('is anybody there?\n');
      await peer.until('shown', () => printed().includes('peer_1: is anybody there? (not final'));
      expect(printed()).toContain('peer_1 leads without a quorum');
      peer.sendRaw('/status\n');
      await peer.until('who is needed', () =>
        printed().includes('no quorum: messages become final when peer 2 or 3 is back'),
      );
      cluster.peers.delete(1);
      await cluster.startPeer(2);
      await peer.until('final', () => /^#\d+ peer_1: is anybody there\?$/m.test(printed()));
    } finally {
      await cluster.close();
    }
  });

  test('control characters of others never reach the terminal', async () => {
    const peer = start('--id', '1', '--port', '0');
    const printed = (): string => peer.garbage.join('\n');
    await peer.until('ready', () => printed().includes('listens at'));
    peer.sendRaw('\u001b[31mred\u0007 \u202egnp\n');
    await peer.until('final', () => printed().includes('#3 '));
    expect(printed()).toContain('#3 peer_1: \ufffd[31mred\ufffd \ufffdgnp');
  });

  test('piped input is sent before the end', async () => {
    const peer = start('--id', '1', '--port', '0');
    peer.child.stdin?.end('hi\n');
    expect((await peer.ended()).code).toBe(0);
    expect(peer.garbage.join('\n')).toContain('#3 peer_1: hi');
  });
});
