/**
 * What this peer knows of each other peer it has a link with, or had one: the link, the failure
 * detector, the last heartbeat. It judges who is connected; it never acts on it.
 */
import type { ProtocolConfig } from './config.ts';
import { FailureDetector } from './failure-detector.ts';
import type { Heartbeat, Run } from './messages.ts';
import type { LinkedPeer } from './ready.ts';
import type { Epoch, PeerId, Seq } from './types.ts';

/** One other peer, since this process first met it. */
export class PeerState {
  readonly id: PeerId;
  key: Uint8Array;
  name: string;
  address: string;
  nonce: number;
  /** A link is up: frames can be sent. */
  linked = true;
  suspected = false;
  /** Its heartbeats say that it hears us; believed of a new link until one says otherwise. */
  hearsUs = true;
  /** Its history differs from ours: it is not counted. */
  diverged = false;
  heartbeat: Heartbeat | null = null;
  heartbeatAt = 0;
  nextHeartbeatAt = 0;
  /** The run of ours whose messages it was offered, since its link is up. */
  offered: Run | null = null;
  rttMs: number | null = null;
  /** As leader: what it had acknowledged at the last heartbeat. */
  matchedBefore = 0;
  /** Greatest commit mark heard from it. */
  mark: Seq = 0;
  detector: FailureDetector;
  readonly #config: ProtocolConfig;

  constructor(peer: LinkedPeer, config: ProtocolConfig, now: number) {
    this.id = peer.id;
    this.key = peer.key;
    this.name = peer.name;
    this.address = peer.address;
    this.nonce = peer.nonce;
    this.#config = config;
    this.detector = new FailureDetector(config, now);
  }

  /** A new link to the same id: perhaps another process, in any case nothing is known of its state. */
  relink(peer: LinkedPeer, now: number): void {
    this.key = peer.key;
    this.name = peer.name;
    this.address = peer.address;
    if (this.nonce !== peer.nonce) {
      this.heartbeat = null;
      this.mark = 0;
      this.diverged = false;
      this.detector = new FailureDetector(this.#config, now);
    }
    this.nonce = peer.nonce;
    this.linked = true;
    this.suspected = false;
    this.hearsUs = true;
    this.offered = null;
    this.nextHeartbeatAt = now;
    this.detector.restart(now);
  }

  /**
   * Heard, and hearing us. A link that broke without a refusal still counts until the detector says
   * otherwise, because a reconnect takes milliseconds.
   */
  get connected(): boolean {
    return !this.suspected && this.hearsUs && !this.diverged;
  }

  /** Connected, and a frame sent now has a link to travel on. */
  get reachable(): boolean {
    return this.linked && this.connected;
  }

  /** The established leader that it says it hears and follows, to be followed through it; null without one. */
  get relayed(): { readonly id: PeerId; readonly epoch: Epoch; readonly via: PeerId } | null {
    if (this.heartbeat?.established !== true) return null;
    const { leader, epoch } = this.heartbeat;
    return leader === null || leader === this.id ? null : { id: leader, epoch, via: this.id };
  }

  /** It has said that it is about to leave. */
  get leaving(): boolean {
    return this.heartbeat?.leaving === true;
  }
}
