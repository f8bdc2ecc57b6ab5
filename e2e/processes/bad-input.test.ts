/**
 * What goes wrong in the world: taken ports and ids, wrong keys, silent seeds, damaged, copied and old
 * data, strangers at the port, a full disk. Each ends with its own code and words, or not at all.
 */
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PeerProcess } from './peer-process.ts';

let home = '';
let started: PeerProcess[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lockstep-bad-'));
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map((peer) => peer.kill()));
  rmSync(home, { recursive: true, force: true });
});

function start(id: number, ...args: string[]): PeerProcess {
  const peer = new PeerProcess({
    home,
    args: ['--json', '--id', String(id), '--port', '0', ...args],
  });
  started.push(peer);
  return peer;
}

function dataOf(id: number): string {
  return join(home, 'peers', String(id));
}

async function portOf(peer: PeerProcess): Promise<number> {
  return (await peer.event('ready')).port;
}

/** Starts peers 1 and 2 of one group, both members. */
async function startPair(...args: string[]): Promise<{ first: PeerProcess; second: PeerProcess }> {
  const first = start(1, ...args);
  const seed = `127.0.0.1:${await portOf(first)}`;
  const second = start(2, '--seed', seed, ...args);
  await second.event('ready');
  await first.statusWhere('both are members', ({ members }) => members.length === 2);
  await second.statusWhere('2 leads', ({ leader, established }) => leader === 2 && established);
  return { first, second };
}

async function say(peer: PeerProcess, text: string): Promise<void> {
  peer.send({ cmd: 'send', text, ref: text });
  await peer.until(`${text} is final`, () => peer.texts().includes(text));
}

/** Waits for the fatal error of a peer, and that it ends because of it. */
async function endsWith(peer: PeerProcess, code: string): Promise<string> {
  const error = await peer.event('error', (event) => event.code === code);
  expect((await peer.ended()).code).toBe(1);
  return error.message;
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const { server, port } = await listen(() => {});
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(
  onSocket: (socket: Socket) => void,
): Promise<{ server: Server; port: number }> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

describe('the place', () => {
  test('a port that is taken', async () => {
    const { server, port } = await listen(() => {});
    const args = ['--json', '--id', '1', '--port', String(port)];
    const peer = new PeerProcess({ home, args });
    started.push(peer);
    expect(await endsWith(peer, 'PORT_IN_USE')).toContain(String(port));
    server.close();
  });

  test('a first start that fails does not spoil the folder', async () => {
    const wrong = start(1, '--host', 'no.such.host.invalid');
    await wrong.event('error', ({ code }) => code === 'BAD_OPTION');
    expect((await wrong.ended()).code).toBe(2);
    expect((await start(1).event('ready')).host).toBe('127.0.0.1');
  });

  test('a data folder that is in use', async () => {
    const first = start(1);
    await first.event('ready');
    expect(await endsWith(start(1), 'DATA_IN_USE')).toContain(dataOf(1));
    await say(first, 'still here');
  });

  test('a data folder whose process was killed is free at once', async () => {
    const first = start(1);
    await say(first, 'before');
    await first.kill();
    const second = start(1);
    expect((await second.event('ready')).commit).toBeGreaterThanOrEqual(2);
    await say(second, 'after');
  });

  test('a data folder that cannot be made', async () => {
    writeFileSync(join(home, 'file'), '');
    const peer = start(1, '--data', join(home, 'file', 'folder'));
    const error = await peer.event('error');
    expect(error).toMatchObject({ code: 'BAD_OPTION', message: expect.stringContaining('--data') });
    expect((await peer.ended()).code).toBe(2);
  });

  test('a disk that is full ends the peer, and nothing accepted is lost', async () => {
    const limit = 'ulimit -f 300; exec "$@"';
    const full = new PeerProcess({
      home,
      wrap: ['bash', '-c', limit, 'bash'],
      args: ['--json', '--id', '1', '--port', '0'],
    });
    started.push(full);
    await full.event('ready');
    const texts = Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat(8_000)}`);
    full.send(...texts.map((text, ref) => ({ cmd: 'send', text, ref })));
    await endsWith(full, 'DISK');
    const accepted = [...full.accepted.values()];
    expect(accepted.length).toBeLessThan(200);
    const again = start(1);
    await again.event('ready');
    await again.until('all that was accepted is final', () => {
      again.send({ cmd: 'history', from: 1, limit: 1_000 });
      const last = again.events.findLast((event) => event.event === 'history');
      const final = new Set(last?.entries.map(({ message }) => message));
      return last !== undefined && accepted.every((id) => final.has(id));
    });
  });
});

describe('the group', () => {
  test('a seed that does not answer: said once, and tried on until it does', async () => {
    const { server, port } = await listen(() => {});
    server.close();
    const joiner = start(2, '--seed', `1:127.0.0.1:${port}`);
    const error = await joiner.event('error');
    expect(error.code).toBe('UNREACHABLE');
    expect((await joiner.status()).role).toBe('joining');
    const args = ['--json', '--id', '1', '--port', String(port)];
    const first = new PeerProcess({ home, args });
    started.push(first);
    await first.event('ready');
    await joiner.event('ready');
    await joiner.statusWhere('both are members', ({ members }) => members.length === 2);
  });

  test('a seed that accepts and says nothing', async () => {
    const { server, port } = await listen(() => {});
    const joiner = start(2, '--seed', `127.0.0.1:${port}`);
    expect((await joiner.event('error')).code).toBe('UNREACHABLE');
    joiner.send({ cmd: 'send', text: 'lost?', ref: 1 }, { cmd: 'quit' });
    expect((await joiner.ended()).code).toBe(0);
    expect(joiner.accepted.size).toBe(0);
    // Who sent it is told that it was not sent.
    const refused = await joiner.event('error', ({ ref }) => ref === 1);
    expect(refused.code).toBe('NOT_READY');
    server.close();
  });

  test('an id that is taken', async () => {
    const { first } = await startPair();
    const port = await portOf(first);
    for (const id of [1, 2]) {
      const folder = join(home, `other-${id}`);
      const intruder = start(id, '--data', folder, '--seed', `127.0.0.1:${port}`);
      intruder.send({ cmd: 'send', text: 'not mine to say', ref: 1 });
      await endsWith(intruder, 'ID_TAKEN');
      expect(intruder.accepted.size).toBe(0);
    }
    await say(first, 'all is well');
    expect(first.texts()).toEqual(['all is well']);

    // The folder was of no use yet: another id may be tried in it.
    const again = start(9, '--data', join(home, 'other-1'), '--seed', `127.0.0.1:${port}`);
    await again.statusWhere('9 is in', ({ members }) => members.includes(9));
  });

  test('seeds that are of no use say why: no peer, or none with a group; the own place is ignored', async () => {
    const web = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const one = start(1, '--seed', `127.0.0.1:${web.port}`);
    expect((await one.event('error')).message).toContain('is no Lockstep peer');
    web.server.close();
    const ports = [await freePort(), await freePort()];
    const seeds = ports.flatMap((port) => ['--seed', `127.0.0.1:${port}`]);
    const lost = ports.map((port, i) => start(i + 2, '--port', String(port), ...seeds));
    const told = await lost[1]?.event('error', ({ message }) => message.includes('no group'));
    expect(told?.code).toBe('UNREACHABLE');

    const port = String(await freePort());
    const alone = start(4, '--port', port, '--seed', `4:127.0.0.1:${port}`);
    await alone.statusWhere('it founds a group', ({ members }) => members.length === 1);
  });

  test('no key, or a wrong one', async () => {
    const first = start(1);
    const { port, invite } = await first.event('ready');
    const stranger = mkdtempSync(join(tmpdir(), 'lockstep-bad-'));
    const key = Buffer.alloc(32, 1).toString('base64url');
    const wrong = invite.replace(/key=[^&]*/, `key=${key}`);
    for (const how of [
      ['--seed', `127.0.0.1:${port}`],
      ['--invite', wrong],
    ]) {
      const args = ['--json', '--id', '2', '--port', '0', '--data', join(stranger, how[0] ?? '')];
      const peer = new PeerProcess({ home: stranger, args: [...args, ...how] });
      started.push(peer);
      expect(await endsWith(peer, 'WRONG_KEY')).toContain('invite');
    }
    await Promise.all(started.slice(1).map((peer) => peer.kill()));
    rmSync(stranger, { recursive: true, force: true });
  });

  test('an invite to another group than its seed has', async () => {
    const first = start(1);
    const { invite } = await first.event('ready');
    const id = Buffer.alloc(16, 1).toString('base64url');
    const other = start(2, '--invite', invite.replace(/group=[^&]*/, `group=${id}`));
    await endsWith(other, 'WRONG_GROUP');
  });

  test('garbage at the port changes nothing', async () => {
    const { first, second } = await startPair();
    const port = await portOf(first);
    const ends: Promise<void>[] = [];
    for (let i = 0; i < 20; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(Buffer.alloc(1_000 * (i + 1), i * 13));
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      // It is for the peer to hang up.
      ends.push(new Promise((resolve) => socket.once('close', () => resolve())));
      socket.resume();
    }
    await Promise.all(ends);
    await say(first, 'unharmed');
    await second.until('both', () => second.texts().includes('unharmed'));
    expect((await first.status()).members).toEqual([1, 2]);
  });
});

describe('the data', () => {
  function damage(file: string, share: number): void {
    const at = Math.floor(statSync(file).size * share);
    const handle = openSync(file, 'r+');
    writeSync(handle, Buffer.alloc(2_000, 0x5a), 0, 2_000, at);
    closeSync(handle);
  }

  test.each([
    ['its header', 0],
    ['its end', 0.9],
  ])('a database that is damaged at %s', async (_where, share) => {
    const first = start(1);
    first.send(
      ...Array.from({ length: 500 }, (_, i) => ({ cmd: 'send', text: 'x'.repeat(1_000), ref: i })),
    );
    await first.until('all final', () => first.texts().length === 500);
    await first.quit();
    damage(join(dataOf(1), 'lockstep.db'), share);
    const again = start(1);
    const message = await endsWith(again, 'CORRUPT');
    expect(message).toContain(dataOf(1));
    expect(message).toContain('join the group again');
    expect(again.events.some(({ event }) => event === 'ready')).toBe(false);
  });

  test('a copied folder: the newcomer stops, the group does not', async () => {
    const { first, second } = await startPair();
    // The copy must not be older than what the first has told the second.
    await first.statusWhere('follows 2', ({ leader, established }) => leader === 2 && established);
    await say(first, 'before the copy');
    const copy = join(home, 'copy');
    cpSync(dataOf(1), copy, { recursive: true });
    const seed = `127.0.0.1:${await portOf(second)}`;
    const newcomer = start(1, '--data', copy, '--seed', seed);
    await endsWith(newcomer, 'ID_IN_USE');
    await say(first, 'the first goes on');
    await second.until('both', () => second.texts().includes('the first goes on'));
  });

  test('a folder that was rolled back is refused', async () => {
    const { first, second } = await startPair();
    await say(first, 'one');
    await first.quit();
    const backup = join(home, 'backup');
    cpSync(dataOf(1), backup, { recursive: true });
    const returned = start(1);
    await returned.event('ready');
    await second.statusWhere('back', ({ members }) => members.length === 2);
    // Another epoch, and another process of the first that reports its promise of it.
    await second.kill();
    const again = start(2);
    await again.statusWhere('leads', ({ leader, established }) => leader === 2 && established);
    await say(returned, 'two');
    await returned.kill();
    const reported = start(1);
    await reported.statusWhere('follows', ({ leader, established }) => leader === 2 && established);
    await reported.kill();
    rmSync(dataOf(1), { recursive: true });
    cpSync(backup, dataOf(1), { recursive: true });
    await endsWith(start(1), 'ROLLED_BACK');
  });

  test('keys and data are readable by their user alone', async () => {
    const first = start(1);
    const { group } = await first.event('ready');
    expect(readdirSync(join(home, 'keys'))).toEqual([`${group}.key`]);
    expect(statSync(join(home, 'keys', `${group}.key`)).mode & 0o077).toBe(0);
    expect(statSync(dataOf(1)).mode & 0o077).toBe(0);
    expect(readFileSync(join(home, 'keys', `${group}.key`), 'utf8').trim()).toHaveLength(43);
  });
});
