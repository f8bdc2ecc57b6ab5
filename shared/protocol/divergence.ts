/**
 * Two peers hold different entries at a number that both call final. That must never happen; when it
 * does (damage, a restored or copied database), the one that differs from its established leader stops,
 * a leader does not count it, and only a leader that differs from a quorum stops (S8).
 */
import { type State, emit, isQuorumOfEach, electoratesInEffect } from './state.ts';
import { becomeLeaderless } from './transitions.ts';
import type { PeerId, Seq } from './types.ts';

/** `peer`'s final entry at `seq` is not ours. */
export function onDiverged(s: State, id: PeerId, seq: Seq): void {
  const peer = s.peers.get(id);
  if (peer === undefined || peer.diverged || s.stopped) return;
  peer.diverged = true;
  const isLeader = s.role.kind === 'following' && s.role.leader === id;
  const { role } = s;
  const outvoted =
    role.kind === 'leading' &&
    isQuorumOfEach(s, electoratesInEffect(s), (member) => s.peers.get(member)?.diverged === true);
  if (isLeader || outvoted) stop(s);
  else s.out.disconnects.push({ peer: id, reason: 'DIVERGED' });
  emit(s, { kind: 'diverged', peer: id, seq, stopped: s.stopped });
  s.out.statusChanged = true;
}

/** This peer takes no further part; what it holds stays readable. */
export function stop(s: State): void {
  s.stopped = true;
  s.attempt = null;
  becomeLeaderless(s);
}
