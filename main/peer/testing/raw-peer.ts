/**
 * A peer at the level of frames, for tests of what a transport does with others that are silent, broken
 * or hostile: it knows the handshake but does nothing by itself.
 */
import { connect, type Socket } from 'node:net';
import { encodeMessage } from '../../../shared/protocol/codec.ts';
import type { ProtocolMessage } from '../../../shared/protocol/messages.ts';
import { FrameDecoder, HEADER_BYTES, sealFrame } from '../frame-codec.ts';
import {
  decodeHello,
  decodeRefuse,
  FRAME,
  type Hello,
  helloFrame,
  PONG_FRAME,
  type ProofInput,
  proofFrame,
  verifyProof,
  WELCOME_FRAME,
} from '../handshake.ts';
import { createIdentity, createNonce, type Identity, random } from '../identity.ts';
import { FRAME_BYTES_MAX } from '../limits.ts';
import type { Group } from '../transport.ts';

/** How a raw peer differs from an honest one. */
export interface RawPeerOptions {
  readonly id: number;
  readonly group: Group;
  readonly port: number;
  readonly identity?: Identity;
  readonly nonce?: number;
  readonly hello?: Partial<Hello>;
  /** Answers pings by itself; true unless said otherwise. */
  readonly answers?: boolean;
}

/** One connection to a transport under test, as its dialler. */
export class RawPeer {
  readonly socket: Socket;
  readonly hello: Hello;
  readonly #options: RawPeerOptions;
  readonly #identity: Identity;
  readonly #decoder = new FrameDecoder(FRAME_BYTES_MAX);
  readonly #frames: Uint8Array[] = [];
  readonly #waiting: (() => void)[] = [];
  #closed = false;
  #theirId = 0;

  constructor(options: RawPeerOptions) {
    this.#options = options;
    this.#identity = options.identity ?? createIdentity();
    this.hello = {
      group: options.group.id,
      id: options.id,
      name: 'raw',
      address: '',
      key: this.#identity.publicKey,
      promised: { number: 0, leader: 0 },
      nonce: options.nonce ?? createNonce(),
      upMs: 0,
      random: random(32),
      ...options.hello,
    };
    this.socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
    this.socket.on('data', (chunk) => this.#read(chunk));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  #read(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    for (let p = this.#decoder.next(); p !== null; p = this.#decoder.next()) {
      if (p[0] !== FRAME.ping) this.#frames.push(p);
      else if (this.#options.answers !== false) this.socket.write(PONG_FRAME);
    }
    this.#wake();
  }

  #wake(): void {
    for (const check of this.#waiting.splice(0)) check();
  }

  /** The payload of the next frame; null once the connection is closed. */
  async next(): Promise<Uint8Array | null> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#closed) return null;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Sends any bytes as the payload of one frame. */
  sendPayload(payload: Uint8Array): void {
    const frame = new Uint8Array(HEADER_BYTES + payload.length);
    frame.set(payload, HEADER_BYTES);
    this.socket.write(sealFrame(frame));
  }

  send(message: ProtocolMessage): void {
    this.socket.write(sealFrame(encodeMessage(message, HEADER_BYTES)));
  }

  /** HELLO and PROOF; `change` spoils what is proven. Resolves with what the other side proved. */
  async prove(change: Partial<ProofInput> = {}): Promise<boolean> {
    const own = helloFrame(this.hello);
    this.socket.write(own);
    const theirs = await this.next();
    const hello = theirs === null ? null : decodeHello(theirs);
    if (theirs === null || hello === null || !hello.ok) return false;
    this.#theirId = hello.value.id;
    const input = {
      group: this.#options.group,
      dialler: own.subarray(HEADER_BYTES),
      acceptor: theirs,
      ...change,
    };
    this.socket.write(proofFrame(this.#identity, { side: 'dialler', ...input }));
    const proof = await this.next();
    if (proof === null) return false;
    return verifyProof(proof, hello.value.key, { ...input, side: 'acceptor' });
  }

  /** The whole handshake; resolves with `up`, the code of a refusal, or `closed`. */
  async join(): Promise<string> {
    if (!(await this.prove())) return this.outcome();
    const last = this.#options.id > this.#theirId;
    if (!last) this.socket.write(WELCOME_FRAME);
    const outcome = await this.outcome();
    if (last && outcome === 'up') this.socket.write(WELCOME_FRAME);
    return outcome;
  }

  /** What the next frame says about the link. */
  async outcome(): Promise<string> {
    const frame = await this.next();
    if (frame === null) return 'closed';
    if (frame[0] === FRAME.welcome) return 'up';
    if (frame[0] !== FRAME.refuse) return `frame ${frame[0]}`;
    const refusal = decodeRefuse(frame);
    return refusal.ok ? refusal.value.code : refusal.error;
  }

  /** Resolves when the other side has closed. */
  async closed(): Promise<void> {
    while ((await this.next()) !== null);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
