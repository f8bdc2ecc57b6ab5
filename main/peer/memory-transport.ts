/**
 * A transport without sockets for tests of what stands on one: peers of one {@link MemoryNetwork} link
 * as the contract in transport.ts says, at once and without timers. Messages pass through the codec,
 * so nothing travels that could not travel in bytes. It proves keys by comparing them.
 */
import type { NodeError } from '../../shared/model.ts';
import { decodeMessage, encodeMessage } from '../../shared/protocol/codec.ts';
import type { ProtocolMessage } from '../../shared/protocol/messages.ts';
import type { LinkedPeer } from '../../shared/protocol/ready.ts';
import { bytesEqual, type Member, type PeerId } from '../../shared/protocol/types.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import { formatAddress, parseAddress, parseAddressList } from './addresses.ts';
import type {
  Group,
  Listening,
  Refusal,
  RefusalCode,
  Transport,
  TransportOptions,
} from './transport.ts';

const QUIET: ReadonlySet<RefusalCode> = new Set(['DUPLICATE', 'SELF', 'JOINING']);

/** Where memory transports find each other. */
export class MemoryNetwork {
  readonly #nodes = new Map<string, MemoryNode>();
  readonly #cuts = new Set<string>();
  #nextPort = 40_000;

  /** A transport in this network. */
  create(options: TransportOptions): Transport {
    const node = new MemoryNode(this, options);
    return {
      listen: () => Promise.resolve(node.listen()),
      send: (to, message) => node.send(to, message),
      setAddresses: (members) => node.setAddresses(members),
      addSeed: (address) => node.addSeed(address),
      disconnect: (peer, refusal) => node.disconnect(peer, refusal),
      close: () => Promise.resolve(node.close()),
    };
  }

  /** Closes the link of this pair and lets none up, as a cut cable does. */
  cut(a: PeerId, b: PeerId): void {
    this.#cuts.add(pair(a, b));
    for (const node of this.#nodes.values()) {
      if (node.id === a) node.drop(b, false);
    }
  }

  /** Lets the pair link again. */
  heal(a: PeerId, b: PeerId): void {
    this.#cuts.delete(pair(a, b));
    this.redial();
  }

  /** Takes a place to listen; null if it is taken. */
  bind(node: MemoryNode, port: number): number | null {
    const bound = port === 0 ? this.#nextPort++ : port;
    const place = String(bound);
    if (this.#nodes.has(place)) return null;
    this.#nodes.set(place, node);
    return bound;
  }

  /** Gives a place back. */
  release(port: number): void {
    this.#nodes.delete(String(port));
  }

  /** Who listens there; null if nobody does or the pair is cut. */
  at(address: string, from: PeerId): MemoryNode | null {
    const parsed = parseAddress(address);
    const node = parsed.ok ? this.#nodes.get(String(parsed.value.port)) : undefined;
    return node === undefined || this.#cuts.has(pair(node.id, from)) ? null : node;
  }

  /** Everybody dials whom they miss. */
  redial(): void {
    queueMicrotask(() => {
      for (const node of this.#nodes.values()) node.dial();
    });
  }
}

function pair(a: PeerId, b: PeerId): string {
  return `${Math.min(a, b)}-${Math.max(a, b)}`;
}

interface MemoryLink {
  readonly node: MemoryNode;
  readonly peer: LinkedPeer;
}

class MemoryNode {
  readonly #network: MemoryNetwork;
  readonly options: TransportOptions;
  readonly #links = new Map<PeerId, MemoryLink>();
  readonly #seeds = new Set<string>();
  readonly #told = new Set<string>();
  readonly #refused = new Set<string>();
  #addresses: readonly Member[] = [];
  #listening: Listening | null = null;
  #closed = false;
  readonly #name: string;
  group: Group | null;

  constructor(network: MemoryNetwork, options: TransportOptions) {
    this.#network = network;
    this.options = options;
    this.#name = options.self.name;
    this.group = options.group;
  }

  get id(): PeerId {
    return this.options.self.id;
  }

  /** What a handshake would prove about this node. */
  get introduction(): LinkedPeer {
    const { self, nonce, promised } = this.options;
    return {
      id: self.id,
      key: self.identity.publicKey,
      name: this.#name,
      address: this.#listening?.address ?? '',
      promised: promised(),
      nonce,
    };
  }

  listen(): Result<Listening, NodeError> {
    const { host } = this.options;
    const port = this.#network.bind(this, this.options.port);
    if (port === null) {
      const message = `${formatAddress({ host, port: this.options.port })} is in use already`;
      return err({ code: 'PORT_IN_USE', message, fatal: true });
    }
    this.#listening = { host, port, address: formatAddress({ host, port }) };
    this.#network.redial();
    return ok(this.#listening);
  }

  send(to: PeerId, message: ProtocolMessage): void {
    const link = this.#links.get(to);
    if (link === undefined || this.#closed) return;
    const bytes = encodeMessage(message);
    queueMicrotask(() => {
      if (this.#links.get(to) === link) link.node.#receive(this.id, bytes);
    });
  }

  #receive(from: PeerId, bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes);
    this.tell((handlers) => handlers.bytes(from));
    if (decoded.ok) this.tell((handlers) => handlers.message(from, decoded.value));
  }

  setAddresses(members: readonly Member[]): void {
    this.#addresses = members.filter((member) => member.id !== this.id);
    this.#network.redial();
  }

  addSeed(address: string): void {
    this.#seeds.add(address);
    this.#network.redial();
  }

  disconnect(peer: PeerId, refusal: Refusal): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    queueMicrotask(() => {
      if (this.#links.get(peer) !== link) return;
      this.#refused.add(String(peer));
      link.node.#refused.add(String(this.id));
      link.node.#reportRefusal(refusal, { by: 'them', seed: false, proven: true }, this);
      this.#reportRefusal(refusal, { by: 'us', seed: false, proven: true }, link.node);
      this.drop(peer, false);
    });
  }

  /** Ends the link with `peer` at both ends; `refused` is what the other end is told. */
  drop(peer: PeerId, refused: boolean): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    this.#links.delete(peer);
    link.node.#links.delete(this.id);
    queueMicrotask(() => {
      this.tell((handlers) => handlers.linkDown(peer, false));
      link.node.tell((handlers) => handlers.linkDown(this.id, refused));
    });
  }

  close(): void {
    if (this.#closed) return;
    if (this.#listening !== null) this.#network.release(this.#listening.port);
    this.#closed = true;
    queueMicrotask(() => {
      for (const peer of this.#links.keys()) this.drop(peer, true);
    });
  }

  /** Calls the host, unless this transport is closed. */
  tell(call: (handlers: TransportOptions['handlers']) => void): void {
    if (!this.#closed) call(this.options.handlers);
  }

  /** Tries every seed and every address whose peer is not linked. */
  dial(): void {
    if (this.#listening === null || this.#closed) return;
    const overrides = this.options.dialOverrides;
    for (const { id, address } of this.#addresses) {
      if (this.#links.has(id) || this.#refused.has(String(id))) continue;
      const places = parseAddressList(overrides.get(id) ?? address);
      for (const place of places) this.#dialOne(formatAddress(place), false);
    }
    for (const seed of this.#seeds) if (!this.#refused.has(seed)) this.#dialOne(seed, true);
  }

  #dialOne(address: string, seed: boolean): void {
    const other = this.#network.at(address, this.id);
    if (other === null || other.#closed) {
      const known = this.#told.has(address);
      this.#told.add(address);
      if (seed && !known)
        this.tell((handlers) => handlers.seedUnreachable(address, 'does not answer'));
      return;
    }
    if (other === this || this.#links.has(other.id)) return;
    this.#told.delete(address);
    void this.#meet(other, address, seed);
  }

  async #meet(other: MemoryNode, address: string, seed: boolean): Promise<void> {
    const group = this.group ?? (await this.#lookUp(other));
    if (this.#closed || other.#closed || this.#links.has(other.id)) return;
    const found = this.#reasonFor(other, group);
    if (found === null && group !== null) {
      this.#link(other, group);
      return;
    }
    const { refusal, by } = found ?? { refusal: noKey, by: 'us' as const };
    if (QUIET.has(refusal.code)) return;
    this.#refused.add(seed ? address : String(other.id));
    this.#reportRefusal(refusal, { by, seed, proven: found !== null && by === 'them' }, other);
  }

  async #lookUp(other: MemoryNode): Promise<Group | null> {
    if (other.group === null) return null;
    const key = await this.options.keyFor(other.group.id);
    return key === null ? null : { id: other.group.id, key };
  }

  #reasonFor(
    other: MemoryNode,
    group: Group | null,
  ): { readonly refusal: Refusal; readonly by: 'us' | 'them' } | null {
    if (other.group === null) return { refusal: joining, by: 'them' };
    if (group === null) return { refusal: noKey, by: 'us' };
    const us = (refusal: Refusal): { refusal: Refusal; by: 'us' } => ({ refusal, by: 'us' });
    if (!bytesEqual(group.id, other.group.id)) return us(wrongGroup);
    if (!bytesEqual(group.key, other.group.key)) return us(noKey);
    const ours = this.options.admit(other.introduction);
    if (ours !== null) return us(ours);
    const theirs = other.#reasonAgainst(this.introduction);
    return theirs === null ? null : { refusal: theirs, by: 'them' };
  }

  #reasonAgainst(newcomer: LinkedPeer): Refusal | null {
    const there = newcomer.id === this.id ? this.introduction : this.#links.get(newcomer.id)?.peer;
    if (there === undefined) return this.options.admit(newcomer);
    const { id } = there;
    return bytesEqual(there.key, newcomer.key)
      ? { code: 'ID_IN_USE', message: `another process runs peer ${id}` }
      : { code: 'ID_TAKEN', message: `id ${id} belongs to someone else` };
  }

  #link(other: MemoryNode, group: Group): void {
    this.#add(other, group);
    other.#add(this, group);
  }

  #add(other: MemoryNode, group: Group): void {
    const peer = other.introduction;
    this.#links.set(peer.id, { node: other, peer });
    if (this.group === null) {
      this.group = group;
      this.tell((handlers) => handlers.groupLearned(group));
    }
    this.tell((handlers) => handlers.linkUp(peer));
  }

  #reportRefusal(
    refusal: Refusal,
    how: { readonly by: 'us' | 'them'; readonly seed: boolean; readonly proven: boolean },
    other: MemoryNode,
  ): void {
    const address = other.introduction.address;
    this.tell((handlers) => handlers.linkRefused({ ...refusal, ...how, peer: other.id, address }));
  }
}

const joining: Refusal = { code: 'JOINING', message: 'this peer has not joined a group yet' };
const wrongGroup: Refusal = {
  code: 'WRONG_GROUP',
  message: 'the peers belong to different groups',
};
const noKey: Refusal = { code: 'WRONG_KEY', message: 'the group keys of the two peers differ' };
