/**
 * Heartbeats: what they say, how often they leave, and what is learnt from one that arrives. Links
 * between followers of a large group are quieter, because n² links at full rate would be a good part of
 * a core. A change of role leaves at once (transitions.ts).
 */
import { assertNever, must } from '../assert.ts';
import { followEstablished, followMark } from './follower.ts';
import type { Heartbeat } from './messages.ts';
import type { PeerState } from './peers.ts';
import { considerProvisional } from './provisional.ts';
import type { Following } from './roles.ts';
import { probe } from './sequencer.ts';
import { type State, isListed, leaderThrough, newestList, send } from './state.ts';
import { offerRun } from './submission.ts';
import { becomeFollowing, becomeLeaderless } from './transitions.ts';
import { type PeerId, type Position, compareEpochs } from './types.ts';

/** What a heartbeat says to everyone alike. */
type Common = Omit<Heartbeat, 'intervalMs' | 'echo'>;

/** Sends the heartbeats that are due. */
export function sendHeartbeats(s: State): void {
  let common: Common | null = null;
  for (const peer of s.peers.values()) {
    if (!peer.linked || s.now < peer.nextHeartbeatAt) continue;
    common ??= describeSelf(s);
    const intervalMs = intervalTo(s, peer);
    peer.nextHeartbeatAt = s.now + intervalMs;
    const echo =
      peer.heartbeat === null
        ? null
        : { stamp: peer.heartbeat.stamp, heldMs: s.now - peer.heartbeatAt };
    send(s, peer.id, { ...common, intervalMs, echo });
    if (s.role.kind === 'leading') probeIfSilent(s, peer);
  }
}

/** A follower that acknowledged nothing new for an interval is asked where it stands. */
function probeIfSilent(s: State, peer: PeerState): void {
  if (s.role.kind !== 'leading') return;
  const progress = s.role.progress.get(peer.id);
  if (progress === undefined) return;
  if (progress.matched === peer.matchedBefore) probe(s, s.role, peer.id);
  peer.matchedBefore = progress.matched;
}

function intervalTo(s: State, { id, heartbeat }: PeerState): number {
  const { quietFactor, largeGroup } = s.config;
  // Whoever judges others by a faster rhythm than the own one is answered in it.
  const heartbeatMs = Math.min(s.config.heartbeatMs, heartbeat?.intervalMs ?? Infinity);
  const size = newestList(s)?.members.length ?? 0;
  if (size < largeGroup || s.role.kind !== 'following') return heartbeatMs;
  return id >= s.role.leader ? heartbeatMs : heartbeatMs * quietFactor;
}

function describeSelf(s: State): Common {
  const { role, log } = s;
  const hears: PeerId[] = [];
  // A peer that has stopped takes no part: it is connected to nobody, and nobody counts on it.
  if (!s.stopped) for (const peer of s.peers.values()) if (!peer.suspected) hears.push(peer.id);
  hears.sort((a, b) => a - b);
  const { epoch, seq } = log.last;
  return {
    kind: 'heartbeat',
    leader: leaderOf(s),
    // At second hand it is not said: two peers could keep a dead leader alive for each other.
    established: role.kind === 'leading' || (role.kind === 'following' && role.via === null),
    epoch: s.epoch,
    run: 'run' in role ? role.run : null,
    last: { epoch, seq },
    mark: s.mark,
    markHash: must(log.hashAt(s.mark), 'the hash at the mark stays in memory'),
    hears,
    synchronising: s.attempt?.kind === 'synchronising' ? seq : null,
    leaving: s.leaving,
    stamp: s.now,
  };
}

/** Whom this peer follows or that it leads itself; null while it knows no leader. */
export function leaderOf(s: State): PeerId | null {
  const { role } = s;
  switch (role.kind) {
    case 'leaderless':
      return null;
    case 'following':
    case 'following-provisionally':
      return role.leader;
    case 'leading':
    case 'leading-provisionally':
      return s.self.id;
    default:
      return assertNever(role, 'role');
  }
}

/** A heartbeat arrived. */
export function onHeartbeat(s: State, peer: PeerState, heartbeat: Heartbeat): void {
  const wasHearing = peer.hearsUs;
  peer.heartbeat = heartbeat;
  peer.heartbeatAt = s.now;
  peer.mark = Math.max(peer.mark, heartbeat.mark);
  s.highestNumber = Math.max(s.highestNumber, heartbeat.epoch.number);
  peer.hearsUs = heartbeat.hears.includes(s.self.id);
  if (wasHearing !== peer.hearsUs) s.out.statusChanged = true;
  peer.detector.onHeartbeat(s.now, heartbeat.intervalMs);
  if (heartbeat.echo !== null) {
    peer.rttMs = Math.max(0, s.now - heartbeat.echo.stamp - heartbeat.echo.heldMs);
  }
  if (s.stopped || peer.diverged) return;
  learnLeader(s, peer, heartbeat);
  offerRun(s, peer);
  extendWait(s, peer.id, heartbeat);
  followMark(s, peer, heartbeat);
}

function learnLeader(s: State, peer: PeerState, heartbeat: Heartbeat): void {
  const { role } = s;
  const { leader, established, run } = heartbeat;
  if (leader === peer.id && established) {
    // A repeated BEHIND is allowed once per heartbeat of the leader: the first may have been lost.
    const following = followEstablished(s, peer.id, heartbeat.epoch);
    if (following === null) return;
    s.behind = false;
    matchEnd(s, following, heartbeat.last);
    return;
  }
  if (leader === peer.id && run !== null) considerProvisional(s, peer.id, run);
  const followed = role.kind === 'following' || role.kind === 'following-provisionally';
  if (followed && role === s.role && role.leader === peer.id && leader !== peer.id) {
    becomeLeaderless(s);
    return;
  }
  maybeFollowThrough(s, peer);
  if (role.kind !== 'following' || role !== s.role || role.via !== peer.id) return;
  if (leader !== role.leader || !established) {
    // The relay lost that leader: look again at once.
    s.waitUntil = s.now;
    becomeLeaderless(s);
  }
}

/**
 * A peer that is not listed never stands, so nobody refuses it and names the leader; it follows at second
 * hand whomever its peers follow, or its messages would wait for a direct link.
 */
function maybeFollowThrough(s: State, peer: PeerState): void {
  const relayed = leaderThrough(s, peer);
  if (relayed === null || !peer.connected || isListed(s)) return;
  if (s.role.kind === 'following' || s.role.kind === 'leading') return;
  becomeFollowing(s, relayed);
}

/**
 * Who holds the leader's last entry holds its whole log (log matching, Raft §3.5): an idle leader has no
 * other occasion to tell a follower that came back that nothing is missing.
 */
function matchEnd(s: State, role: Following, last: Position): void {
  const own = s.log.epochAt(last.seq);
  if (own !== undefined && compareEpochs(own, last.epoch) === 0) {
    role.matched = Math.max(role.matched, last.seq);
  }
}

/** Those who promised a winner wait while it says that it makes progress (E5). */
function extendWait(s: State, from: PeerId, heartbeat: Heartbeat): void {
  const { winner } = s;
  if (winner === null || winner.id !== from || heartbeat.synchronising === null) return;
  if (winner.until !== 0 && heartbeat.synchronising <= winner.progress) return;
  if (winner.until === 0) s.out.statusChanged = true;
  winner.progress = heartbeat.synchronising;
  winner.until = s.now + s.config.syncMs;
  s.waitUntil = Math.max(s.waitUntil, winner.until);
}
