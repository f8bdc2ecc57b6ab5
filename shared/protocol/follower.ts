/**
 * The follower's side of ordering: takes the leader's ACCEPTs with log matching, acknowledges what is
 * on disk and known to equal the leader's log (never merely "the last seq stored", S1), and moves its
 * mark only over what matched in this epoch or has the same chain hash as the sender's (S2).
 */
import { adopt } from './append.ts';
import { sendBehind, startCatchUp } from './catch-up.ts';
import { moveMark } from './delivery.ts';
import { onDiverged } from './divergence.ts';
import type { Accept, Coordinator, Heartbeat } from './messages.ts';
import type { PeerState } from './peers.ts';
import { considerProvisional } from './provisional.ts';
import type { Following } from './roles.ts';
import { type State, isConnected, raisePromise, send, sendAfterWrites } from './state.ts';
import { becomeFollowing } from './transitions.ts';
import { type Epoch, type PeerId, bytesEqual, compareEpochs } from './types.ts';

/**
 * Someone leads `epoch` as established leader: follows it unless something higher was promised, which
 * it is told. Returns the following role if it is followed now.
 */
export function followEstablished(s: State, from: PeerId, epoch: Epoch): Following | null {
  if (epoch.leader !== from || s.stopped) return null;
  const { role } = s;
  if (compareEpochs(epoch, s.promised) < 0) {
    send(s, from, { kind: 'reject', epoch, promised: s.promised, leader: null });
    return null;
  }
  const followed = role.kind === 'following' && role.via === null && role.leader === from;
  if (followed && compareEpochs(role.epoch, epoch) === 0) return role;
  // A leader that does not hear this peer would be followed and left again at each of its heartbeats.
  if (!isConnected(s, from)) return null;
  raisePromise(s, epoch);
  becomeFollowing(s, { id: from, epoch, via: null });
  return s.role.kind === 'following' ? s.role : null;
}

/** COORDINATOR of an established or a provisional leader. */
export function onCoordinator(s: State, from: PeerId, coordinator: Coordinator): void {
  const { lead } = coordinator;
  if (lead.kind === 'established') followEstablished(s, from, lead.epoch);
  else considerProvisional(s, from, lead.run);
}

/** ACCEPT: match, cut a conflicting suffix with its replacement, append, acknowledge. */
export function onAccept(s: State, from: PeerId, accept: Accept): void {
  const role = followEstablished(s, from, accept.epoch);
  if (role === null) return;
  const adoption = adopt(s, accept);
  if (adoption === 'diverged' || adoption === 'damaged') {
    onDiverged(s, from, Math.min(accept.prev.seq + 1, s.mark));
    return;
  }
  if (adoption === 'mismatch') {
    onMismatch(s, from, accept);
    return;
  }
  s.behind = false;
  const matched = accept.prev.seq + accept.entries.length;
  // An ACCEPT that says nothing new is a question: the ACK may have been lost with its link.
  const repeats = accept.entries.length > 0 ? matched <= role.matched : accept.mark <= s.mark;
  if (repeats) role.acked = 0;
  if (matched > role.matched) role.matched = matched;
  moveMark(s, Math.min(accept.mark, role.matched));
}

function onMismatch(s: State, from: PeerId, accept: Accept): void {
  if (!s.behind) {
    s.behind = true;
    sendBehind(s, from, accept.epoch);
  }
  if (accept.mark > s.mark) startCatchUp(s, accept.mark);
}

/** Queues the ACK of what this batch of inputs matched; one per write, not one per ACCEPT. */
export function flushAck(s: State, role: Following): void {
  if (role.via !== null || role.matched <= role.acked) return;
  role.acked = role.matched;
  sendAfterWrites(s, role.leader, { kind: 'ack', epoch: role.epoch, seq: role.matched });
}

/**
 * The mark in a heartbeat: believed from anybody where the own hash at it equals the sender's, else a
 * reason to catch up; a different hash that both marks cover is a divergence.
 */
export function followMark(s: State, peer: PeerState, heartbeat: Heartbeat): void {
  const { mark, markHash } = heartbeat;
  const own = s.log.hashAt(mark);
  const equal = own !== undefined && bytesEqual(own, markHash);
  if (mark <= s.mark) {
    if (own !== undefined && !equal) onDiverged(s, peer.id, mark);
    return;
  }
  if (equal) {
    moveMark(s, mark);
    return;
  }
  const served = s.role.kind === 'following' && s.role.via === null && !s.behind;
  if (!served && s.role.kind !== 'leading') startCatchUp(s, mark);
}
