/**
 * The wire union: every message that one replica sends to another once their link is authenticated.
 * The specification (README.md) has the table of who sends which to whom and why. Encoding and strict
 * decoding are codec.ts; the HELLO handshake before the first of these is the transport's.
 */
import type { Entry, Epoch, Member, Message, MessageId, PeerId, Position, Seq } from './types.ts';

/** A members list in votes: who counts, by id and key. */
export type Electorate = readonly Pick<Member, 'id' | 'key'>[];

/**
 * What a peer's log looks like to a candidate: its end, what is final in it, and the lists in effect
 * (one, or two while a change is not final; the newest last).
 */
export interface LogView {
  readonly last: Position;
  readonly mark: Seq;
  readonly lists: readonly Electorate[];
}

/** One period of provisional leading: a process (by nonce) counts its runs. */
export interface Run {
  readonly leader: PeerId;
  readonly nonce: number;
  readonly counter: number;
}

/** True for one and the same period of provisional leading. */
export function sameRun(a: Run, b: Run): boolean {
  return a.leader === b.leader && a.nonce === b.nonce && a.counter === b.counter;
}

/** Sign of life, both ways on every link. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  /** Whom the sender follows or that it leads itself; null while it has no leader. */
  readonly leader: PeerId | null;
  /** The sender leads as established leader, or hears one itself; never said at second hand. */
  readonly established: boolean;
  /** Epoch of the established leader last led or followed. */
  readonly epoch: Epoch;
  /** Run of the provisional leader that is led or followed; null otherwise. */
  readonly run: Run | null;
  readonly last: Position;
  readonly mark: Seq;
  /** Chain hash at `mark`. */
  readonly markHash: Uint8Array;
  /** Whom the sender hears now, ascending. */
  readonly hears: readonly PeerId[];
  /** The sender won promises and is fetching what it lacks: seq reached so far; null otherwise. */
  readonly synchronising: Seq | null;
  /** The sender is about to leave: it neither stands nor answers. */
  readonly leaving: boolean;
  /** Sender's monotonic clock, milliseconds, for the round trip. */
  readonly stamp: number;
  /** When the receiver may expect the next one, milliseconds. */
  readonly intervalMs: number;
  /** The receiver's last stamp and how long it was held before this frame; null before the first. */
  readonly echo: { readonly stamp: number; readonly heldMs: number } | null;
}

/** Look before promise: asks everyone, stores nothing anywhere. */
export interface Election {
  readonly kind: 'election';
  /** Distinguishes tries of one process, so that a late reply to an older one is not counted. */
  readonly round: number;
  readonly last: Position;
  /** The newest list in the sender's log. */
  readonly list: Electorate;
}

/** A higher peer that can win stands itself. */
export interface Answer {
  readonly kind: 'answer';
  readonly round: number;
}

/** This peer would promise; what its log looks like. */
export interface Support extends LogView {
  readonly kind: 'support';
  readonly round: number;
}

/**
 * There is a leader that the candidate should follow instead, if need be at second hand, or a winner that
 * makes progress.
 */
export interface Refuse {
  readonly kind: 'refuse';
  readonly round: number;
  readonly leader: PeerId;
}

/** Asks for a promise to accept nothing below `epoch`. */
export interface Prepare {
  readonly kind: 'prepare';
  readonly epoch: Epoch;
}

/** The promise, durable before it leaves; describes the log with every write queued before it. */
export interface PromiseGranted extends LogView {
  readonly kind: 'promise';
  readonly epoch: Epoch;
}

/** PREPARE, COORDINATOR, ACCEPT or established HEARTBEAT of `epoch` was refused. */
export interface Reject {
  readonly kind: 'reject';
  readonly epoch: Epoch;
  /** The sender's promise. */
  readonly promised: Epoch;
  /** The established leader or winner for whose sake a PREPARE was refused; null: the promise was the reason. */
  readonly leader: PeerId | null;
}

/** A new leader announces itself: established in an epoch, or provisional in a run. */
export interface Coordinator {
  readonly kind: 'coordinator';
  readonly lead:
    | { readonly kind: 'established'; readonly epoch: Epoch }
    | { readonly kind: 'provisional'; readonly run: Run };
}

/** Messages for the leader, in order, relayed by a follower that hears it; also the answer to a WANT. */
export interface Submit {
  readonly kind: 'submit';
  readonly messages: readonly Message[];
}

/** Ids of messages that the sender holds in pending, in order; the receiver asks for what it lacks. */
export interface Offer {
  readonly kind: 'offer';
  readonly ids: readonly MessageId[];
}

/** Asks for the bodies of messages. */
export interface Want {
  readonly kind: 'want';
  readonly ids: readonly MessageId[];
}

/** The sequencer's order; without entries it carries the mark alone. */
export interface Accept {
  readonly kind: 'accept';
  readonly epoch: Epoch;
  /** The place before the first entry; the receiver's log must match there. */
  readonly prev: Position;
  readonly entries: readonly Entry[];
  readonly mark: Seq;
}

/** Everything up to `seq` is on disk here and known to equal the leader's log in this epoch. */
export interface Ack {
  readonly kind: 'ack';
  readonly epoch: Epoch;
  readonly seq: Seq;
}

/** An ACCEPT did not match: where this log ends and what is final in it (so surely equal). */
export interface Behind {
  readonly kind: 'behind';
  readonly epoch: Epoch;
  readonly last: Seq;
  readonly mark: Seq;
}

/** A provisional leader's order: places n, n+1, … of its run. */
export interface Tentative {
  readonly kind: 'tentative';
  readonly run: Run;
  readonly from: number;
  readonly messages: readonly Message[];
}

/** Asks for entries after `after`. */
export interface Fetch {
  readonly kind: 'fetch';
  readonly request: number;
  readonly after: Position;
  /** Of a synchronising winner: the epoch it was promised, which opens the whole log; null: final ones. */
  readonly epoch: Epoch | null;
}

/** Answer to FETCH: a batch of entries after `prev`. */
export interface Entries {
  readonly kind: 'entries';
  readonly request: number;
  /** `after` of the request where it matches; otherwise `matched` is false and there are no entries. */
  readonly matched: boolean;
  readonly prev: Position;
  readonly entries: readonly Entry[];
  /** The sender's commit mark. */
  readonly mark: Seq;
}

/** A peer that is not listed asks for membership; a listed one may tell a new name or address. */
export interface Join {
  readonly kind: 'join';
  readonly member: Member;
}

/** The leader's refusal of a JOIN: the id is bound to another key. */
export interface JoinRefused {
  readonly kind: 'join-refused';
  readonly code: 'ID_TAKEN';
}

/** Asks the leader to take the sender off the list. */
export interface Leave {
  readonly kind: 'leave';
}

/** Where members and former members were last seen; sent when a link comes up. */
export interface Addresses {
  readonly kind: 'addresses';
  readonly members: readonly Member[];
}

/** Every message of the protocol. */
export type ProtocolMessage =
  | Heartbeat
  | Election
  | Answer
  | Support
  | Refuse
  | Prepare
  | PromiseGranted
  | Reject
  | Coordinator
  | Submit
  | Offer
  | Want
  | Accept
  | Ack
  | Behind
  | Tentative
  | Fetch
  | Entries
  | Join
  | JoinRefused
  | Leave
  | Addresses;
