/**
 * One socket: HELLO and PROOF, then frames both ways, within the limits. It knows whether the other
 * side has proven who it is; whether that peer is let in, and which of two connections of a pair
 * lives, its host decides. Whatever goes wrong here ends this connection and nothing else.
 */
import type { Socket } from 'node:net';
import { TRANSPORT_KINDS_FROM, decodeMessage } from '../../shared/protocol/codec.ts';
import type { ProtocolMessage } from '../../shared/protocol/messages.ts';
import type { LinkedPeer } from '../../shared/protocol/ready.ts';
import { FrameDecoder, HEADER_BYTES } from './frame-codec.ts';
import {
  badFrame,
  decodeHello,
  decodeRefuse,
  FRAME,
  type Hello,
  helloFrame,
  PING_FRAME,
  PONG_FRAME,
  type ProofInput,
  proofFrame,
  refuseFrame,
  type Side,
  verifyProof,
  WELCOME_FRAME,
} from './handshake.ts';
import type { Identity } from './identity.ts';
import {
  CLOSE_MS,
  DIAL_MS,
  FRAME_BYTES_MAX,
  GATHER_BYTES_MAX,
  HANDSHAKE_MS,
  SEND_BUFFER_BYTES_MAX,
  UNPROVEN_BYTES_MAX,
  UNPROVEN_FRAME_BYTES_MAX,
} from './limits.ts';
import type { Group, Refusal } from './transport.ts';

/**
 * `dialling` until connected; `hello` and `proof` until the other side has sent these; `proven` until
 * both have said WELCOME; `up`; `closing` while the last words leave; `closed`.
 */
export type ConnectionState =
  | 'dialling'
  | 'hello'
  | 'proof'
  | 'proven'
  | 'up'
  | 'closing'
  | 'closed';

/** How a connection ended. */
export interface Ending {
  /** Where it had got to. */
  readonly stage: ConnectionState;
  /** The reason that one side gave, if one did. */
  readonly refusal: Refusal | null;
  readonly by: 'them' | 'us';
  /** The other side had proven its keys. */
  readonly proven: boolean;
  /** Nothing listens there: the system's answer to the attempt to connect. */
  readonly connectRefused: boolean;
  /** What the system or a limit said, for logs. */
  readonly why: string;
}

/** What a connection asks and tells its host. Told from socket events only, never from inside a call. */
export interface ConnectionHost {
  readonly identity: Identity;
  /** The own HELLO of a new connection. */
  readonly hello: () => Hello;
  /** A HELLO arrived: a reason to refuse it, or the group that it is about and, maybe later, its key. */
  readonly greeted: (connection: TcpConnection, hello: Hello) => Refusal | Promise<Group | Refusal>;
  /** The other side has proven its keys; this side's WELCOME is up to the host. */
  readonly proven: (connection: TcpConnection) => void;
  /** The other side has said WELCOME. */
  readonly welcomed: (connection: TcpConnection) => void;
  /** One read on an up connection. */
  readonly bytes: (connection: TcpConnection) => void;
  readonly message: (connection: TcpConnection, message: ProtocolMessage) => void;
  /** Exactly once; nothing comes after it. */
  readonly ended: (connection: TcpConnection, ending: Ending) => void;
}

/** A socket and whom it belongs to. */
export interface ConnectionOptions {
  readonly socket: Socket;
  readonly side: Side;
  /** Where it was dialled, or where it came from. */
  readonly address: string;
  readonly host: ConnectionHost;
}

/** One connection to one peer. */
export class TcpConnection {
  readonly side: Side;
  readonly address: string;
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #decoder = new FrameDecoder(UNPROVEN_FRAME_BYTES_MAX);
  #state: ConnectionState;
  #timer: NodeJS.Timeout | null = null;
  #own: Hello | null = null;
  /** HELLO payloads as they were sent. */
  #ownHello: Uint8Array = new Uint8Array(0);
  #theirHello: Uint8Array = new Uint8Array(0);
  #hello: Hello | null = null;
  #group: Group | null = null;
  #provenOnce = false;
  #welcomed = false;
  #agreed = false;
  /** The key of the group is being looked up: nothing more is read until then. */
  #waiting = false;
  #unprovenBytes = 0;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #flushing = false;
  #lastReadAt = 0;
  #probes: ((alive: boolean) => void)[] = [];

  constructor(options: ConnectionOptions) {
    this.side = options.side;
    this.address = options.address;
    this.#socket = options.socket;
    this.#host = options.host;
    this.#state = this.#socket.connecting ? 'dialling' : 'hello';
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#finish({ why: error.code ?? error.message });
    });
    this.#socket.on('end', () => this.#finish({ why: 'closed by the other side' }));
    this.#socket.on('close', () => this.#finish({ why: 'closed' }));
    if (this.#socket.connecting) {
      this.#setTimer(DIAL_MS);
      this.#socket.once('connect', () => this.#greet());
    } else {
      process.nextTick(() => this.#greet());
    }
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** What the other side said about itself; proven from state `proven` on. */
  get hello(): Hello | null {
    return this.#hello;
  }

  /** Of two processes with one identity: this one has been up for longer. */
  get older(): boolean {
    const [own, theirs] = [this.#own?.upMs ?? 0, this.#hello?.upMs ?? 0];
    return own > theirs || (own === theirs && this.side === 'acceptor');
  }

  /** The group of this connection, once its key is known. */
  get group(): Group | null {
    return this.#group;
  }

  /** This side has said WELCOME. */
  get agreed(): boolean {
    return this.#agreed;
  }

  /** The other side has said WELCOME. */
  get welcomed(): boolean {
    return this.#welcomed;
  }

  /** When the last bytes came, milliseconds of `performance.now()`. */
  get lastReadAt(): number {
    return this.#lastReadAt;
  }

  /** The peer at the other end. Only from state `proven` on. */
  get peer(): LinkedPeer | null {
    if (this.#hello === null) return null;
    const { id, key, name, address, promised, nonce } = this.#hello;
    return { id, key, name, address, promised, nonce };
  }

  /** Says WELCOME, once; the connection stays as it is until both have. */
  welcome(): void {
    if (this.#agreed || this.#state !== 'proven') return;
    this.#agreed = true;
    this.#write(WELCOME_FRAME);
  }

  /** Both sides agree and the host keeps this connection: frames may flow. */
  open(): void {
    if (this.#state !== 'proven') return;
    this.#state = 'up';
    this.#decoder.setLimit(FRAME_BYTES_MAX);
    this.#setTimer(null);
  }

  /** Queues a sealed frame; all of one tick leave together. Dropped unless up. */
  send(frame: Uint8Array): void {
    if (this.#state === 'up') this.#write(frame);
  }

  /** Asks the other side to answer, and tells whether it did within `limitMs`. */
  probe(limitMs: number): Promise<boolean> {
    if (this.#state !== 'up') return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(false), limitMs);
      const answer = (alive: boolean): void => {
        clearTimeout(timer);
        this.#probes = this.#probes.filter((each) => each !== answer);
        resolve(alive);
      };
      this.#probes.push(answer);
      this.#write(PING_FRAME);
    });
  }

  /** Asks the other side for bytes; see {@link lastReadAt}. */
  ping(): void {
    if (this.#state === 'up') this.#write(PING_FRAME);
  }

  /** Tells the other side why and closes. */
  refuse(refusal: Refusal): void {
    if (this.#over()) return;
    if (this.#state !== 'dialling') this.#write(refuseFrame(refusal));
    this.#finish({ refusal, by: 'us', why: refusal.message });
  }

  /** Sends what is queued and closes. */
  end(why: string): void {
    this.#finish({ why });
  }

  /** Closes without another word. */
  destroy(why: string): void {
    this.#finish({ why });
    this.#socket.destroy();
  }

  /** Resolves once the socket is gone, within {@link CLOSE_MS} of its end. */
  gone(): Promise<void> {
    if (this.#socket.closed) return Promise.resolve();
    return new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  #over(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  #greet(): void {
    if (this.#over()) return;
    this.#state = 'hello';
    this.#setTimer(HANDSHAKE_MS);
    this.#own = this.#host.hello();
    const frame = helloFrame(this.#own);
    this.#ownHello = frame.subarray(HEADER_BYTES);
    this.#write(frame);
  }

  #setTimer(ms: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = ms === null ? null : setTimeout(() => this.destroy('no answer'), ms);
  }

  #read(chunk: Uint8Array): void {
    if (this.#over()) return;
    this.#lastReadAt = performance.now();
    if (this.#state === 'up') {
      this.#host.bytes(this);
    } else {
      this.#unprovenBytes += chunk.length;
    }
    this.#decoder.push(chunk);
    this.#drain();
  }

  #drain(): void {
    while (!this.#waiting && !this.#over()) {
      const payload = this.#decoder.next();
      if (payload === null) break;
      this.#receive(payload);
    }
    if (this.#over()) return;
    if (this.#decoder.error !== null) {
      this.refuse(badFrame(this.#decoder.error));
    } else if (this.#state !== 'up' && this.#unprovenBytes > UNPROVEN_BYTES_MAX) {
      this.refuse(badFrame('too much before the handshake was over'));
    }
  }

  #receive(payload: Uint8Array): void {
    const kind = payload[0] as number;
    if (kind === FRAME.refuse) {
      this.#refused(payload);
    } else if (this.#state === 'up') {
      if (kind < TRANSPORT_KINDS_FROM) this.#receiveMessage(payload);
      else this.#receiveUp(kind);
    } else if (this.#state === 'hello' && kind === FRAME.hello) {
      this.#receiveHello(payload);
    } else if (this.#state === 'proof' && kind === FRAME.proof) {
      this.#receiveProof(payload);
    } else if (this.#state === 'proven' && kind === FRAME.welcome && !this.#welcomed) {
      this.#welcomed = true;
      this.#host.welcomed(this);
    } else {
      this.refuse(badFrame(`frame ${kind} in state ${this.#state}`));
    }
  }

  #receiveMessage(payload: Uint8Array): void {
    const decoded = decodeMessage(payload);
    if (decoded.ok) this.#host.message(this, decoded.value);
    else this.refuse(badFrame(decoded.error));
  }

  #receiveUp(kind: number): void {
    if (kind === FRAME.ping) {
      this.#write(PONG_FRAME);
    } else if (kind === FRAME.pong) {
      for (const answer of this.#probes) answer(true);
    } else {
      this.refuse(badFrame(`frame ${kind} on an up link`));
    }
  }

  #refused(payload: Uint8Array): void {
    const decoded = decodeRefuse(payload);
    if (!decoded.ok) this.refuse(badFrame(decoded.error));
    else this.#finish({ refusal: decoded.value, by: 'them', why: decoded.value.message });
  }

  #receiveHello(payload: Uint8Array): void {
    const decoded = decodeHello(payload);
    if (!decoded.ok) {
      this.refuse(decoded.error);
      return;
    }
    this.#hello = decoded.value;
    this.#theirHello = payload.slice();
    const answer = this.#host.greeted(this, decoded.value);
    if ('code' in answer) {
      this.refuse(answer);
      return;
    }
    this.#waiting = true;
    this.#socket.pause();
    void answer.then((group) => {
      this.#waiting = false;
      if (this.#over()) return;
      if ('code' in group) {
        this.refuse(group);
        return;
      }
      this.#group = group;
      this.#write(proofFrame(this.#host.identity, this.#proofOf(this.side)));
      this.#state = 'proof';
      this.#drain();
      this.#socket.resume();
    });
  }

  #proofOf(side: Side): ProofInput {
    const dialled = this.side === 'dialler';
    return {
      side,
      group: this.#group as Group,
      dialler: dialled ? this.#ownHello : this.#theirHello,
      acceptor: dialled ? this.#theirHello : this.#ownHello,
    };
  }

  #receiveProof(payload: Uint8Array): void {
    const { key } = this.#hello as Hello;
    const theirs = this.side === 'dialler' ? 'acceptor' : 'dialler';
    if (!verifyProof(payload, key, this.#proofOf(theirs))) {
      this.refuse({ code: 'WRONG_KEY', message: 'the group keys of the two peers differ' });
      return;
    }
    this.#provenOnce = true;
    this.#state = 'proven';
    this.#host.proven(this);
  }

  #write(frame: Uint8Array): void {
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    if (!this.#flushing) {
      this.#flushing = true;
      process.nextTick(() => this.#flush());
    }
    if (this.#queuedBytes + this.#socket.writableLength > SEND_BUFFER_BYTES_MAX) {
      this.destroy('the peer reads too slowly');
    }
  }

  #flush(): void {
    this.#flushing = false;
    const queue = this.#queue;
    if (queue.length === 0 || this.#socket.destroyed) return;
    const bytes = this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (queue.length === 1) {
      this.#socket.write(queue[0] as Uint8Array);
    } else if (bytes <= GATHER_BYTES_MAX) {
      this.#socket.write(Buffer.concat(queue, bytes));
    } else {
      this.#socket.cork();
      for (const frame of queue) this.#socket.write(frame);
      this.#socket.uncork();
    }
  }

  /** The one way out, taken once: tells the host later, so that no call of its own re-enters it. */
  #finish(how: { refusal?: Refusal; by?: 'them' | 'us'; why: string }): void {
    if (this.#over()) return;
    const stage = this.#state;
    this.#state = 'closing';
    this.#setTimer(null);
    for (const answer of this.#probes) answer(false);
    const ending: Ending = {
      stage,
      refusal: how.refusal ?? null,
      by: how.by ?? 'us',
      proven: this.#provenOnce,
      connectRefused: stage === 'dialling' && how.why === 'ECONNREFUSED',
      why: how.why,
    };
    process.nextTick(() => {
      this.#flush();
      if (stage === 'dialling') this.#socket.destroy();
      else this.#socket.end();
      // What still arrives is read and dropped: unread bytes would turn our last words into a reset.
      this.#socket.resume();
      this.#state = 'closed';
      this.#host.ended(this, ending);
    });
    const cut = setTimeout(() => this.#socket.destroy(), CLOSE_MS).unref();
    this.#socket.once('close', () => clearTimeout(cut));
  }
}
