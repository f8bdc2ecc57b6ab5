/**
 * What every transport must do, real or fake: the suite that both run. Each peer writes down what it
 * is told; the tests wait for a condition on these notes, never for a time.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { ProtocolMessage } from '../../shared/protocol/messages.ts';
import type { LinkedPeer } from '../../shared/protocol/ready.ts';
import type { Member, PeerId } from '../../shared/protocol/types.ts';
import { createLogger } from '../log.ts';
import { createGroup, createIdentity, createNonce, type Identity, random } from './identity.ts';
import type { Group, LinkRefused, Refusal, Transport, TransportOptions } from './transport.ts';

/** Makes transports that can reach each other. */
export type CreateTransport = (options: TransportOptions) => Transport;

/** What a test peer was told, one line for each call of a handler. */
export type Note =
  | { readonly kind: 'group'; readonly group: Group }
  | { readonly kind: 'up'; readonly peer: LinkedPeer }
  | { readonly kind: 'down'; readonly peer: PeerId; readonly refused: boolean }
  | { readonly kind: 'bytes'; readonly from: PeerId }
  | { readonly kind: 'message'; readonly from: PeerId; readonly message: ProtocolMessage }
  | { readonly kind: 'refused'; readonly refused: LinkRefused }
  | { readonly kind: 'unreachable'; readonly address: string };

/** How a test peer differs from the usual one. */
export interface TestPeerOptions {
  readonly id: PeerId;
  readonly group?: Group | null;
  readonly identity?: Identity;
  readonly nonce?: number;
  readonly port?: number;
  readonly keyFor?: TransportOptions['keyFor'];
  readonly admit?: TransportOptions['admit'];
  readonly dialOverrides?: ReadonlyMap<PeerId, string>;
}

/** One transport with its notes. */
export class TestPeer {
  readonly notes: Note[] = [];
  readonly identity: Identity;
  readonly id: PeerId;
  readonly nonce: number;
  readonly logged: string[] = [];
  readonly transport: Transport;
  address = '';
  port = 0;
  #waiting: (() => void)[] = [];

  constructor(create: CreateTransport, options: TestPeerOptions) {
    this.id = options.id;
    this.identity = options.identity ?? createIdentity();
    this.nonce = options.nonce ?? createNonce();
    const note = (one: Note): void => {
      this.notes.push(one);
      for (const check of this.#waiting) check();
    };
    this.transport = create({
      self: { id: options.id, name: `peer_${options.id}`, identity: this.identity },
      nonce: this.nonce,
      group: options.group ?? null,
      keyFor: options.keyFor ?? (() => Promise.resolve(null)),
      promised: () => ({ number: options.id, leader: options.id }),
      admit: options.admit ?? (() => null),
      host: '127.0.0.1',
      port: options.port ?? 0,
      dialOverrides: options.dialOverrides ?? new Map(),
      handlers: {
        groupLearned: (group) => note({ kind: 'group', group }),
        linkUp: (peer) => note({ kind: 'up', peer }),
        linkDown: (peer, refused) => note({ kind: 'down', peer, refused }),
        bytes: (from) => note({ kind: 'bytes', from }),
        message: (from, message) => note({ kind: 'message', from, message }),
        linkRefused: (refused) => note({ kind: 'refused', refused }),
        seedUnreachable: (address) => note({ kind: 'unreachable', address }),
      },
      log: createLogger({ level: 'debug', write: (line) => this.logged.push(line) }),
    });
  }

  get member(): Member {
    const { id, address } = this;
    return { id, key: this.identity.publicKey, name: `peer_${id}`, address };
  }

  async listen(): Promise<this> {
    const listening = await this.transport.listen();
    if (!listening.ok) throw new Error(listening.error.message);
    this.address = listening.value.address;
    this.port = listening.value.port;
    return this;
  }

  /** Links that are up by the notes, and a check that none goes up or down twice in a row. */
  get up(): PeerId[] {
    const up = new Set<PeerId>();
    for (const note of this.notes) {
      if (note.kind === 'up') {
        expect(up, 'link up twice').not.toContain(note.peer.id);
        up.add(note.peer.id);
      } else if (note.kind === 'down') {
        expect(up, 'link down twice').toContain(note.peer);
        up.delete(note.peer);
      }
    }
    return [...up].sort((a, b) => a - b);
  }

  get received(): ProtocolMessage[] {
    return this.notes.flatMap((note) => (note.kind === 'message' ? [note.message] : []));
  }

  count(kind: Note['kind']): number {
    return this.notes.filter((note) => note.kind === kind).length;
  }

  refusal(): Extract<Note, { kind: 'refused' }>['refused'] | undefined {
    return this.notes.find((note) => note.kind === 'refused')?.refused;
  }

  /** Resolves as soon as the condition holds; rejects with the notes when it has not in time. */
  until(condition: () => boolean, what: string, limitMs = 4_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        clearInterval(poll);
        this.#waiting = this.#waiting.filter((each) => each !== check);
      };
      const check = (): void => {
        if (!condition()) return;
        done();
        resolve();
      };
      const timer = setTimeout(() => {
        done();
        const notes = this.notes.map((note) => JSON.stringify(note)).join('\n');
        reject(new Error(`not ${what} in time: ${notes}\n${this.logged.join('')}`));
      }, limitMs);
      // Conditions may look at other peers' notes too.
      const poll = setInterval(check, 5);
      this.#waiting.push(check);
      check();
    });
  }

  untilUp(...peers: readonly TestPeer[]): Promise<void> {
    return this.until(() => peers.every((peer) => this.up.includes(peer.id)), 'linked');
  }
}

/** A message with a number in it. */
export function numbered(round: number): ProtocolMessage {
  return { kind: 'answer', round };
}

/** Runs the contract of transport.ts against one implementation. */
export function transportAcceptance(create: CreateTransport): void {
  const group = createGroup();
  const open: TestPeer[] = [];
  const make = (options: TestPeerOptions): TestPeer => {
    const peer = new TestPeer(create, { group, ...options });
    open.push(peer);
    return peer;
  };
  const listening = (options: TestPeerOptions): Promise<TestPeer> => make(options).listen();

  afterEach(async () => {
    await Promise.all(open.splice(0).map((peer) => peer.transport.close()));
  });

  async function linked(): Promise<[TestPeer, TestPeer]> {
    const [a, b] = await Promise.all([listening({ id: 1 }), listening({ id: 2 })]);
    a.transport.setAddresses([b.member]);
    b.transport.setAddresses([a.member]);
    await Promise.all([a.untilUp(b), b.untilUp(a)]);
    return [a, b];
  }

  describe('a link', () => {
    test('tells each side who is at the other end', async () => {
      const [a, b] = await linked();
      const expected = (peer: TestPeer): Note => ({
        kind: 'up',
        peer: {
          ...peer.member,
          promised: { number: peer.id, leader: peer.id },
          nonce: peer.nonce,
        },
      });
      expect(a.notes).toEqual([expected(b)]);
      expect(b.notes).toEqual([expected(a)]);
    });

    test('carries messages both ways, in order, after a sign of life', async () => {
      const [a, b] = await linked();
      for (let i = 0; i < 1_000; i++) a.transport.send(2, numbered(i));
      b.transport.send(1, numbered(7));
      await b.until(() => b.received.length === 1_000, 'received');
      await a.until(() => a.received.length === 1, 'received');
      expect(b.received).toEqual(Array.from({ length: 1_000 }, (_, i) => numbered(i)));
      expect(a.received).toEqual([numbered(7)]);
      expect(b.notes[1]).toEqual({ kind: 'bytes', from: 1 });
    });

    test('carries a full frame', async () => {
      const [a, b] = await linked();
      const body = new Uint8Array(64 * 1024).fill(0x61);
      const id = '01890a5d-ac96-774b-bcce-b302099a8057';
      const one = { id, author: 1, after: null, sentAt: 0, body };
      const message: ProtocolMessage = { kind: 'submit', messages: [one, one, one] };
      a.transport.send(2, message);
      await b.until(() => b.received.length === 1, 'received');
      expect(b.received).toEqual([message]);
    });

    test('is the only one of its pair though both sides dial', async () => {
      const peers = await Promise.all([1, 2, 3, 4].map((id) => listening({ id })));
      for (const peer of peers) peer.transport.setAddresses(peers.map((each) => each.member));
      await Promise.all(
        peers.map((peer) => peer.untilUp(...peers.filter((each) => each !== peer))),
      );
      for (const from of peers) {
        for (const to of peers) if (to !== from) from.transport.send(to.id, numbered(from.id));
      }
      for (const peer of peers) {
        await peer.until(() => peer.received.length === 3, 'heard by all');
        expect(peer.count('up')).toBe(3);
        expect(peer.count('down')).toBe(0);
        expect(peer.count('refused')).toBe(0);
      }
    });

    test('drops what is sent to nobody', async () => {
      const [a, b] = await linked();
      a.transport.send(9, numbered(1));
      a.transport.send(2, numbered(2));
      await b.until(() => b.received.length === 1, 'received');
      expect(b.received).toEqual([numbered(2)]);
    });

    test('to a peer that closes ends at once, refused, and once', async () => {
      const [a, b] = await linked();
      await b.transport.close();
      await a.until(() => a.count('down') > 0, 'down');
      expect(a.notes.filter((note) => note.kind === 'down')).toEqual([
        { kind: 'down', peer: 2, refused: true },
      ]);
      expect(a.up).toEqual([]);
    });

    test('comes back when the peer comes back at the same place', async () => {
      const [a, b] = await linked();
      await b.transport.close();
      await a.until(() => a.count('down') > 0, 'down');
      const again = await listening({ id: 2, identity: b.identity, port: b.port });
      await a.untilUp(again);
      const ups = a.notes.flatMap((note) => (note.kind === 'up' ? [note.peer.nonce] : []));
      expect(ups).toEqual([b.nonce, again.nonce]);
    });

    test('delivers what was sent just before a close', async () => {
      const [a, b] = await linked();
      a.transport.send(2, numbered(5));
      await Promise.all([a.transport.close(), b.until(() => b.received.length === 1, 'received')]);
      expect(b.received).toEqual([numbered(5)]);
    });

    test('that the host disconnects ends at both sides, with the reason at the other', async () => {
      const [a, b] = await linked();
      a.transport.disconnect(2, { code: 'ROLLED_BACK', message: 'an old copy' });
      await a.until(() => a.count('down') > 0, 'down');
      await b.until(() => b.count('down') > 0, 'down');
      expect(b.refusal()).toMatchObject({
        code: 'ROLLED_BACK',
        message: 'an old copy',
        by: 'them',
        peer: 1,
        proven: true,
      });
      expect([a.up, b.up]).toEqual([[], []]);
    });

    test('tells nothing more once its transport closes', async () => {
      const [a, b] = await linked();
      for (let i = 0; i < 10; i++) b.transport.send(1, numbered(i));
      const before = a.notes.length;
      await a.transport.close();
      await b.until(() => b.count('down') > 0, 'down');
      expect(a.notes.length).toBe(before);
    });
  });

  describe('a fresh joiner', () => {
    test('learns the group from a seed before the link is up', async () => {
      const seed = await listening({ id: 1 });
      const keyFor = (id: Uint8Array): Promise<Uint8Array | null> =>
        Promise.resolve(Buffer.compare(id, group.id) === 0 ? group.key : null);
      const joiner = await listening({ id: 2, group: null, keyFor });
      joiner.transport.addSeed(`1:${seed.address}`);
      await Promise.all([joiner.untilUp(seed), seed.untilUp(joiner)]);
      expect(joiner.notes[0]).toEqual({ kind: 'group', group });
      expect(joiner.notes[1]?.kind).toBe('up');
    });

    test('is told when it has no key for the seed’s group', async () => {
      const seed = await listening({ id: 1 });
      const joiner = await listening({ id: 2, group: null });
      joiner.transport.addSeed(seed.address);
      await joiner.until(() => joiner.count('refused') > 0, 'refused');
      expect(joiner.refusal()).toMatchObject({ code: 'WRONG_KEY', by: 'us', seed: true, peer: 1 });
      expect(seed.up).toEqual([]);
    });

    test('is told about a seed that does not answer, and finds it later', async () => {
      const seed = await listening({ id: 1 });
      const { address, port, identity } = seed;
      await seed.transport.close();
      const joiner = await listening({ id: 2 });
      joiner.transport.addSeed(address);
      await joiner.until(() => joiner.count('unreachable') > 0, 'told');
      const again = await listening({ id: 1, identity, port });
      await joiner.untilUp(again);
      expect(joiner.count('unreachable')).toBe(1);
    });

    test('does not join through another that has not joined itself', async () => {
      const other = await listening({ id: 1, group: null });
      const seed = await listening({ id: 3 });
      const keyFor = (): Promise<Uint8Array> => Promise.resolve(group.key);
      const joiner = await listening({ id: 2, group: null, keyFor });
      joiner.transport.addSeed(other.address);
      joiner.transport.addSeed(seed.address);
      await joiner.untilUp(seed);
      expect(joiner.up).toEqual([3]);
      expect(other.notes).toEqual([]);
    });

    test('ignores itself as a seed', async () => {
      const seed = await listening({ id: 1 });
      const joiner = make({ id: 2 });
      joiner.transport.addSeed(seed.address);
      await joiner.listen();
      joiner.transport.addSeed(joiner.address);
      await joiner.untilUp(seed);
      expect(joiner.notes.map((note) => note.kind)).toEqual(['up']);
    });
  });

  describe('a peer is refused with a reason', () => {
    test.each<[string, Partial<TestPeerOptions>, Partial<Refusal>]>([
      ['of another group', { group: createGroup() }, { code: 'WRONG_GROUP' }],
      ['with another key', { group: { id: group.id, key: random(32) } }, { code: 'WRONG_KEY' }],
      ['with the id of the seed', { id: 1 }, { code: 'ID_TAKEN' }],
    ])('%s', async (_what, options, expected) => {
      const seed = await listening({ id: 1 });
      const newcomer = await listening({ id: 2, ...options });
      newcomer.transport.addSeed(seed.address);
      await newcomer.until(() => newcomer.count('refused') > 0, 'refused');
      expect(newcomer.refusal()).toMatchObject({ ...expected, seed: true });
      expect([seed.up, newcomer.up]).toEqual([[], []]);
    });

    test('that its id is another’s, who is linked', async () => {
      const [a, b] = await linked();
      const newcomer = await listening({ id: 2 });
      newcomer.transport.addSeed(a.address);
      await newcomer.until(() => newcomer.count('refused') > 0, 'refused');
      expect(newcomer.refusal()).toMatchObject({ code: 'ID_TAKEN', by: 'them', proven: true });
      expect([a.up, b.up, newcomer.up]).toEqual([[2], [1], []]);
    });

    test('that its identity is up elsewhere: a copied folder', async () => {
      const [a, b] = await linked();
      const copy = await listening({ id: 2, identity: b.identity });
      copy.transport.addSeed(a.address);
      await copy.until(() => copy.count('refused') > 0, 'refused');
      expect(copy.refusal()).toMatchObject({ code: 'ID_IN_USE', by: 'them', proven: true });
      expect([a.up, b.up, copy.up]).toEqual([[2], [1], []]);
      expect([a.count('down'), b.count('down')]).toEqual([0, 0]);
    });

    test.each([
      ['lower', 1, 2],
      ['higher', 2, 1],
    ])('that the host of the %s peer names', async (_which, seedId, newcomerId) => {
      const refusal: Refusal = { code: 'ROLLED_BACK', message: 'an old copy of the data' };
      const seed = await listening({ id: seedId, admit: () => refusal });
      const newcomer = await listening({ id: newcomerId });
      newcomer.transport.addSeed(seed.address);
      await newcomer.until(() => newcomer.count('refused') > 0, 'refused');
      expect(newcomer.refusal()).toMatchObject({ ...refusal, by: 'them', proven: true });
      expect([seed.up, newcomer.up]).toEqual([[], []]);
    });
  });

  test('a port that is taken is named', async () => {
    const first = await listening({ id: 1 });
    const second = make({ id: 2, port: first.port });
    const listened = await second.transport.listen();
    expect(listened.ok ? null : listened.error).toMatchObject({ code: 'PORT_IN_USE', fatal: true });
    expect(listened.ok ? '' : listened.error.message).toContain(first.address);
  });
}
