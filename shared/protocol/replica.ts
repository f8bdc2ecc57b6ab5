/**
 * The replica: one peer's part in the protocol as a pure, deterministic state machine. `step` takes one
 * input, `takeReady` hands out what has to be done about everything since the last call (ready.ts has
 * the contract). This file is the only dispatcher; what a message means is in the file of its subject.
 * README.md beside this file is the specification.
 */
import { assert, assertNever } from '../assert.ts';
import type { NodeStatus } from '../model.ts';
import {
  checkCatchUp,
  continueCatchUp,
  onCatchUpEntries,
  onEntriesRead,
  onFetch,
} from './catch-up.ts';
import { onDiverged } from './divergence.ts';
import {
  checkAttempt,
  maybeStand,
  onElection,
  onLookReply,
  onOwnPromise,
  onPrepare,
  onPrepareRejected,
  onPromise,
  onSynchronisingEntries,
  prepare,
} from './election.ts';
import { flushAck, onAccept, onCoordinator } from './follower.ts';
import { onHeartbeat, sendHeartbeats } from './heartbeat.ts';
import {
  addresses,
  forgiveSilence,
  judgePeers,
  noteReported,
  onAddresses,
  onLinkDown,
  onLinkUp,
  refusalOf,
} from './links.ts';
import { maybeAskToJoin, maybeChangeMembers, maybeLeave, onJoin, onLeave } from './membership.ts';
import type { ProtocolMessage, Reject } from './messages.ts';
import type { PeerState } from './peers.ts';
import type {
  Disconnect,
  Input,
  Inspection,
  LinkedPeer,
  Ready,
  ReplicaStart,
  Write,
} from './ready.ts';
import { flushAccepts, onAck, onBehind, onOwnStored } from './sequencer.ts';
import {
  type AfterWrite,
  State,
  afterWrites,
  emit,
  hearsQuorum,
  isQuorumOfEach,
  electoratesInEffect,
  send,
  isConnected,
} from './state.ts';
import { statusOf } from './status.ts';
import {
  onIdsFound,
  onOffer,
  onOwnDurable,
  onSubmit,
  onSubmitOwn,
  onTentative,
  onWant,
  resubmit,
} from './submission.ts';
import {
  becomeLeaderless,
  becomeLeadingProvisionally,
  giveUpEpoch,
  resumeLeading,
} from './transitions.ts';
import { EPOCH_ZERO, type Epoch, compareEpochs } from './types.ts';
import { hearsOfEstablished, yields } from './yielding.ts';

/** One peer's replica of the conversation. */
export class Replica {
  readonly #state: State;

  /** Starts from what the disk holds; nothing has happened yet. */
  constructor(start: ReplicaStart) {
    this.#state = new State(start);
    this.#state.out.addressesChanged = true;
    this.#state.out.statusChanged = true;
  }

  /** Takes one input at monotonic time `now` (milliseconds, never decreasing). */
  step(now: number, input: Input): void {
    const s = this.#state;
    assert(now >= s.now || s.lastStepAt === null, 'the monotonic clock never goes back');
    s.now = now;
    const pause = s.config.heartbeatMs * s.config.floorIntervals;
    if (s.lastStepAt !== null && now - s.lastStepAt > pause) forgiveSilence(s);
    s.lastStepAt = now;
    dispatch(s, input);
    drainAfter(s);
    if (changesStanding(input)) judgeStanding(s);
  }

  /** What has to be carried out now. */
  takeReady(): Ready {
    const s = this.#state;
    drainAfter(s);
    flush(s);
    drainAfter(s);
    const out = s.takeOutbox();
    let write: Write | null = null;
    if (out.ops.length > 0) {
      s.writeNumber += 1;
      if (out.urgent) s.urgentWrite = s.writeNumber;
      write = { number: s.writeNumber, ops: out.ops, urgent: out.urgent };
    }
    return {
      write,
      sends: out.sends,
      reads: out.reads,
      disconnects: out.disconnects,
      delivered: out.delivered,
      events: out.events,
      status: out.statusChanged ? statusOf(s) : null,
      addresses: out.addressesChanged ? addresses(s) : null,
      wakeAt: wakeAt(s),
    };
  }

  /** How this replica stands now. */
  status(): NodeStatus {
    return statusOf(this.#state);
  }

  /** Why a peer that has proven who it is must not be linked; null lets it in. */
  refusalOf(peer: LinkedPeer): Disconnect['reason'] | null {
    return refusalOf(this.#state, peer);
  }

  /** A look inside, for checkers and scripts. */
  inspect(): Inspection {
    const s = this.#state;
    const { epoch, seq } = s.log.last;
    return {
      promised: s.promised,
      durablePromised: s.durablePromised,
      leading: s.role.kind === 'leading' ? s.role.epoch : null,
      last: { epoch, seq },
      mark: s.mark,
      entryAt: (at) => s.log.at(at),
      tailFrom: s.log.first,
      pending: s.pending.ids(),
      pendingMessage: (id) => s.pending.get(id),
      pendingPlace: (id) => s.pending.placeOf(id),
      lists: s.log.lists,
      role: s.role,
    };
  }
}

function dispatch(s: State, input: Input): void {
  switch (input.kind) {
    case 'tick':
      s.wallOffset = input.wall - s.now;
      onTick(s);
      break;
    case 'link-up':
      onLinkUp(s, input.peer);
      break;
    case 'link-down':
      onLinkDown(s, input.peer, input.refused);
      checkAttempt(s);
      break;
    case 'bytes':
      s.peers.get(input.from)?.detector.onLife(s.now);
      break;
    case 'message': {
      const peer = s.peers.get(input.from);
      if (peer === undefined || !peer.linked) break;
      peer.detector.onLife(s.now);
      if (!peer.diverged) onMessage(s, peer, input.message);
      break;
    }
    case 'persisted':
      s.persistedUpTo = Math.max(s.persistedUpTo, input.upTo);
      break;
    case 'submit':
      onSubmitOwn(s, input);
      break;
    case 'ids-found':
      onIdsFound(s, input.request, input.found);
      break;
    case 'entries-read':
      onEntriesRead(s, input.request, input.entries);
      break;
    case 'refused-as-diverged':
      onDiverged(s, input.by, s.mark);
      break;
    case 'leave':
      if (!s.leaving) s.leavingSince = s.now;
      s.leaving = true;
      for (const peer of s.peers.values()) peer.nextHeartbeatAt = s.now;
      break;
    case 'rename':
      s.self = { ...s.self, name: input.name };
      s.joinAskedAt = null;
      break;
    default:
      assertNever(input, 'input');
  }
}

function onMessage(s: State, peer: PeerState, message: ProtocolMessage): void {
  const from = peer.id;
  const leading = s.role.kind === 'leading' ? s.role : null;
  switch (message.kind) {
    case 'heartbeat':
      return onHeartbeat(s, peer, message);
    case 'election':
      return onElection(s, peer, message);
    case 'answer':
    case 'support':
    case 'refuse':
      return onLookReply(s, from, message);
    case 'prepare':
      noteOwn(s, peer, message.epoch);
      return onPrepare(s, peer, message);
    case 'promise':
      noteReported(s, peer, message.epoch);
      return onPromise(s, from, message);
    case 'reject':
      return onReject(s, from, message);
    case 'coordinator':
      if (message.lead.kind === 'established') noteOwn(s, peer, message.lead.epoch);
      return onCoordinator(s, from, message);
    case 'submit':
      return onSubmit(s, from, message);
    case 'offer':
      return onOffer(s, from, message);
    case 'want':
      return onWant(s, from, message);
    case 'accept':
      return onAccept(s, from, message);
    case 'ack':
      // Stored entries of an epoch say that it was promised, like a PROMISE does (S7).
      if (compareEpochs(message.epoch, s.known.get(from)?.promised ?? EPOCH_ZERO) > 0) {
        noteReported(s, peer, message.epoch);
      }
      return leading === null ? undefined : onAck(s, leading, from, message);
    case 'behind':
      return leading === null ? undefined : onBehind(s, leading, from, message);
    case 'tentative':
      return onTentative(s, from, message);
    case 'fetch':
      return onFetch(s, from, message);
    case 'entries':
      if (s.attempt?.kind === 'synchronising') return onSynchronisingEntries(s, from, message);
      return onCatchUpEntries(s, from, message);
    case 'join':
      return onJoin(s, peer, message);
    case 'join-refused':
      return emit(s, { kind: 'join-refused', code: message.code });
    case 'leave':
      return onLeave(s, peer);
    case 'addresses':
      return onAddresses(s, message.members);
    default:
      return assertNever(message, 'message');
  }
}

/** A candidate and a leader have stored the promise for their own epoch before they speak of it (S7). */
function noteOwn(s: State, peer: PeerState, epoch: Epoch): void {
  if (epoch.leader === peer.id) noteReported(s, peer, epoch);
}

/** REJECT: of a PREPARE, or of this leader's epoch by a peer that has promised more (E2). */
function onReject(s: State, from: number, reject: Reject): void {
  s.highestNumber = Math.max(s.highestNumber, reject.promised.number);
  const { role } = s;
  if (role.kind === 'leading' && compareEpochs(reject.epoch, role.epoch) === 0) {
    role.refusedSince ??= s.now;
    role.refusedAt = s.now;
    return;
  }
  onPrepareRejected(s, from, reject);
}

function onTick(s: State): void {
  judgePeers(s);
  checkAttempt(s);
  checkCatchUp(s);
  if (s.role.kind === 'leading') maybeChangeMembers(s, s.role);
  if (s.now >= s.resubmitAt) resubmit(s);
}

/** Inputs of the hot path change nobody's standing. */
function changesStanding(input: Input): boolean {
  switch (input.kind) {
    case 'tick':
    case 'link-up':
    case 'link-down':
    case 'leave':
    case 'rename':
      return true;
    case 'message': {
      const { kind } = input.message;
      return kind !== 'accept' && kind !== 'ack' && kind !== 'submit';
    }
    default:
      return false;
  }
}

/** Whether this peer still leads or follows, and whether it should stand. */
function judgeStanding(s: State): void {
  if (s.stopped) return;
  const { role } = s;
  switch (role.kind) {
    case 'following': {
      const at = s.peers.get(role.via ?? role.leader);
      if (at?.connected === true) break;
      becomeLeaderless(s);
      // What the others said of it is older than its end, of which they hear now as well.
      if (role.via === null && yields(s)) s.waitUntil = s.now + s.config.rankWaitMs;
      break;
    }
    case 'following-provisionally':
      if (s.peers.get(role.leader)?.connected !== true) becomeLeaderless(s);
      break;
    case 'leading':
      if (!hearsQuorum(s)) becomeLeadingProvisionally(s, role);
      else maybePrepareAbove(s);
      break;
    case 'leading-provisionally': {
      const { resumable } = role;
      if (resumable === null) break;
      if (isSuperseded(s, resumable.epoch)) {
        // It may be told while it looks already, and then it does not prepare.
        if (hearsOfEstablished(s)) giveUpEpoch(s, role);
      } else if (s.attempt === null && hearsQuorum(s)) {
        resumeLeading(s, resumable);
      }
      break;
    }
    case 'leaderless':
      break;
    default:
      assertNever(role, 'role');
  }
  maybeStand(s);
  maybeAskToJoin(s);
  maybeLeave(s);
}

/** Something higher was promised here, or heard of: who takes up this epoch again would be refused. */
function isSuperseded(s: State, epoch: Epoch): boolean {
  return compareEpochs(epoch, s.promised) < 0 || epoch.number < s.highestNumber;
}

/** A leader that is still refused after a bounded wait leads on above the promise in its way (E2). */
function maybePrepareAbove(s: State): void {
  const { role } = s;
  if (role.kind !== 'leading' || role.refusedSince === null) return;
  if (s.now - role.refusedAt > 3 * s.config.heartbeatMs) {
    role.refusedSince = null;
    return;
  }
  if (s.now - role.refusedSince < s.config.reprepareMs) return;
  role.refusedSince = null;
  if (isQuorumOfEach(s, electoratesInEffect(s), (id) => isConnected(s, id))) prepare(s);
}

/** What the present role owes to others for everything that happened since the last call. */
function flush(s: State): void {
  const { role } = s;
  if (role.kind === 'leading') {
    const { joins, leaves } = s.waiting;
    if (joins.size + leaves.size > 0) maybeChangeMembers(s, role);
    if (s.out.ops.some((op) => op.kind === 'append')) {
      afterWrites(s, { kind: 'own-stored', epoch: role.epoch, seq: s.log.last.seq });
    }
    flushAccepts(s, role);
  } else if (role.kind === 'following') {
    flushAck(s, role);
  }
  sendHeartbeats(s);
}

/** Does what waited for writes that are durable now. */
function drainAfter(s: State): void {
  let done = 0;
  while (done < s.after.length) {
    const next = s.after[done];
    if (next === undefined || next.write > s.persistedUpTo) break;
    done += 1;
    perform(s, next.action);
  }
  if (done > 0) s.after.splice(0, done);
  continueCatchUp(s);
}

function perform(s: State, action: AfterWrite): void {
  switch (action.kind) {
    case 'send':
      send(s, action.to, action.message);
      return;
    case 'own-stored':
      onOwnStored(s, action.epoch, action.seq);
      return;
    case 'promise-stored':
      s.durablePromised = action.epoch;
      return;
    case 'own-promise':
      onOwnPromise(s, action.epoch);
      return;
    case 'accepted':
      onOwnDurable(s, action.message);
      return;
    default:
      assertNever(action, 'action');
  }
}

function wakeAt(s: State): number {
  let at = s.now + s.config.heartbeatMs / 4;
  if (s.standAt !== null) at = Math.min(at, s.standAt);
  if (s.attempt !== null && s.attempt.kind !== 'synchronising')
    at = Math.min(at, s.attempt.deadline);
  if (s.waitUntil > s.now) at = Math.min(at, s.waitUntil);
  if (s.yieldUntil > s.now) at = Math.min(at, s.yieldUntil);
  for (const peer of s.peers.values()) {
    if (peer.linked) at = Math.min(at, peer.nextHeartbeatAt);
  }
  return Math.max(at, s.now);
}
