/**
 * The contract over real sockets, and what only sockets can do: hostile bytes, silence, half-open
 * links, cut cables, slow readers.
 */
import { createServer, connect, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ProtocolMessage } from '../../shared/protocol/messages.ts';
import { FRAME, helloFrame, PROTOCOL_VERSION, WELCOME_FRAME } from './handshake.ts';
import { createGroup, createIdentity, random } from './identity.ts';
import {
  HANDSHAKE_MS,
  SEND_BUFFER_BYTES_MAX,
  SILENT_MS,
  UNPROVEN_CONNECTIONS_MAX,
} from './limits.ts';
import { createTcpTransport } from './tcp-transport.ts';
import { RawPeer, type RawPeerOptions } from './testing/raw-peer.ts';
import {
  numbered,
  TestPeer,
  type TestPeerOptions,
  transportAcceptance,
} from './transport.acceptance.ts';

const group = createGroup();
const opened: { close: () => unknown }[] = [];

async function listening(options: TestPeerOptions): Promise<TestPeer> {
  const peer = new TestPeer(createTcpTransport, { group, ...options });
  opened.push({ close: () => peer.transport.close() });
  return peer.listen();
}

function raw(peer: TestPeer, options: Omit<RawPeerOptions, 'port' | 'group'>): RawPeer {
  const one = new RawPeer({ group, port: peer.port, ...options });
  opened.push({ close: () => one.destroy() });
  return one;
}

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

/** Forwards connections to a port, and cuts them on demand. */
class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where it leads. */
  port = 0;
  /** So many connections are still accepted and reset; with the last of them listening ends. */
  dying = 0;

  constructor() {
    this.#server = createServer((from) => {
      if (this.dying > 0) {
        if (--this.dying === 0) this.#server.close();
        from.resetAndDestroy();
        return;
      }
      const to = connect({ host: '127.0.0.1', port: this.port });
      for (const [a, b] of [
        [from, to],
        [to, from],
      ] as const) {
        this.#sockets.add(a);
        a.on('error', () => undefined);
        a.on('close', () => b.destroy());
        a.pipe(b);
      }
    });
  }

  listen(): Promise<string> {
    opened.push(this);
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(`127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
      });
    });
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** Data stops, connections stay: what a pulled cable looks like. */
  freeze(): void {
    for (const socket of this.#sockets) socket.pause().unpipe();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

describe('TCP transport', () => {
  transportAcceptance(createTcpTransport);
});

describe('whoever proves nothing', () => {
  test('is closed with a reason, logged once, and costs nobody else', async () => {
    const a = await listening({ id: 1 });
    const b = await listening({ id: 2 });
    b.transport.setAddresses([a.member]);
    await a.untilUp(b);
    for (let i = 0; i < 3; i++) {
      const hostile = raw(a, { id: 3 });
      hostile.socket.write('GET / HTTP/1.1\r\nHost: peer\r\n\r\n');
      await hostile.closed();
    }
    a.transport.send(2, numbered(1));
    await b.until(() => b.received.length === 1, 'received');
    expect([a.count('down'), b.count('down'), a.count('refused')]).toEqual([0, 0, 0]);
    const warnings = a.logged.filter((line) => line.includes('"warn"'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('BAD_FRAME');
  });

  test('is closed after a while when it says nothing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const a = await listening({ id: 1 });
    const silent = raw(a, { id: 2 });
    await silent.next();
    vi.advanceTimersByTime(HANDSHAKE_MS);
    await silent.closed();
    expect(a.notes).toEqual([]);
  });

  test('cannot keep others out by many connections', async () => {
    const a = await listening({ id: 1 });
    const many = Array.from({ length: UNPROVEN_CONNECTIONS_MAX }, () => raw(a, { id: 9 }));
    await Promise.all(many.map((each) => each.next()));
    const oneMore = raw(a, { id: 9 });
    expect(await oneMore.next()).toBeNull();
    for (const each of many) each.destroy();
    await Promise.all(many.map((each) => each.closed()));
    await a.until(() => a.logged.filter((l) => l.includes('ended')).length >= many.length, 'ended');
    expect(await raw(a, { id: 2 }).join()).toBe('up');
  });

  test.each<[string, (peer: RawPeer) => void]>([
    ['a frame longer than a HELLO can be', (p) => p.sendPayload(new Uint8Array(4_000))],
    ['WELCOME before HELLO', (p) => p.socket.write(WELCOME_FRAME)],
    ['a message before HELLO', (p) => p.send(numbered(1))],
    ['half a HELLO', (p) => p.sendPayload(helloFrame(p.hello).slice(4, 60))],
    ['a HELLO twice', (p) => [1, 2].forEach(() => p.socket.write(helloFrame(p.hello)))],
    ['an empty frame', (p) => p.socket.write(new Uint8Array(4))],
  ])('and sends %s is refused', async (_what, misbehave) => {
    const a = await listening({ id: 1 });
    const hostile = raw(a, { id: 2 });
    misbehave(hostile);
    let last: Uint8Array | null = null;
    for (let f = await hostile.next(); f !== null; f = await hostile.next()) last = f;
    expect(last?.[0]).toBe(FRAME.refuse);
    expect(a.notes).toEqual([]);
  });

  test('and speaks another version is told so', async () => {
    const a = await listening({ id: 1 });
    const other = raw(a, { id: 2 });
    const hello = helloFrame(other.hello).slice(4);
    hello[6] = PROTOCOL_VERSION + 1;
    other.sendPayload(hello);
    await other.next();
    expect(await other.outcome()).toBe('VERSION');
  });

  test.each([
    ['another key', { group: { id: group.id, key: random(32) } }],
    ['the proof of the other side', { side: 'acceptor' as const }],
    ['a proof of another handshake', { acceptor: random(100) }],
  ])('but %s is refused', async (_what, change) => {
    const a = await listening({ id: 1 });
    const hostile = raw(a, { id: 2 });
    await hostile.prove(change);
    expect(await hostile.outcome()).toBe('WRONG_KEY');
    expect(a.notes).toEqual([]);
  });
});

describe('a proven peer', () => {
  test('cannot say WELCOME before it has been let in', async () => {
    // The lower of two says WELCOME first; a higher one that does not wait is out of turn.
    const a = await listening({ id: 1, admit: () => ({ code: 'DIVERGED', message: '' }) });
    const hostile = raw(a, { id: 2 });
    await hostile.prove();
    hostile.socket.write(WELCOME_FRAME);
    expect(await hostile.outcome()).toBe('DIVERGED');
    expect(a.notes).toEqual([]);
  });

  test.each<[string, (peer: RawPeer) => void]>([
    ['what does not decode', (p) => p.sendPayload(Uint8Array.of(1, 2, 3))],
    ['an unknown frame of the transport', (p) => p.sendPayload(Uint8Array.of(0xff))],
    ['a second WELCOME', (p) => p.socket.write(WELCOME_FRAME)],
    ['too long a frame', (p) => p.socket.write(Uint8Array.of(1, 0, 0, 0, 0))],
  ])('that sends %s loses that link only', async (_what, misbehave) => {
    const a = await listening({ id: 1 });
    const [bad, good] = [raw(a, { id: 2 }), raw(a, { id: 3 })];
    expect(await Promise.all([bad.join(), good.join()])).toEqual(['up', 'up']);
    bad.send(numbered(1));
    misbehave(bad);
    bad.send(numbered(2));
    await a.until(() => a.count('down') > 0, 'down');
    good.send(numbered(3));
    await a.until(() => a.received.length === 2, 'received');
    expect(a.received).toEqual([numbered(1), numbered(3)]);
    expect(a.up).toEqual([3]);
    expect(a.refusal()).toMatchObject({ code: 'BAD_FRAME', by: 'us', peer: 2 });
  });

  test('that stops reading loses its link before our memory is gone', async () => {
    const a = await listening({ id: 1 });
    const slow = raw(a, { id: 2 });
    expect(await slow.join()).toBe('up');
    await a.until(() => a.up.length === 1, 'linked');
    slow.socket.pause();
    const body = new Uint8Array(64 * 1024);
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    const one = { id, author: 1, after: null, sentAt: 0, body };
    const message: ProtocolMessage = { kind: 'submit', messages: [one, one, one] };
    const frames = Math.ceil((SEND_BUFFER_BYTES_MAX * 1.5) / (3 * 64 * 1024));
    for (let i = 0; i < frames; i++) a.transport.send(2, message);
    await a.until(() => a.count('down') > 0, 'down');
    expect(a.notes.at(-1)).toEqual({ kind: 'down', peer: 2, refused: false });
  });
});

describe('an older link of the same peer', () => {
  test.each([
    ['the lower', 5, 2],
    ['the higher', 5, 9],
  ])('that answers stays, and another process of %s peer is told so', async (_w, self, id) => {
    const a = await listening({ id: self });
    const identity = createIdentity();
    const first = raw(a, { id, identity });
    expect(await first.join()).toBe('up');
    expect(await raw(a, { id, identity }).join()).toBe('ID_IN_USE');
    first.send(numbered(1));
    await a.until(() => a.received.length === 1, 'received');
    expect(a.count('down')).toBe(0);
  });

  test.each([
    ['the same process', 7, 7],
    ['another process', 7, 8],
  ])('that does not answer gives way to %s', async (_what, before, after) => {
    const a = await listening({ id: 5 });
    const identity = createIdentity();
    const first = raw(a, { id: 2, identity, nonce: before, answers: false });
    expect(await first.join()).toBe('up');
    expect(await raw(a, { id: 2, identity, nonce: after }).join()).toBe('up');
    await first.closed();
    expect(a.notes.filter((n) => n.kind !== 'bytes').map((n) => n.kind)).toEqual([
      'up',
      'down',
      'up',
    ]);
  });

  test('of the same process that answers stays, and the second is told', async () => {
    const a = await listening({ id: 5 });
    const identity = createIdentity();
    expect(await raw(a, { id: 2, identity, nonce: 7 }).join()).toBe('up');
    expect(await raw(a, { id: 2, identity, nonce: 7 }).join()).toBe('DUPLICATE');
    expect(a.up).toEqual([2]);
  });

  test('gives way at once when the higher peer chose another one', async () => {
    const a = await listening({ id: 5 });
    const identity = createIdentity();
    const first = raw(a, { id: 9, identity, nonce: 7 });
    expect(await first.join()).toBe('up');
    expect(await raw(a, { id: 9, identity, nonce: 7 }).join()).toBe('up');
    await first.closed();
    expect(a.up).toEqual([9]);
  });
});

/**
 * Two peers whose every connection runs through a cable. Only the second dials at first, so that there
 * is one connection and none on its way to being refused as the second of its pair.
 */
async function cabled(): Promise<{ peers: [TestPeer, TestPeer]; cables: [Cable, Cable] }> {
  const cables: [Cable, Cable] = [new Cable(), new Cable()];
  const [to1, to2] = [await cables[0].listen(), await cables[1].listen()];
  const a = await listening({ id: 1, dialOverrides: new Map([[2, to2]]) });
  const b = await listening({ id: 2, dialOverrides: new Map([[1, to1]]) });
  cables[0].port = a.port;
  cables[1].port = b.port;
  b.transport.setAddresses([a.member]);
  await Promise.all([a.untilUp(b), b.untilUp(a)]);
  return { peers: [a, b], cables };
}

describe('a link that is cut', () => {
  test('is made again, whoever redials first', async () => {
    const { peers, cables } = await cabled();
    const [a, b] = peers;
    for (let round = 1; round <= 3; round++) {
      const ups = peers.map((peer) => peer.count('up'));
      for (const cable of cables) cable.cut();
      const again = (p: TestPeer, i: number): boolean =>
        p.count('up') > (ups[i] ?? 0) && p.up.length === 1;
      await Promise.all(peers.map((p, i) => p.until(() => again(p, i), 'linked again')));
    }
    for (const peer of peers) {
      expect(peer.notes.filter((n) => n.kind === 'down').every((n) => !n.refused)).toBe(true);
    }
    b.transport.send(1, numbered(1));
    await a.until(() => a.received.length === 1, 'received');
  });

  test('by a process that still accepts while it dies is told as refused', async () => {
    const { peers, cables } = await cabled();
    for (const cable of cables) {
      cable.dying = 3;
      cable.cut();
    }
    for (const peer of peers) {
      await peer.until(() => peer.count('down') > 0, 'down');
      expect(peer.notes.filter((n) => n.kind === 'down')).toMatchObject([{ refused: true }]);
    }
  });

  test('for good is told once as refused', async () => {
    const { peers, cables } = await cabled();
    for (const cable of cables) cable.close();
    for (const peer of peers) {
      await peer.until(() => peer.count('down') > 0, 'down');
      expect(peer.notes.filter((n) => n.kind === 'down')).toMatchObject([{ refused: true }]);
    }
  });
});

test('links that one process ends again and again are not redialled each time', async () => {
  // Where the peer says that it listens: redials are accepted there and cut.
  let redials = 0;
  const dying = createServer((socket) => {
    redials += 1;
    socket.destroy();
  });
  opened.push({ close: () => dying.close() });
  await new Promise<void>((resolve) => dying.listen(0, '127.0.0.1', resolve));
  const at = dying.address();
  const address = `127.0.0.1:${typeof at === 'object' ? at?.port : ''}`;
  const a = await listening({ id: 1 });
  const identity = createIdentity();
  const redialled: boolean[] = [];
  for (const nonce of [7, 7, 7, 7, 8]) {
    const downs = a.count('down');
    redials = 0;
    const one = raw(a, { id: 2, identity, nonce, hello: { address } });
    expect(await one.join()).toBe('up');
    await a.until(() => a.up.length === 1, 'linked');
    one.destroy();
    await a.until(() => a.count('down') > downs, 'down');
    redialled.push(redials > 0);
  }
  // The fourth is told at once; another process is another matter.
  expect(redialled).toEqual([true, true, true, false, true]);
});

describe('silence on a link', () => {
  /** Lets so many seconds pass for the watch over links, with time for the sockets in between. */
  async function pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      vi.advanceTimersByTime(1_000);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test('of a peer that answers means nothing', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { peers } = await cabled();
    await pass((3 * SILENT_MS) / 1_000);
    for (const peer of peers) {
      expect([peer.count('up'), peer.count('down')]).toEqual([1, 0]);
      expect(peer.count('bytes')).toBeGreaterThan(2);
    }
  });

  test('without an answer ends it, and it is made again', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { peers, cables } = await cabled();
    await pass(1);
    for (const cable of cables) cable.freeze();
    await pass(SILENT_MS / 1_000 + 2);
    for (const peer of peers) {
      await peer.until(() => peer.count('up') > 1 && peer.up.length === 1, 'linked again');
    }
    // Whoever noticed first closed it; for the other it was then replaced.
    expect(peers.flatMap((peer) => peer.logged).join('')).toContain('"why":"silent"');
  });
});
