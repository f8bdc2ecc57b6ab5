/**
 * The whole state of a replica and the few primitives that every part of the protocol uses: queueing a
 * write, sending now or once a write is durable, asking who is connected. Decisions live in the other
 * files; this one keeps the ordering contract: what speaks for a promise, for stored entries or for an own
 * message leaves when that is on disk.
 */
import { assert } from '../assert.ts';
import { Random } from '../random.ts';
import type { ProtocolConfig } from './config.ts';
import { Log } from './log.ts';
import type { Electorate, LogView, ProtocolMessage, Submit, Tentative } from './messages.ts';
import type { PeerState } from './peers.ts';
import { Pending } from './pending.ts';
import { isQuorum } from './quorum.ts';
import type { CoreEvent, Disconnect, KnownPeer, Read, ReplicaStart, WriteOp } from './ready.ts';
import type { Attempt, RoleState } from './roles.ts';
import {
  type ChainHash,
  type Entry,
  type Epoch,
  type Member,
  type MembersList,
  type Message,
  type MessageId,
  type PeerId,
  type Seq,
  bytesEqual,
  compareEpochs,
} from './types.ts';
import { Wanted } from './wanted.ts';

/** At most 16 times as long: a batch of 192 KiB in 24 s by default, a poor mobile link. */
const DOUBLINGS_MAX = 4;

/** What is done once a write is durable. */
export type AfterWrite =
  | { readonly kind: 'send'; readonly to: PeerId; readonly message: ProtocolMessage }
  | { readonly kind: 'own-stored'; readonly epoch: Epoch; readonly seq: Seq }
  /** A promise of this peer is on disk. */
  | { readonly kind: 'promise-stored'; readonly epoch: Epoch }
  | { readonly kind: 'own-promise'; readonly epoch: Epoch }
  | { readonly kind: 'accepted'; readonly message: Message };

/** A message on its way into an order, and where it came from. */
export interface Submission {
  readonly message: Message;
  readonly from: PeerId;
  /** Place given by the provisional leader that sent it; null for one that asks for a place. */
  readonly n: number | null;
}

/** Ids that are being looked up on disk, and what to do with the answer. */
export type Lookup = {
  /** End of the log when it was asked for: the answer knows nothing of what came after. */
  since: Seq;
} & (
  | { readonly kind: 'submissions'; readonly submissions: readonly Submission[] }
  | { readonly kind: 'offer'; readonly from: PeerId; readonly ids: readonly MessageId[] }
);

/** Catch-up of final entries from one peer. */
export interface CatchUp {
  readonly from: PeerId;
  readonly request: number;
  readonly target: Seq;
  readonly deadline: number;
}

/** A FETCH of another peer that waits for the disk. */
export interface Serving {
  readonly to: PeerId;
  readonly request: number;
  readonly after: { readonly epoch: Epoch; readonly seq: Seq };
  /** Last seq that may be given. */
  readonly limit: Seq;
  /** The mark when it was asked for. What is read then may be cut before the answer leaves. */
  readonly mark: Seq;
}

/** A member's wish that waits for the next members entry. */
export interface Waiting {
  readonly joins: Map<PeerId, Member>;
  readonly leaves: Set<PeerId>;
}

/** What takeReady hands out, collected during steps. */
export interface Outbox {
  ops: WriteOp[];
  urgent: boolean;
  sends: { to: PeerId; message: ProtocolMessage }[];
  /** The frame of messages for the leader that was begun last, and what it takes. */
  submit: Submit | null;
  submitBytes: number;
  /** The provisional order that was broadcast last, to which more can be added; bytes of all of it. */
  tentative: Tentative | null;
  tentativeBytes: number;
  reads: Read[];
  disconnects: Disconnect[];
  delivered: Entry[];
  events: CoreEvent[];
  statusChanged: boolean;
  addressesChanged: boolean;
}

function emptyOutbox(): Outbox {
  return {
    ops: [],
    urgent: false,
    sends: [],
    submit: null,
    submitBytes: 0,
    tentative: null,
    tentativeBytes: 0,
    reads: [],
    disconnects: [],
    delivered: [],
    events: [],
    statusChanged: false,
    addressesChanged: false,
  };
}

/** The state of one replica. Fields are written by the file whose subject they are. */
export class State {
  readonly config: ProtocolConfig;
  readonly chainHash: ChainHash;
  readonly nonce: number;
  readonly random: Random;
  self: Member;
  now = 0;
  /** Wall clock minus monotonic clock, for `sentAt` of own entries. */
  wallOffset = 0;
  lastStepAt: number | null = null;
  /** When this process last went on after it had stood still. */
  awakeSince = 0;

  // Durable state as queued; `durablePromised` is what surely is on disk.
  promised: Epoch;
  durablePromised: Epoch;
  mark: Seq;
  readonly log: Log;
  readonly pending: Pending;
  lastOwn: MessageId | null;
  readonly known = new Map<PeerId, KnownPeer>();

  readonly peers = new Map<PeerId, PeerState>();
  role: RoleState = { kind: 'leaderless' };
  attempt: Attempt | null = null;
  /** Epoch of the established leader last led or followed. */
  epoch: Epoch;

  // Election timing.
  highestNumber: number;
  round = 0;
  standAt: number | null = null;
  /** How many peers above this one `standAt` reckons with. */
  standRank = 0;
  /** Not to stand before this time. */
  waitUntil = 0;
  /** A winner that this peer promised is synchronising: who, how far, and until when that counts. */
  winner: { readonly id: PeerId; progress: Seq; until: number } | null = null;
  /** Until then this peer neither answers nor counts on winning: its last attempt failed. */
  failedUntil = 0;
  failures = 0;
  yieldMs = 0;
  yieldUntil = 0;
  lostLeadAt = 0;
  runs = 0;

  // Ordering.
  /** Messages that wait for their predecessor, by its id; and their own ids. */
  readonly held = new Map<MessageId, Submission[]>();
  readonly heldIds = new Set<MessageId>();
  /** Bodies that others are asked for. */
  readonly wanted = new Wanted();
  readonly lookups = new Map<number, Lookup>();
  resubmitAt = 0;
  requests = 0;

  // Catch-up.
  catchUp: CatchUp | null = null;
  /** Batches of the present catch-up that came too late, or not at all. */
  catchUpTimeouts = 0;
  /** An ACCEPT did not match: the leader waits to hear that this peer has caught up. */
  behind = false;
  readonly serving = new Map<number, Serving>();

  // Membership.
  readonly waiting: Waiting = { joins: new Map(), leaves: new Set() };
  readonly unheardSince = new Map<PeerId, number>();
  readonly evictions = new Map<PeerId, number>();
  joinAskedAt: number | null = null;
  /** This process has sent a JOIN: some leader may act on it, even much later. */
  askedToJoin = false;
  bound: boolean;
  leaving = false;
  leavingSince = 0;
  left = false;
  leaveAskedAt: number | null = null;
  stopped = false;

  // Output and the writes it waits for.
  out: Outbox = emptyOutbox();
  writeNumber = 0;
  urgentWrite = 0;
  persistedUpTo = 0;
  after: { readonly write: number; readonly action: AfterWrite }[] = [];

  constructor(start: ReplicaStart) {
    const { durable } = start;
    this.config = start.config;
    this.chainHash = start.chainHash;
    this.nonce = start.nonce;
    this.random = new Random(start.seed);
    this.self = start.self;
    this.promised = durable.promised;
    this.durablePromised = durable.promised;
    this.mark = durable.mark;
    this.log = new Log(durable);
    this.pending = new Pending(durable.pending);
    this.lastOwn = durable.lastOwn;
    for (const peer of durable.known) this.known.set(peer.member.id, peer);
    this.bound = this.known.get(start.self.id)?.bound ?? false;
    this.highestNumber = durable.promised.number;
    this.epoch = this.log.last.epoch;
    assert(
      compareEpochs(this.promised, this.log.last.epoch) >= 0,
      'the stored promise is at least the epoch of the last stored entry',
    );
  }

  /** Takes what was collected since the last call. */
  takeOutbox(): Outbox {
    const out = this.out;
    this.out = emptyOutbox();
    return out;
  }
}

/** Queues a durable change; `urgent` unless nothing will ever wait for it. */
export function write(s: State, op: WriteOp, urgent = true): void {
  s.out.ops.push(op);
  if (urgent) s.out.urgent = true;
}

/** Does `action` once everything urgent that was queued so far is durable. */
export function afterWrites(s: State, action: AfterWrite): void {
  s.after.push({ write: s.out.urgent ? s.writeNumber + 1 : s.urgentWrite, action });
}

/** Sends at once, if a link is up; what a lost link swallows is made good by the protocol. */
export function send(s: State, to: PeerId, message: ProtocolMessage): void {
  if (s.peers.get(to)?.linked === true) s.out.sends.push({ to, message });
}

/** Sends once everything queued so far is durable. */
export function sendAfterWrites(s: State, to: PeerId, message: ProtocolMessage): void {
  afterWrites(s, { kind: 'send', to, message });
}

/**
 * What stands after this seq is cut: it no longer equals the leader's log, an ACK that waits for the disk
 * must not speak for it (S1), and a look-up under way has seen nothing of what will replace it (V6).
 */
export function forgetBeyond(s: State, after: Seq): void {
  const { role } = s;
  if (role.kind === 'following') {
    role.matched = Math.min(role.matched, after);
    role.acked = Math.min(role.acked, after);
  }
  s.after = s.after.filter(
    ({ action }) =>
      action.kind !== 'send' || action.message.kind !== 'ack' || action.message.seq <= after,
  );
  for (const lookup of s.lookups.values()) lookup.since = Math.min(lookup.since, after);
}

/** Sends to every peer with a link. */
export function broadcast(s: State, message: ProtocolMessage): void {
  for (const peer of s.peers.values()) if (peer.linked) s.out.sends.push({ to: peer.id, message });
}

/** Tells people something. */
export function emit(s: State, event: CoreEvent): void {
  s.out.events.push(event);
}

/** Raises the stored promise; entries of an epoch never get on disk below it (S3). */
export function raisePromise(s: State, epoch: Epoch): void {
  s.highestNumber = Math.max(s.highestNumber, epoch.number);
  if (compareEpochs(epoch, s.promised) <= 0) return;
  s.promised = epoch;
  write(s, { kind: 'promise', epoch });
  afterWrites(s, { kind: 'promise-stored', epoch });
}

/** The newest members list in the log; null before entry 1 is known. */
export function newestList(s: State): MembersList | null {
  return s.log.lists.at(-1) ?? null;
}

/**
 * Lists in effect: the newest and, unless the own mark covers it, the one before. Every decision
 * needs a quorum of each (joint consensus in one entry).
 */
export function listsInEffect(s: State): readonly MembersList[] {
  const { lists } = s.log;
  const newest = lists.at(-1);
  if (newest === undefined) return [];
  return newest.seq <= s.mark ? [newest] : lists.slice(-2);
}

/** True if (id, key) is in the list. */
export function isIn(list: Electorate, who: Pick<Member, 'id' | 'key'>): boolean {
  return list.some((member) => member.id === who.id && bytesEqual(member.key, who.key));
}

/** This peer is in the newest list of its own log. */
export function isListed(s: State): boolean {
  const list = newestList(s);
  return list !== null && isIn(list.members, s.self);
}

/** True if the peer that speaks as `member.id` is the one that the list means. */
export function speaksFor(s: State, member: Pick<Member, 'id' | 'key'>): boolean {
  if (member.id === s.self.id) return bytesEqual(member.key, s.self.key);
  const peer = s.peers.get(member.id);
  return peer !== undefined && !peer.diverged && bytesEqual(peer.key, member.key);
}

/** True if `has` holds for a quorum of each list; false for no list at all. */
export function isQuorumOfEach(
  s: State,
  lists: readonly Electorate[],
  has: (id: PeerId) => boolean,
): boolean {
  if (lists.length === 0) return false;
  return lists.every((list) => isQuorum(list, (member) => has(member.id) && speaksFor(s, member)));
}

/** The lists in effect as they travel in votes. */
export function electoratesInEffect(s: State): readonly Electorate[] {
  return listsInEffect(s).map((list) => list.members);
}

/** What is remembered of this very peer; what somebody else under its id has promised does not bind it. */
export function knownAs(s: State, who: Pick<Member, 'id' | 'key'>): KnownPeer | undefined {
  const met = s.known.get(who.id);
  return met !== undefined && bytesEqual(met.member.key, who.key) ? met : undefined;
}

/** Connected as defined for peers; this peer itself always is. */
export function isConnected(s: State, id: PeerId): boolean {
  return id === s.self.id || s.peers.get(id)?.connected === true;
}

/** This peer and those it is connected to are a quorum of each list in effect. */
export function hearsQuorum(s: State): boolean {
  return isQuorumOfEach(s, electoratesInEffect(s), (id) => isConnected(s, id));
}

/** What this peer's log looks like to a candidate, every queued write included. */
export function logView(s: State): LogView {
  const { epoch, seq } = s.log.last;
  return { last: { epoch, seq }, mark: s.mark, lists: electoratesInEffect(s) };
}

/** The leader that can be followed through `peer`; none whose history was found to differ. */
export function leaderThrough(s: State, { relayed }: PeerState): PeerState['relayed'] {
  if (relayed === null || relayed.id === s.self.id) return null;
  return s.peers.get(relayed.id)?.diverged === true ? null : relayed;
}

/** The established leader that this peer hears (itself included) and that is not leaving. */
export function heardLeader(s: State): PeerId | null {
  if (s.stopped) return null;
  if (s.role.kind === 'leading') return s.leaving ? null : s.self.id;
  if (s.role.kind !== 'following' || s.role.via !== null) return null;
  const leader = s.peers.get(s.role.leader);
  return leader !== undefined && leader.connected && !leader.leaving ? leader.id : null;
}

/** Wall clock of now, milliseconds since 1970. */
export function wallNow(s: State): number {
  return Math.round(s.now + s.wallOffset);
}

/** An id for an own entry: UUIDv7 by the wall clock and the seeded stream. */
export function entryId(s: State): MessageId {
  const time = Math.max(0, wallNow(s)).toString(16).padStart(12, '0').slice(-12);
  const a = hex(s.random.below(0x1000), 3);
  const b = hex(0x8000 + s.random.below(0x4000), 4);
  const c = hex(s.random.uint32(), 8) + hex(s.random.below(0x1_0000), 4);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-${b}-${c}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** A fresh number for a request. */
export function nextRequest(s: State): number {
  s.requests += 1;
  return s.requests;
}

/** Patience after failures, milliseconds: twice as long for each, at most {@link DOUBLINGS_MAX} times. */
export function doubled(ms: number, failures: number): number {
  return ms * 2 ** Math.min(failures, DOUBLINGS_MAX);
}

/** A number of milliseconds between `ms` and twice that. */
export function jittered(s: State, ms: number): number {
  return ms + s.random.unit() * ms;
}
