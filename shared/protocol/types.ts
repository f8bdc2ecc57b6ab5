/**
 * The data of the protocol: what a peer, an epoch, a message and an entry are, and how they compare.
 * Values are immutable. Bodies, keys and hashes are bytes, so that nothing here depends on a text
 * encoding; people-facing types are in shared/model.ts.
 */
import type { MessageId, PeerId, Seq } from '../model.ts';

export type { MessageId, PeerId, Seq } from '../model.ts';

/**
 * A ballot (Paxos), term (Raft) or view (VR): (number, leader), ordered lexicographically, so that two
 * candidates never share one. {@link EPOCH_ZERO} is below every epoch.
 */
export interface Epoch {
  readonly number: number;
  readonly leader: PeerId;
}

/** Below every epoch that anybody can lead. */
export const EPOCH_ZERO: Epoch = { number: 0, leader: 0 };

/** Negative, zero or positive as `a` is below, equal to or above `b`. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.number - b.number || a.leader - b.leader;
}

/** A place in a log: the epoch of the entry there and its seq. {@link POSITION_ZERO} is before entry 1. */
export interface Position {
  readonly epoch: Epoch;
  readonly seq: Seq;
}

/** The place before the first entry. */
export const POSITION_ZERO: Position = { epoch: EPOCH_ZERO, seq: 0 };

/** Which of two logs is better: the one with the greater last (epoch, seq) (Raft §3.6.1). */
export function comparePositions(a: Position, b: Position): number {
  return compareEpochs(a.epoch, b.epoch) || a.seq - b.seq;
}

/** A listed member: votes and acks count by (id, key) together. */
export interface Member {
  readonly id: PeerId;
  /** Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  readonly name: string;
  /** Where others dial it: `host:port`, IPv6 in brackets; comma-separated when there are several. */
  readonly address: string;
}

/** What an author sends: everything of an entry that does not depend on its place. */
export interface Message {
  readonly id: MessageId;
  readonly author: PeerId;
  /** The author's previous message; null for its first. Carries the author's order (G5). */
  readonly after: MessageId | null;
  /** The author's wall clock, milliseconds since 1970. */
  readonly sentAt: number;
  /** UTF-8 text, at most TEXT_BYTES_MAX bytes. */
  readonly body: Uint8Array;
}

/** What an entry is: somebody's message, a new members list, or a leader's first word in its epoch. */
export type EntryKind = 'message' | 'members' | 'leader';

/**
 * One place of the log. For `message` the fields of {@link Message}; for `members` the author is the
 * leader that wrote it and `body` the encoded list; for `leader` the body is empty. An adopted entry
 * keeps seq, epoch and hash: nothing is ever re-stamped.
 */
export interface Entry extends Message {
  readonly seq: Seq;
  readonly epoch: Epoch;
  readonly kind: EntryKind;
  /** Chain hash: H(previous hash, canonical encoding of the rest); see codec.ts. */
  readonly hash: Uint8Array;
}

/** The message inside a message entry, as it goes back to pending when the entry is cut. */
export function messageOf(entry: Entry): Message {
  const { id, author, after, sentAt, body } = entry;
  return { id, author, after, sentAt, body };
}

/** An entry before its hash is known. */
export type UnhashedEntry = Omit<Entry, 'hash'>;

/**
 * The chain hash of an entry that follows one with hash `previous`: pure, collision-resistant in the
 * product (SHA-256 over the canonical encoding, codec.ts), cheaper in the simulator.
 */
export type ChainHash = (previous: Uint8Array, entry: UnhashedEntry) => Uint8Array;

/** A members list as it stands in the log at `seq`. */
export interface MembersList {
  readonly seq: Seq;
  /** Ascending by id, never empty. */
  readonly members: readonly Member[];
}

/** Byte-wise equality. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
