/**
 * Bully election (Garcia-Molina 1982) in three steps: look, then promise, then announce.
 *
 * The highest peer that can win stands: it asks everyone (ELECTION), which stores nothing, so that a
 * candidate that cannot win does no damage (E2). With a quorum of supporters it asks for promises
 * (PREPARE, durable), takes over the best promised log, and announces itself (COORDINATOR). Without a
 * quorum it leads provisionally. Only an established leader (E3), or a winner that makes progress (E5), is a
 * reason to refuse, and who is not in the newest list of the better log neither answers nor wins (E4).
 */
import { assertNever, must } from '../assert.ts';
import { adopt } from './append.ts';
import type {
  Answer,
  Election,
  Electorate,
  Entries,
  LogView,
  Prepare,
  PromiseGranted,
  Refuse,
  Reject,
  Support,
} from './messages.ts';
import type { PeerState } from './peers.ts';
import type { Looking, Preparing, StandReason, Synchronising } from './roles.ts';
import {
  type State,
  afterWrites,
  doubled,
  hearsQuorum,
  heardLeader,
  isConnected,
  isIn,
  isListed,
  isQuorumOfEach,
  leaderThrough,
  jittered,
  logView,
  newestList,
  nextRequest,
  raisePromise,
  send,
  sendAfterWrites,
} from './state.ts';
import {
  becomeCandidate,
  becomeFollowing,
  becomeLeading,
  becomeLeadingProvisionally,
  becomePromised,
} from './transitions.ts';
import { type Epoch, type PeerId, compareEpochs, comparePositions } from './types.ts';
import { hearsOfEstablished, leaderBehindPeers, maybeYield, yields } from './yielding.ts';

/** How often a peer that is far behind lets a better one go first; then that one seems not to want. */
const DEFERRALS_MAX = 4;

/** Why this peer should stand now; null if it should not. */
export function standReason(s: State): StandReason | null {
  if (s.stopped || s.leaving || !isListed(s)) return null;
  const { role } = s;
  switch (role.kind) {
    case 'leaderless':
      return yields(s) ? null : 'no-leader';
    case 'leading':
      return null;
    case 'following':
      if (role.via !== null) return mayStandAgainst(s, role.leader) ? 'reunion' : null;
      if (s.peers.get(role.leader)?.leaving === true) return 'no-leader';
      return mayTakeOver(s, role.leader, role.epoch) ? 'takeover' : null;
    case 'following-provisionally':
      if (s.peers.get(role.leader)?.leaving === true) return 'no-leader';
      return mayReunite(s) ? 'reunion' : null;
    case 'leading-provisionally':
      return mayReunite(s) ? 'reunion' : null;
    default:
      return assertNever(role, 'role');
  }
}

/** Without a leader that has a quorum: others are heard with whom there may be one (E1). */
function mayReunite(s: State): boolean {
  return (hearsQuorum(s) || hearsOfEstablished(s)) && !yields(s);
}

/** It follows a lower leader at second hand and hears a quorum, in which nobody refuses the higher peer. */
function mayStandAgainst(s: State, leader: PeerId): boolean {
  return s.self.id > leader && s.now >= s.yieldUntil && hearsQuorum(s);
}

/**
 * Caught up and higher than the leader: close to the leader's *last* seq, because closeness to its
 * mark would take over before the lower leader has made anything final, for ever (E6).
 */
function mayTakeOver(s: State, leader: PeerId, epoch: Epoch): boolean {
  if (s.self.id < leader || s.now < s.yieldUntil) return false;
  const { role } = s;
  if (role.kind !== 'following' || role.matched === 0 || s.behind) return false;
  const last = s.peers.get(leader)?.heartbeat?.last.seq;
  const final = s.log.epochAt(s.mark);
  return (
    last !== undefined &&
    role.matched + s.config.caughtUpEntries >= Math.max(last, s.log.last.seq) &&
    final !== undefined &&
    compareEpochs(final, epoch) === 0
  );
}

/** Connected listed peers above this one that could stand. */
function rank(s: State): number {
  const list = newestList(s);
  if (list === null) return 0;
  let above = 0;
  for (const { id } of list.members) {
    if (id <= s.self.id) continue;
    const peer = s.peers.get(id);
    if (peer?.reachable === true && !peer.leaving) above++;
  }
  return above;
}

/** Stands when there is a reason and its turn has come; who yields follows whom its peers follow. */
export function maybeStand(s: State): void {
  forgetLostWinner(s);
  maybeYield(s);
  if (s.attempt !== null || standReason(s) === null) {
    s.standAt = null;
    return;
  }
  if (s.now < s.waitUntil) return;
  const above = rank(s);
  if (s.standAt === null || above < s.standRank) {
    const jitter = above === 0 ? 0 : s.random.unit() * s.config.rankWaitMs;
    const turn = s.now + above * s.config.rankWaitMs + jitter;
    s.standAt = Math.min(s.standAt ?? turn, turn);
    s.standRank = above;
  }
  if (s.now >= s.standAt) startLooking(s);
}

/** A winner that is gone announces nothing: there is nothing to wait for. */
function forgetLostWinner(s: State): void {
  if (s.winner === null || isConnected(s, s.winner.id)) return;
  s.winner = null;
  s.waitUntil = s.now;
  s.out.statusChanged = true;
}

function startLooking(s: State): void {
  const reason = must(standReason(s), 'only who has a reason stands');
  s.standAt = null;
  s.round += 1;
  const attempt: Looking = {
    kind: 'looking',
    round: s.round,
    reason,
    deadline: s.now + patience(s, s.config.lookMs),
    awaited: new Set(),
    supports: new Map(),
    answered: false,
    refusedFor: null,
  };
  s.attempt = attempt;
  for (const peer of s.peers.values()) if (peer.reachable) askForSupport(s, attempt, peer.id);
  if (attempt.awaited.size === 0) decide(s, attempt);
}

function askForSupport(s: State, attempt: Looking, peer: PeerId): void {
  const { epoch, seq } = s.log.last;
  const list: Electorate = newestList(s)?.members ?? [];
  attempt.awaited.add(peer);
  send(s, peer, { kind: 'election', round: attempt.round, last: { epoch, seq }, list });
}

/** ELECTION: refuse for the sake of a leader, answer and stand, or support. Nothing is stored. */
export function onElection(s: State, from: PeerState, election: Election): void {
  if (s.stopped) return;
  const { round } = election;
  const leader = leaderAgainst(s, from) ?? synchronisingWinner(s, from.id);
  if (leader !== null) {
    send(s, from.id, { kind: 'refuse', round, leader });
    return;
  }
  if (from.id < s.self.id && canAnswer(s, election)) {
    send(s, from.id, { kind: 'answer', round });
    if (s.attempt === null) s.standAt = s.now;
    return;
  }
  if (from.id > s.self.id && s.attempt?.kind === 'looking') {
    // The own try is put off, not given up: the higher one may turn out to be unable to win.
    s.attempt = null;
    s.waitUntil = s.now + jittered(s, s.config.lookMs);
  }
  send(s, from.id, { kind: 'support', round, ...logView(s) });
}

/** The established leader for whose sake a candidate is refused; null if there is no such reason. */
function leaderAgainst(s: State, candidate: PeerState): PeerId | null {
  const leader = heardLeader(s);
  if (leader === null || leader === candidate.id) return null;
  const list = newestList(s);
  const listed = list !== null && isIn(list.members, candidate);
  return leader > candidate.id || !listed ? leader : null;
}

/** A winner that has been promised and makes progress is waited for (E5). */
function synchronisingWinner(s: State, candidate: PeerId): PeerId | null {
  const { attempt, winner } = s;
  if (attempt?.kind === 'synchronising' && s.now < attempt.progressAt + s.config.syncMs) {
    return s.self.id;
  }
  if (winner === null || winner.id === candidate || s.now >= winner.until) return null;
  return s.peers.get(winner.id)?.connected === true ? winner.id : null;
}

function canAnswer(s: State, election: Election): boolean {
  if (standReason(s) === null || !hearsQuorum(s) || s.now < s.failedUntil) return false;
  if (s.attempt === null && s.now < s.waitUntil) return false;
  if (comparePositions(election.last, s.log.last) <= 0) return true;
  const behind = election.last.seq - s.log.last.seq;
  return behind <= s.config.farBehindEntries && isIn(election.list, s.self);
}

/** ANSWER, SUPPORT or REFUSE to the present round. */
export function onLookReply(s: State, from: PeerId, reply: Answer | Support | Refuse): void {
  const { attempt } = s;
  if (attempt?.kind !== 'looking' || reply.round !== attempt.round) return;
  attempt.awaited.delete(from);
  switch (reply.kind) {
    case 'answer':
      attempt.answered = true;
      break;
    case 'support':
      attempt.supports.set(from, reply);
      break;
    case 'refuse':
      attempt.refusedFor = { leader: reply.leader, by: from };
      // Whatever the others say, this leader can be followed now.
      if (s.peers.get(from)?.relayed?.id === reply.leader) attempt.awaited.clear();
      break;
    default:
      assertNever(reply, 'reply');
  }
  if (attempt.awaited.size === 0) decide(s, attempt);
}

/** The look is over: wait, follow at second hand, prepare, or lead provisionally. */
function decide(s: State, attempt: Looking): void {
  s.attempt = null;
  if (attempt.refusedFor !== null) {
    onRefused(s, attempt.refusedFor);
    return;
  }
  if (attempt.answered) {
    s.waitUntil = s.now + jittered(s, s.config.prepareMs);
    return;
  }
  const views = new Map<PeerId, LogView>(attempt.supports);
  views.set(s.self.id, logView(s));
  const verdict = judgeVotes(s, views);
  if (verdict.quorum && verdict.listed) {
    if (isFarBehind(s, verdict) && s.failures < DEFERRALS_MAX) {
      backOff(s);
      return;
    }
    // Looked at again right before PREPARE: the reason may have gone while replies came in.
    if (standReason(s) !== null) prepare(s);
    return;
  }
  backOff(s);
  if (verdict.quorum) return;
  // Nobody refuses this peer, and it cannot win: it hands its messages to those who have a leader. Who hears a
  // quorum can win, or take up its epoch, at the next try.
  const relayed = hearsQuorum(s) ? null : leaderBehindPeers(s);
  if (relayed !== null) becomeFollowing(s, relayed);
  else if (s.role.kind === 'leaderless') becomeLeadingProvisionally(s, null);
}

/** A supporter that could lead has so much more that leading at once would make everyone wait (E5). */
function isFarBehind(s: State, { owner, best }: Verdict): boolean {
  const newest = best.lists.at(-1) ?? [];
  if (best.last.seq - s.log.last.seq <= s.config.farBehindEntries) return false;
  return s.peers.get(owner)?.leaving !== true && newest.some(({ id }) => id === owner);
}

/** Follows the leader that a refusal named, through the peer that named it. */
function onRefused(s: State, { leader, by }: { leader: PeerId; by: PeerId }): void {
  if (s.role.kind === 'following') {
    // It has a leader to write to, and tries again ever more seldom; that one leaves, others hear at once.
    if (s.peers.get(leader)?.leaving === true) s.waitUntil = s.now + s.config.rankWaitMs;
    else backOff(s);
    return;
  }
  s.waitUntil = s.now + jittered(s, s.config.lookMs);
  const peer = s.peers.get(by);
  const relayed = peer === undefined ? null : leaderThrough(s, peer);
  if (relayed?.id === leader) becomeFollowing(s, relayed);
}

interface Verdict {
  /** The voters are a quorum of each list in effect in the best log among them. */
  readonly quorum: boolean;
  /** This peer is in the newest of those lists. */
  readonly listed: boolean;
  readonly owner: PeerId;
  readonly best: LogView;
}

/** Judges votes by the lists of the best log among the voters, the one with the greatest end. */
function judgeVotes(s: State, views: ReadonlyMap<PeerId, LogView>): Verdict {
  let owner = s.self.id;
  let best = must(views.get(owner), 'the own log is among the votes');
  for (const [id, view] of views) {
    if (comparePositions(view.last, best.last) > 0) {
      best = view;
      owner = id;
    }
  }
  const newest = best.lists.at(-1) ?? [];
  return {
    quorum: isQuorumOfEach(s, best.lists, (id) => views.has(id)),
    listed: isIn(newest, s.self),
    owner,
    best,
  };
}

/** After failed tries replies are waited for longer: a round trip may just take that long here. */
function patience(s: State, ms: number): number {
  return doubled(ms, s.failures);
}

function backOff(s: State): void {
  s.failures = Math.min(s.failures + 1, 5);
  s.waitUntil = s.now + jittered(s, s.config.retryMs * 2 ** (s.failures - 1));
}

function failAttempt(s: State): void {
  if (s.attempt?.kind === 'synchronising') s.out.statusChanged = true;
  s.attempt = null;
  s.failedUntil = s.now + s.config.prepareMs;
  backOff(s);
}

/** Promises itself an epoch above everything seen; others are asked once that is stored. */
export function prepare(s: State): void {
  const epoch: Epoch = { number: s.highestNumber + 1, leader: s.self.id };
  becomeCandidate(s, epoch);
  s.attempt = {
    kind: 'preparing',
    epoch,
    deadline: s.now + patience(s, s.config.prepareMs),
    awaited: new Set(),
    promises: new Map(),
  };
  afterWrites(s, { kind: 'own-promise', epoch });
}

/**
 * PREPARE: promise, unless something higher was promised, an established leader stands against it, or a
 * winner makes progress: a leader that does not hear it prepares above it, and the two would take turns
 * for ever (E5).
 */
export function onPrepare(s: State, from: PeerState, { epoch }: Prepare): void {
  if (epoch.leader !== from.id || s.stopped) return;
  s.highestNumber = Math.max(s.highestNumber, epoch.number);
  if (compareEpochs(epoch, s.promised) < 0) {
    send(s, from.id, { kind: 'reject', epoch, promised: s.promised, leader: null });
    return;
  }
  const leader = leaderAgainst(s, from) ?? synchronisingWinner(s, from.id);
  if (leader !== null) {
    send(s, from.id, { kind: 'reject', epoch, promised: s.promised, leader });
    return;
  }
  raisePromise(s, epoch);
  becomePromised(s, from.id);
  sendAfterWrites(s, from.id, { kind: 'promise', epoch, ...logView(s) });
}

/** An own promise is on disk: asks everyone, if its epoch is still being prepared. */
export function onOwnPromise(s: State, epoch: Epoch): void {
  const { attempt } = s;
  if (attempt?.kind !== 'preparing' || compareEpochs(attempt.epoch, epoch) !== 0) return;
  attempt.promises.set(s.self.id, logView(s));
  // The time that the own disk took is not the others' fault.
  attempt.deadline = s.now + patience(s, s.config.prepareMs);
  for (const peer of s.peers.values()) if (peer.reachable) askForPromise(s, attempt, peer.id);
  maybeWin(s, attempt);
}

function askForPromise(s: State, attempt: Preparing, peer: PeerId): void {
  attempt.awaited.add(peer);
  send(s, peer, { kind: 'prepare', epoch: attempt.epoch });
}

/** PROMISE for the epoch that is being prepared. */
export function onPromise(s: State, from: PeerId, promise: PromiseGranted): void {
  const { attempt } = s;
  if (attempt?.kind !== 'preparing' || compareEpochs(attempt.epoch, promise.epoch) !== 0) return;
  attempt.promises.set(from, promise);
  attempt.awaited.delete(from);
  maybeWin(s, attempt);
}

/** REJECT of a PREPARE: a leader stands against it, or a promise that the next try must exceed. */
export function onPrepareRejected(s: State, from: PeerId, reject: Reject): void {
  const { attempt } = s;
  if (attempt?.kind !== 'preparing' || compareEpochs(attempt.epoch, reject.epoch) !== 0) return;
  attempt.awaited.delete(from);
  if (reject.leader !== null && reject.leader !== s.self.id) {
    failAttempt(s);
    onRefused(s, { leader: reject.leader, by: from });
    return;
  }
  if (attempt.awaited.size === 0) failAttempt(s);
}

function maybeWin(s: State, attempt: Preparing): void {
  if (!attempt.promises.has(s.self.id)) return;
  if (compareEpochs(attempt.epoch, s.promised) < 0) {
    // Catch-up brought final entries of a higher epoch meanwhile: this one is void.
    failAttempt(s);
    return;
  }
  // It may also have brought what the others promise to hand over: the own log of now is what counts.
  attempt.promises.set(s.self.id, logView(s));
  const { quorum, listed, owner, best } = judgeVotes(s, attempt.promises);
  if (!quorum || !listed) {
    if (attempt.awaited.size === 0) failAttempt(s);
    return;
  }
  if (owner === s.self.id) {
    becomeLeading(s, attempt.epoch);
    return;
  }
  const synchronising: Synchronising = {
    kind: 'synchronising',
    epoch: attempt.epoch,
    owner,
    target: best.last,
    request: 0,
    progressAt: s.now,
    deadline: s.now + patience(s, s.config.syncMs),
  };
  s.attempt = synchronising;
  s.out.statusChanged = true;
  s.catchUp = null;
  for (const peer of s.peers.values()) peer.nextHeartbeatAt = s.now;
  fetchRest(s, synchronising, 'end');
}

/** Fetches what the best promised log has more, from the own end; after a mismatch from the own mark. */
function fetchRest(s: State, attempt: Synchronising, from: 'end' | 'mark'): void {
  const place = s.log.positionAt(from === 'end' ? s.log.last.seq : s.mark);
  attempt.request = nextRequest(s);
  send(s, attempt.owner, {
    kind: 'fetch',
    request: attempt.request,
    after: must(place, 'the mark and all behind it are in memory'),
    epoch: attempt.epoch,
  });
}

/** ENTRIES for a synchronising winner: each batch is one log-matching append. */
export function onSynchronisingEntries(s: State, from: PeerId, batch: Entries): void {
  const { attempt } = s;
  if (attempt?.kind !== 'synchronising') return;
  if (attempt.request !== batch.request || attempt.owner !== from) return;
  if (!batch.matched) {
    // From the own mark everything matches, unless the owner has promised somebody else.
    if (batch.prev.seq === s.mark) failAttempt(s);
    else fetchRest(s, attempt, 'mark');
    return;
  }
  const adoption = adopt(s, batch);
  // Entries of a higher epoch than the one that was promised make this attempt void.
  const isVoid = compareEpochs(s.promised, attempt.epoch) !== 0;
  if (adoption !== 'adopted' || batch.entries.length === 0 || isVoid) {
    failAttempt(s);
    return;
  }
  attempt.progressAt = s.now;
  attempt.deadline = s.now + patience(s, s.config.syncMs);
  const end = must(batch.entries.at(-1), 'the batch is not empty');
  if (comparePositions(end, attempt.target) < 0) {
    const after = { epoch: end.epoch, seq: end.seq };
    attempt.request = nextRequest(s);
    send(s, from, { kind: 'fetch', request: attempt.request, after, epoch: attempt.epoch });
    return;
  }
  if (isListed(s)) becomeLeading(s, attempt.epoch);
  else failAttempt(s);
}

/** Deadlines of the present attempt. */
export function checkAttempt(s: State): void {
  const { attempt } = s;
  if (attempt === null) return;
  const isOver = s.now >= attempt.deadline;
  switch (attempt.kind) {
    case 'looking':
      forgetLost(s, attempt.awaited);
      if (isOver || attempt.awaited.size === 0) decide(s, attempt);
      return;
    case 'preparing': {
      forgetLost(s, attempt.awaited);
      const asked = attempt.promises.has(s.self.id);
      if (isOver || (asked && attempt.awaited.size === 0)) failAttempt(s);
      return;
    }
    case 'synchronising':
      if (isOver || !isConnected(s, attempt.owner)) failAttempt(s);
      return;
    default:
      assertNever(attempt, 'attempt');
  }
}

/** Who is lost answers no more. A link that merely broke is not: on the next one it is asked again. */
function forgetLost(s: State, awaited: Set<PeerId>): void {
  for (const id of awaited) if (!isConnected(s, id)) awaited.delete(id);
}

/** A new link to a peer: the question or its answer may have been lost with the old one. */
export function onRelinkedForAttempt(s: State, peer: PeerId): void {
  const { attempt } = s;
  if (attempt === null) return;
  switch (attempt.kind) {
    case 'looking':
      if (!attempt.supports.has(peer)) askForSupport(s, attempt, peer);
      return;
    case 'preparing': {
      const asked = attempt.promises.has(s.self.id);
      if (asked && !attempt.promises.has(peer)) askForPromise(s, attempt, peer);
      return;
    }
    case 'synchronising':
      if (attempt.owner === peer) fetchRest(s, attempt, 'end');
      return;
    default:
      assertNever(attempt, 'attempt');
  }
}
