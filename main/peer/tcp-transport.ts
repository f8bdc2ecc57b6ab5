/**
 * Links over TCP: listens, dials through dialler.ts, and keeps one link per pair. Of two connections
 * between the same processes the peer with the higher id chooses, because it says WELCOME last; the
 * first that it chose stays for as long as it answers. It never judges what a message says.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { assert } from '../../shared/assert.ts';
import { NAME_BYTES_MAX, type NodeError } from '../../shared/model.ts';
import type { ProtocolMessage } from '../../shared/protocol/messages.ts';
import { encodeMessage } from '../../shared/protocol/codec.ts';
import type { LinkedPeer } from '../../shared/protocol/ready.ts';
import { bytesEqual, type Member, type PeerId } from '../../shared/protocol/types.ts';
import { encodeUtf8 } from '../../shared/protocol/utf8.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import {
  type Address,
  bareHost,
  formatAddress,
  isOwn,
  parseAddress,
  parseAddressList,
  type SeedAddress,
  toldAddress,
} from './addresses.ts';
import { Dialler, type Target } from './dialler.ts';
import { HEADER_BYTES, sealFrame } from './frame-codec.ts';
import { badFrame, type Hello } from './handshake.ts';
import { random } from './identity.ts';
import {
  GOOD_LINK_MS,
  PROBE_MS,
  QUIET_MS,
  REDIAL_VERDICT_MS,
  SILENT_MS,
  UNPROVEN_CONNECTIONS_MAX,
} from './limits.ts';
import { type ConnectionHost, type Ending, TcpConnection } from './tcp-connection.ts';
import type {
  Group,
  Listening,
  Refusal,
  RefusalCode,
  Transport,
  TransportOptions,
} from './transport.ts';

/** How often links are looked at for silence, milliseconds. */
const WATCH_MS = 1_000;
/** A process that died may still accept for a moment: so often it is dialled before the verdict. */
const VERDICT_TRIES = 8;
/** Short-lived links in a row to one process before the next end is reported without a redial. */
const SHORT_LINKS_MAX = 3;
/** Messages remembered with their frames. */
const ENCODED_KEPT = 4;
/** Distinct complaints remembered, so that each is logged once. */
const COMPLAINTS_MAX = 1_000;

/** Ends that happen in a healthy group and are nobody's business. */
const QUIET: ReadonlySet<RefusalCode> = new Set(['DUPLICATE', 'SELF', 'JOINING']);

/** Makes a transport over TCP. Nothing is opened before `listen`. */
export function createTcpTransport(options: TransportOptions): Transport {
  const transport = new TcpTransport(options);
  return {
    listen: () => transport.listen(),
    send: (to, message) => transport.send(to, message),
    setAddresses: (members) => transport.setAddresses(members),
    addSeed: (address) => transport.addSeed(address),
    disconnect: (peer, refusal) => transport.disconnect(peer, refusal),
    close: () => transport.close(),
  };
}

interface Link {
  readonly connection: TcpConnection;
  readonly peer: LinkedPeer;
  readonly upAt: number;
}

/** The end of a link that is not reported yet. */
interface Verdict {
  readonly address: Address;
  readonly timer: NodeJS.Timeout;
  tries: number;
}

/** Why a connection of this side was opened. */
interface Attempt {
  readonly target: Target | null;
  /** The peer whose link closed just before. */
  readonly redial: PeerId | null;
  readonly address: Address;
}

class TcpTransport {
  readonly #options: TransportOptions;
  readonly #server: Server;
  readonly #dialler: Dialler;
  readonly #startedAt = performance.now();
  readonly #connections = new Set<TcpConnection>();
  readonly #attempts = new Map<TcpConnection, Attempt>();
  readonly #links = new Map<PeerId, Link>();
  readonly #verdicts = new Map<PeerId, Verdict>();
  readonly #shortLinks = new Map<PeerId, { readonly nonce: number; readonly count: number }>();
  readonly #complaints = new Set<string>();
  readonly #unreachable = new Set<string>();
  /** Seeds that were told to have no group themselves. */
  readonly #groupless = new Set<string>();
  readonly #seeds: SeedAddress[] = [];
  readonly #host: ConnectionHost;
  #group: Group | null;
  readonly #name: string;
  #listening: Listening | null = null;
  #watch: NodeJS.Timeout | null = null;
  #watchedAt = 0;
  #closing: Promise<void> | null = null;
  readonly #encoded: { message: ProtocolMessage; frame: Uint8Array }[] = [];
  #encodedNext = 0;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#group = options.group;
    this.#name = shortName(options.self.name);
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#dialler = new Dialler(
      {
        linked: (id) => this.#links.has(id) || this.#verdicts.has(id),
        open: (target, address) => this.#open({ target, address, redial: null }),
        random: Math.random,
      },
      options.dialOverrides,
    );
    this.#host = {
      identity: options.self.identity,
      hello: () => this.#hello(),
      greeted: (connection, hello) => this.#greeted(connection, hello),
      proven: (connection) => void this.#judge(connection),
      welcomed: (connection) => this.#welcomed(connection),
      bytes: ({ hello }) => {
        if (hello !== null) options.handlers.bytes(hello.id);
      },
      message: ({ hello }, message) => {
        if (hello !== null) options.handlers.message(hello.id, message);
      },
      ended: (connection, ending) => this.#ended(connection, ending),
    };
  }

  listen(): Promise<Result<Listening, NodeError>> {
    const { port } = this.#options;
    const host = bareHost(this.#options.host);
    return new Promise((resolve) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        resolve(err(listenError(error, formatAddress({ host, port }))));
      });
      const listening = (): void => {
        const bound = this.#server.address();
        const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
        const address = toldAddress({ host, port: actual });
        this.#listening = { host, port: actual, address };
        this.#started();
        resolve(ok(this.#listening));
      };
      try {
        this.#server.listen({ host, port }, listening);
      } catch (error) {
        resolve(err(listenError(error as NodeJS.ErrnoException, formatAddress({ host, port }))));
      }
    });
  }

  #started(): void {
    this.#server.on('error', (error) => {
      this.#options.log.error('listener-failed', { why: error.message });
    });
    for (const seed of this.#seeds) this.#dialSeed(seed);
    this.#watchedAt = performance.now();
    this.#watch = setInterval(() => this.#lookForSilence(), WATCH_MS);
    this.#dialler.start();
  }

  send(to: PeerId, message: ProtocolMessage): void {
    this.#links.get(to)?.connection.send(this.#frameOf(message));
  }

  /** Encodes once what goes to several peers: a few batches in turn to one, then to the next. */
  #frameOf(message: ProtocolMessage): Uint8Array {
    for (const each of this.#encoded) if (each.message === message) return each.frame;
    const frame = sealFrame(encodeMessage(message, HEADER_BYTES));
    this.#encoded[this.#encodedNext] = { message, frame };
    this.#encodedNext = (this.#encodedNext + 1) % ENCODED_KEPT;
    return frame;
  }

  setAddresses(members: readonly Member[]): void {
    this.#dialler.setPeers(members.filter((member) => member.id !== this.#options.self.id));
  }

  addSeed(address: string): void {
    const seed = parseAddress(address);
    if (!seed.ok) {
      this.#complain('bad-seed', address, { why: seed.error });
      return;
    }
    this.#seeds.push(seed.value);
    if (this.#listening !== null) this.#dialSeed(seed.value);
  }

  #dialSeed(seed: SeedAddress): void {
    if (this.#listening !== null && !isOwn(seed, this.#listening)) this.#dialler.addSeed(seed);
  }

  disconnect(peer: PeerId, refusal: Refusal): void {
    this.#links.get(peer)?.connection.refuse(refusal);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#dialler.stop();
    if (this.#watch !== null) clearInterval(this.#watch);
    for (const { timer } of this.#verdicts.values()) clearTimeout(timer);
    const listener =
      this.#listening === null
        ? Promise.resolve()
        : new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const gone = [...this.#connections].map((connection) => connection.gone());
    for (const connection of this.#connections) connection.end('this peer closes');
    await Promise.all([listener, ...gone]);
  }

  #hello(): Hello {
    const { self, nonce, promised } = this.#options;
    return {
      group: this.#group?.id ?? null,
      id: self.id,
      name: this.#name,
      address: this.#listening?.address ?? '',
      key: self.identity.publicKey,
      promised: promised(),
      nonce,
      upMs: Math.round(performance.now() - this.#startedAt),
      random: random(32),
    };
  }

  #accept(socket: Socket): void {
    let unproven = 0;
    for (const { side, state } of this.#connections) {
      if (side === 'acceptor' && state !== 'up') unproven++;
    }
    if (this.#closing !== null || unproven >= UNPROVEN_CONNECTIONS_MAX) {
      socket.destroy();
      this.#complain('too-many-connections', socket.remoteAddress ?? '', {});
      return;
    }
    const address = formatAddress({
      host: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
    });
    this.#connections.add(
      new TcpConnection({ socket, side: 'acceptor', address, host: this.#host }),
    );
  }

  #open(attempt: Attempt): void {
    if (this.#closing !== null) return;
    const socket = connect({ ...attempt.address, noDelay: true });
    const address = formatAddress(attempt.address);
    const connection = new TcpConnection({ socket, side: 'dialler', address, host: this.#host });
    this.#connections.add(connection);
    this.#attempts.set(connection, attempt);
  }

  /** Looks at a HELLO before anything is proven: is this a peer to go on with, and in which group? */
  #greeted(connection: TcpConnection, hello: Hello): Refusal | Promise<Group | Refusal> {
    const { self, nonce } = this.#options;
    const attempt = this.#attempts.get(connection);
    const mine = bytesEqual(hello.key, self.identity.publicKey);
    if (mine && hello.nonce === nonce) {
      if (attempt?.target) this.#dialler.learned(attempt.target, null, attempt.address);
      return { code: 'SELF', message: 'this peer dialled itself' };
    }
    if (attempt?.target) {
      this.#dialler.learned(attempt.target, hello.id, attempt.address);
      this.#unreachable.delete(connection.address);
    }
    const link = this.#links.get(hello.id);
    if (connection.side === 'dialler' && link !== undefined && sameProcess(link.peer, hello)) {
      return { code: 'DUPLICATE', message: 'this pair is linked already' };
    }
    return this.#groupWith(connection, hello);
  }

  #groupWith(connection: TcpConnection, hello: Hello): Refusal | Promise<Group | Refusal> {
    const joining: Refusal = { code: 'JOINING', message: 'this peer has not joined a group yet' };
    if (this.#group !== null) {
      const group = this.#group;
      if (hello.group === null) {
        return connection.side === 'dialler' ? joining : Promise.resolve(group);
      }
      return bytesEqual(group.id, hello.group) ? Promise.resolve(group) : wrongGroup;
    }
    const { group } = hello;
    if (group === null || connection.side === 'acceptor') return joining;
    return this.#options.keyFor(group).then((key) => {
      const id = Buffer.from(group).toString('hex');
      const message = `the key of group ${id} is not on this machine; join with an invite link`;
      return key === null ? { code: 'WRONG_KEY' as const, message } : { id: group, key };
    });
  }

  /**
   * Decides about a connection whose other side has proven its keys: refuses it, or says WELCOME. The
   * higher peer of a pair waits for the other's WELCOME and then has the last word.
   */
  async #judge(connection: TcpConnection): Promise<void> {
    const { peer, group } = connection;
    while (connection.state === 'proven' && peer !== null && group !== null) {
      const refusal = this.#reasonAgainst(connection, peer, group);
      if (refusal !== null) {
        if (refusal !== 'yield') connection.refuse(refusal);
        return;
      }
      const last = this.#options.self.id > peer.id;
      if (last && !connection.welcomed) return;
      const older = this.#links.get(peer.id);
      if (older === undefined || (!last && sameProcess(older.peer, peer))) {
        connection.welcome();
        if (last) this.#up(connection, peer, group);
        return;
      }
      if (await older.connection.probe(PROBE_MS)) {
        connection.refuse(clash(older.peer, peer));
        return;
      }
      if (this.#links.get(peer.id) === older) this.#replace(older, 'a new link took its place');
    }
  }

  /** `yield`: this process is the newcomer of two with one id, and waits to be told so. */
  #reasonAgainst(
    connection: TcpConnection,
    peer: LinkedPeer,
    group: Group,
  ): Refusal | 'yield' | null {
    const { self } = this.#options;
    if (this.#group !== null && !bytesEqual(this.#group.id, group.id)) return wrongGroup;
    if (peer.id !== self.id) return this.#options.admit(peer);
    const copy = bytesEqual(self.identity.publicKey, peer.key);
    const stays = copy ? connection.older : connection.side === 'acceptor';
    return stays ? clash({ id: self.id, key: self.identity.publicKey }, peer) : 'yield';
  }

  #welcomed(connection: TcpConnection): void {
    const { peer, group } = connection;
    if (peer === null || group === null) return;
    if (this.#options.self.id > peer.id) {
      void this.#judge(connection);
      return;
    }
    if (!connection.agreed) {
      connection.refuse(badFrame('WELCOME out of turn'));
      return;
    }
    const older = this.#links.get(peer.id);
    if (older !== undefined && !sameProcess(older.peer, peer)) {
      // It came up while this one was being agreed on, so it was just heard.
      connection.refuse(clash(older.peer, peer));
      return;
    }
    this.#up(connection, peer, group);
  }

  #up(connection: TcpConnection, peer: LinkedPeer, group: Group): void {
    const older = this.#links.get(peer.id);
    if (older !== undefined) this.#replace(older, 'the other side chose another link');
    this.#verdict(peer.id, false);
    connection.open();
    this.#links.set(peer.id, { connection, peer, upAt: performance.now() });
    this.#dialler.linked(peer.id, this.#attempts.get(connection)?.target ?? null);
    if (this.#group === null) {
      this.#group = group;
      this.#options.handlers.groupLearned(group);
    }
    this.#options.log.info('link-up', { peer: peer.id, address: connection.address });
    this.#options.handlers.linkUp(peer);
  }

  #replace(link: Link, why: string): void {
    this.#links.delete(link.peer.id);
    link.connection.destroy(why);
    this.#options.log.info('link-replaced', { peer: link.peer.id, why });
    this.#options.handlers.linkDown(link.peer.id, false);
  }

  #ended(connection: TcpConnection, ending: Ending): void {
    this.#connections.delete(connection);
    const attempt = this.#attempts.get(connection);
    this.#attempts.delete(connection);
    if (this.#closing !== null) return;
    this.#report(connection, ending, attempt?.target?.seed === true);
    const refused = ending.refusal !== null && !QUIET.has(ending.refusal.code);
    const link = connection.peer === null ? undefined : this.#links.get(connection.peer.id);
    if (link?.connection === connection) {
      this.#lost(link, ending);
      return;
    }
    if (attempt === undefined || ending.stage === 'up') return;
    if (attempt.redial !== null) this.#redialled(attempt.redial, ending);
    if (attempt.target === null) return;
    this.#seedFailed(attempt, ending, connection.hello !== null);
    const { id, seed } = attempt.target;
    const other = !seed && connection.hello !== null && connection.hello.id !== id;
    this.#dialler.failed(attempt.target, refused || other);
  }

  /** Tells once why a seed is of no use yet: silent, somebody else's port, or without a group itself. */
  #seedFailed(attempt: Attempt, ending: Ending, greeted: boolean): void {
    const address = formatAddress(attempt.address);
    if (attempt.target?.seed !== true) return;
    const what = greeted ? troubleOfGreeted(ending) : troubleOfSilent(ending);
    const told = greeted ? this.#groupless : this.#unreachable;
    if (what === null || told.has(address)) return;
    told.add(address);
    this.#options.handlers.seedUnreachable(address, what);
  }

  #report(connection: TcpConnection, ending: Ending, seed: boolean): void {
    const { refusal, by, proven } = ending;
    const peer = connection.hello?.id ?? null;
    const { address } = connection;
    this.#options.log.debug('connection-ended', { peer, address, why: ending.why });
    if (refusal === null || QUIET.has(refusal.code)) return;
    const { code, message } = refusal;
    const who = peer === null ? address.replace(/:\d+$/, '') : `${peer}`;
    this.#complain('connection-refused', `${code} ${by} ${who}`, {
      code,
      message,
      by,
      peer,
      address,
    });
    if (by === 'us' && connection.side === 'acceptor' && ending.stage !== 'up') return;
    this.#options.handlers.linkRefused({ code, message, by, peer, address, seed, proven });
  }

  #lost(link: Link, ending: Ending): void {
    const { id } = link.peer;
    this.#links.delete(id);
    this.#options.log.info('link-down', { peer: id, why: ending.why });
    const short = this.#countShort(link);
    const good = short === 0;
    const address = this.#redialAddress(link);
    if (ending.refusal !== null || short > SHORT_LINKS_MAX || address === null) {
      this.#options.handlers.linkDown(id, false);
      this.#dialler.lost(id, { good, refused: ending.refusal !== null });
      return;
    }
    const timer = setTimeout(() => this.#verdict(id, false), REDIAL_VERDICT_MS);
    this.#verdicts.set(id, { address, timer, tries: 1 });
    this.#open({ target: null, redial: id, address });
  }

  /** How many links in a row to the same process were short-lived, this one included. */
  #countShort({ peer: { id, nonce }, upAt }: Link): number {
    const before = this.#shortLinks.get(id);
    const good = performance.now() - upAt >= GOOD_LINK_MS;
    const count = good ? 0 : before?.nonce === nonce ? before.count + 1 : 1;
    this.#shortLinks.set(id, { nonce, count });
    return count;
  }

  /** Where it was dialled just now, else where it says that it listens. */
  #redialAddress({ connection, peer }: Link): Address | null {
    const override = this.#dialler.overrideOf(peer.id);
    if (override !== null) return override;
    const told = parseAddressList(
      connection.side === 'dialler' ? connection.address : peer.address,
    );
    const from = parseAddressList(connection.address)[0]?.host;
    return told.find((address) => address.host === from) ?? told[0] ?? null;
  }

  /** How the redial after the end of a link went. */
  #redialled(id: PeerId, ending: Ending): void {
    const verdict = this.#verdicts.get(id);
    if (verdict === undefined) return;
    const cut = ending.stage === 'hello' || ending.why === 'ECONNRESET';
    if (ending.connectRefused) {
      this.#verdict(id, true);
    } else if (cut && verdict.tries < VERDICT_TRIES) {
      // Accepted and cut: a process that is just dying, or one whose own redial came first.
      verdict.tries++;
      const { address } = verdict;
      setTimeout(() => {
        if (this.#verdicts.get(id) === verdict) this.#open({ target: null, redial: id, address });
      }, verdict.tries);
    } else {
      this.#verdict(id, false);
    }
  }

  /** Reports the end of a link, unless that was done. */
  #verdict(id: PeerId, refused: boolean): void {
    const verdict = this.#verdicts.get(id);
    if (verdict === undefined) return;
    clearTimeout(verdict.timer);
    this.#verdicts.delete(id);
    this.#options.handlers.linkDown(id, refused);
    const good = this.#shortLinks.get(id)?.count === 0;
    this.#dialler.lost(id, { good, refused: false });
  }

  #lookForSilence(): void {
    const now = performance.now();
    const late = now - this.#watchedAt > 2 * WATCH_MS;
    this.#watchedAt = now;
    // After a pause of this process everything looks silent until what has arrived is read.
    if (late) return;
    for (const { connection } of this.#links.values()) {
      const silence = now - connection.lastReadAt;
      if (silence > SILENT_MS) connection.destroy('silent');
      else if (silence > QUIET_MS) connection.ping();
    }
  }

  /** Logs what others do wrong, each thing once. */
  #complain(
    event: string,
    what: string,
    fields: Parameters<TransportOptions['log']['warn']>[1],
  ): void {
    if (this.#complaints.size > COMPLAINTS_MAX) this.#complaints.clear();
    const known = this.#complaints.has(`${event} ${what}`);
    this.#complaints.add(`${event} ${what}`);
    if (known) this.#options.log.debug(event, { what, ...fields });
    else this.#options.log.warn(event, { what, ...fields });
  }
}

function shortName(name: string): string {
  assert(encodeUtf8(name).length <= NAME_BYTES_MAX, 'the name is longer than a HELLO carries');
  return name;
}

const wrongGroup: Refusal = {
  code: 'WRONG_GROUP',
  message: 'the peers belong to different groups',
};

interface Process {
  readonly key: Uint8Array;
  readonly nonce: number;
}

function sameProcess(a: Process, b: Process): boolean {
  return a.nonce === b.nonce && bytesEqual(a.key, b.key);
}

/** Why a second peer with the id of one that is there is turned away. */
function clash(
  there: { readonly id: PeerId; readonly key: Uint8Array; readonly nonce?: number },
  newcomer: LinkedPeer,
): Refusal {
  const { id } = there;
  if (!bytesEqual(there.key, newcomer.key)) {
    return { code: 'ID_TAKEN', message: `id ${id} belongs to someone else` };
  }
  if (there.nonce === newcomer.nonce) {
    return { code: 'DUPLICATE', message: 'this pair is linked already' };
  }
  const message = `another process runs peer ${id}`;
  return { code: 'ID_IN_USE', message };
}

/** Why a seed that said HELLO is of no use yet; null for what is reported otherwise. */
function troubleOfGreeted({ refusal }: Ending): string | null {
  return refusal?.code === 'JOINING' ? 'has no group itself yet' : null;
}

/** The same of one that did not. */
function troubleOfSilent({ refusal, why }: Ending): string | null {
  if (refusal === null) return `does not answer (${why})`;
  return refusal.code === 'BAD_FRAME' ? 'is no Lockstep peer' : null;
}

/** What the system means by them. */
const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'no such host',
  EACCES: 'a port below 1024 needs more rights',
};

function listenError(error: NodeJS.ErrnoException, address: string): NodeError {
  if (error.code === 'EADDRINUSE') {
    return { code: 'PORT_IN_USE', message: `${address} is in use already`, fatal: true };
  }
  const why = LISTEN_ERRORS[error.code ?? ''] ?? error.message;
  const message = `cannot listen on ${address}, as host and port ask: ${why} (${error.code ?? 'no code'})`;
  return { code: 'BAD_OPTION', message, fatal: true };
}
