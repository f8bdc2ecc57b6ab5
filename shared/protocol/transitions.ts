/**
 * The only places where a role changes. Each function leaves every field that belongs to the old role
 * in order, so that no caller has to remember what a change implies: places of an old provisional run
 * are forgotten, held and wanted messages are dropped (their holders offer them again), messages that
 * wait are offered to the new leader, and the heartbeat that tells everyone leaves at once.
 */
import { assert } from '../assert.ts';
import { appendOwn } from './append.ts';
import { type Run, sameRun } from './messages.ts';
import type { Leading, LeadingProvisionally, RoleState } from './roles.ts';
import {
  type State,
  afterWrites,
  broadcast,
  entryId,
  isConnected,
  jittered,
  raisePromise,
  wallNow,
} from './state.ts';
import { forgetLookedUpPlaces, orderOwnPending, resubmit } from './submission.ts';
import { type Epoch, type PeerId, compareEpochs } from './types.ts';

function changeRole(s: State, role: RoleState): void {
  s.role = role;
  s.held.clear();
  s.heldIds.clear();
  s.wanted.clear();
  forgetLookedUpPlaces(s);
  s.standAt = null;
  s.behind = false;
  s.joinAskedAt = null;
  s.leaveAskedAt = null;
  s.out.statusChanged = true;
  // Everyone who decides by whom this peer follows should not wait for the next regular heartbeat.
  for (const peer of s.peers.values()) peer.nextHeartbeatAt = s.now;
}

/** Who lost the lead waits before it takes over again, longer each time, so that it cannot flap. */
function noteLostLead(s: State): void {
  const { role, config } = s;
  const led = role.kind === 'leading' || (role.kind === 'leading-provisionally' && role.resumable);
  if (!led || s.leaving) return;
  if (s.now - s.lostLeadAt > config.yieldResetMs) s.yieldMs = 0;
  s.yieldMs = s.yieldMs === 0 ? config.yieldMs : Math.min(s.yieldMs * 2, config.yieldMaxMs);
  s.lostLeadAt = s.now;
  s.yieldUntil = s.now + s.yieldMs;
}

/** No leader any more, for whatever reason. */
export function becomeLeaderless(s: State): void {
  if (s.role.kind === 'leaderless') return;
  noteLostLead(s);
  changeRole(s, { kind: 'leaderless' });
}

/** A promise was given to somebody else: wait for its COORDINATOR, bounded. */
export function becomePromised(s: State, winner: PeerId): void {
  becomeLeaderless(s);
  s.attempt = null;
  s.standAt = null;
  // One that is not connected, though its PREPARE got through, cannot be lost later: the wait is all.
  s.winner = isConnected(s, winner) ? { id: winner, progress: 0, until: 0 } : null;
  s.waitUntil = s.now + jittered(s, s.config.prepareMs);
}

/** Follows an established leader, heard directly (`via` null) or at second hand. */
export function becomeFollowing(
  s: State,
  leader: { readonly id: PeerId; readonly epoch: Epoch; readonly via: PeerId | null },
): void {
  assert(leader.id !== s.self.id, 'nobody follows itself');
  noteLostLead(s);
  s.attempt = null;
  s.winner = null;
  s.failures = 0;
  s.waitUntil = s.now;
  if (compareEpochs(leader.epoch, s.epoch) > 0 || leader.via === null) s.epoch = leader.epoch;
  s.pending.forgetPlaces();
  changeRole(s, {
    kind: 'following',
    leader: leader.id,
    epoch: leader.epoch,
    via: leader.via,
    matched: 0,
    acked: 0,
  });
  resubmit(s);
}

/** Follows a leader without a quorum: what it orders is not final. */
export function becomeFollowingProvisionally(s: State, run: Run): void {
  const { role } = s;
  noteLostLead(s);
  if (role.kind !== 'following-provisionally' || !sameRun(role.run, run)) s.pending.forgetPlaces();
  changeRole(s, { kind: 'following-provisionally', leader: run.leader, run });
  resubmit(s);
}

/**
 * Promised by a quorum and holding the best promised log: writes the `leader` entry, tells everyone,
 * and sequences what waits. The promise for `epoch` is durable already.
 */
export function becomeLeading(s: State, epoch: Epoch): void {
  assert(compareEpochs(epoch, s.promised) === 0, 'a leader leads the epoch that it promised last');
  s.attempt = null;
  s.winner = null;
  s.failures = 0;
  s.epoch = epoch;
  s.catchUp = null;
  s.waiting.joins.clear();
  s.waiting.leaves.clear();
  s.unheardSince.clear();
  s.pending.forgetPlaces();
  const leaderSeq = s.log.last.seq + 1;
  const role: Leading = {
    kind: 'leading',
    epoch,
    leaderSeq,
    progress: new Map(),
    ownStored: 0,
    refusedSince: null,
    refusedAt: 0,
  };
  changeRole(s, role);
  for (const peer of s.peers.values()) if (peer.linked) startProgress(s, role, peer.id);
  broadcast(s, { kind: 'coordinator', lead: { kind: 'established', epoch } });
  appendOwn(s, role, {
    kind: 'leader',
    id: entryId(s),
    author: s.self.id,
    after: null,
    sentAt: wallNow(s),
    body: new Uint8Array(0),
  });
  orderOwnPending(s);
}

/** Starts to send the order to a peer: from the end, until it says where it stands. */
export function startProgress(s: State, role: Leading, peer: PeerId): void {
  role.progress.set(peer, {
    next: s.log.last.seq + 1,
    matched: 0,
    known: 0,
    markSent: -1,
    open: [],
    openBytes: 0,
    lagging: false,
  });
}

/** Leads without a quorum; `resumable` is the epoch that it may take up again. */
export function becomeLeadingProvisionally(s: State, resumable: Leading | null): void {
  s.runs += 1;
  s.pending.forgetPlaces();
  const role: LeadingProvisionally = {
    kind: 'leading-provisionally',
    run: { leader: s.self.id, nonce: s.nonce, counter: s.runs },
    next: 1,
    resumable,
  };
  changeRole(s, role);
  broadcast(s, { kind: 'coordinator', lead: { kind: 'provisional', run: role.run } });
  orderOwnPending(s);
}

/** A leader that lost its quorum for a moment hears it again, and nobody was promised meanwhile. */
export function resumeLeading(s: State, role: Leading): void {
  assert(compareEpochs(role.epoch, s.promised) === 0, 'nothing higher was promised meanwhile');
  s.attempt = null;
  s.unheardSince.clear();
  s.pending.forgetPlaces();
  s.waitUntil = s.now;
  changeRole(s, role);
  afterWrites(s, { kind: 'own-stored', epoch: role.epoch, seq: s.log.last.seq });
  for (const peer of s.peers.values()) if (peer.linked) startProgress(s, role, peer.id);
  broadcast(s, { kind: 'coordinator', lead: { kind: 'established', epoch: role.epoch } });
  orderOwnPending(s);
}

/** Somebody else leads in a higher epoch: what it leads now is provisional, and the lead is lost (E11). */
export function giveUpEpoch(s: State, role: LeadingProvisionally): void {
  noteLostLead(s);
  s.role = { ...role, resumable: null };
}

/** Steps towards an epoch of its own; who leads or follows stops doing so. */
export function becomeCandidate(s: State, epoch: Epoch): void {
  raisePromise(s, epoch);
  s.winner = null;
  if (s.role.kind === 'leaderless') return;
  changeRole(s, { kind: 'leaderless' });
}
