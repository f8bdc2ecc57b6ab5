/**
 * Two peers hold different entries at a number that both call final. That must never happen; when it
 * does (damage, a restored or copied database), the one that differs from its established leader stops,
 * others do not count it, and whoever differs from a quorum stops, a leader as well (S8).
 */
import { isQuorum } from './quorum.ts';
import { type State, electoratesInEffect, emit } from './state.ts';
import { becomeLeaderless } from './transitions.ts';
import type { PeerId, Seq } from './types.ts';

/** The final entry of a peer at `seq` is not ours: this peer found out, or was told by that one. */
export function onDiverged(s: State, id: PeerId, seq: Seq): void {
  const peer = s.peers.get(id);
  if (peer === undefined || peer.diverged || s.stopped) return;
  peer.diverged = true;
  // Without a link it may be another process than the one that is followed, which leads no more (S6).
  const isLeader = peer.linked && s.role.kind === 'following' && s.role.leader === id;
  const lists = electoratesInEffect(s);
  const differs = ({ id }: { readonly id: PeerId }): boolean => s.peers.get(id)?.diverged === true;
  const outvoted = lists.length > 0 && lists.every((list) => isQuorum(list, differs));
  if (isLeader || outvoted) stop(s);
  else if (peer.linked) s.out.disconnects.push({ peer: id, reason: 'DIVERGED' });
  emit(s, { kind: 'diverged', peer: id, seq, stopped: s.stopped });
  s.out.statusChanged = true;
}

/** This peer takes no further part; what it holds stays readable. */
function stop(s: State): void {
  s.stopped = true;
  s.attempt = null;
  becomeLeaderless(s);
}
