/**
 * Who lost the lead lets a lower peer lead for a while, longer each time, so that a flapping highest peer
 * does not cost two elections a time (E11). That the lead is lost is noted where roles change
 * (transitions.ts); here is what follows from it.
 */
import { type State, leaderThrough } from './state.ts';
import type { PeerState } from './peers.ts';
import { becomeFollowing } from './transitions.ts';
import { type PeerId, compareEpochs } from './types.ts';

/** Somebody that is connected follows, or is, another established leader; only one below `limit` counts. */
export function hearsOfEstablished(s: State, limit = Infinity): boolean {
  for (const { connected, heartbeat } of s.peers.values()) {
    if (!connected || heartbeat?.established !== true || heartbeat.leader === null) continue;
    if (heartbeat.leader !== s.self.id && heartbeat.leader < limit) return true;
  }
  return false;
}

/** It lost the lead a moment ago, and a lower peer leads now, whom those who follow this one reach as well. */
export function yields(s: State): boolean {
  return s.now < s.yieldUntil && hearsOfEstablished(s, s.self.id) && !leavesSomebodyAlone(s);
}

/**
 * Somebody follows this provisional leader and hears nobody that has an established one. At second hand this
 * peer could not lead its messages on.
 */
function leavesSomebodyAlone(s: State): boolean {
  if (s.role.kind !== 'leading-provisionally') return false;
  const ways = new Set<PeerId>();
  for (const { connected, heartbeat, id } of s.peers.values()) {
    if (!connected || heartbeat?.established !== true) continue;
    ways.add(id);
    if (heartbeat.leader !== null) ways.add(heartbeat.leader);
  }
  for (const { connected, heartbeat } of s.peers.values()) {
    if (!connected || heartbeat?.run?.leader !== s.self.id) continue;
    if (!heartbeat.hears.some((id) => ways.has(id))) return true;
  }
  return false;
}

/** Follows meanwhile whom its peers follow: the leader may be heard later than they are, or not at all. */
export function maybeYield(s: State): void {
  if (s.attempt !== null || s.now < s.waitUntil || s.leaving || !yields(s)) return;
  const relayed = leaderBehindPeers(s);
  if (relayed !== null) becomeFollowing(s, relayed);
}

/** The newest established leader that a peer follows and this one does not reach; null without one. */
export function leaderBehindPeers(s: State): PeerState['relayed'] {
  if (s.role.kind === 'following' || s.role.kind === 'leading') return null;
  let newest: PeerState['relayed'] = null;
  for (const peer of s.peers.values()) {
    const relayed = peer.reachable ? leaderThrough(s, peer) : null;
    if (relayed === null) continue;
    if (newest === null || compareEpochs(relayed.epoch, newest.epoch) > 0) newest = relayed;
  }
  return newest;
}
