/**
 * Getting final entries that this peer missed, from any peer that has them, followers before the leader;
 * and serving such requests, from memory or from the stored log. Batches are bounded, the next one is
 * asked for only while few writes wait for the disk (back-pressure), and every batch is checked against
 * the hash chain before it is kept. A synchronising winner (election.ts) uses the same frames.
 */
import { must } from '../assert.ts';
import { adopt, stands } from './append.ts';
import { moveMark } from './delivery.ts';
import { onDiverged } from './divergence.ts';
import { framedBytes } from './entry-codec.ts';
import type { Entries, Fetch } from './messages.ts';
import { orderOwnPending } from './submission.ts';
import { becomeLeaderless } from './transitions.ts';
import { type Serving, type State, doubled, emit, nextRequest, send } from './state.ts';
import { type Entry, type Epoch, type PeerId, type Seq, compareEpochs } from './types.ts';

/** Writes that may wait for the disk before the next batch is asked for. */
const WRITES_IN_FLIGHT_MAX = 4;

/** Starts to catch up to `target`, unless that is under way already. */
export function startCatchUp(s: State, target: Seq): void {
  if (s.catchUp !== null || target <= s.mark || s.stopped) return;
  if (s.attempt?.kind === 'synchronising') return;
  const from = pickSource(s, target);
  if (from !== null) fetchFrom(s, from, target);
}

/** A peer whose mark is above ours: a follower if there is one, else the leader; not always the same. */
function pickSource(s: State, target: Seq): PeerId | null {
  const able = [...s.peers.values()].filter((peer) => peer.reachable && peer.mark > s.mark);
  const leader = s.role.kind === 'following' ? s.role.leader : null;
  const followers = able.filter(
    (peer) => peer.id !== leader && peer.mark >= target - s.config.caughtUpEntries,
  );
  if (followers.length > 0) return s.random.pick(followers).id;
  const any = able.find((peer) => peer.id === leader) ?? able[0];
  if (any !== undefined) return any.id;
  return leader !== null && s.peers.get(leader)?.reachable === true ? leader : null;
}

function fetchFrom(s: State, from: PeerId, target: Seq): void {
  const request = nextRequest(s);
  s.catchUp = { from, request, target, deadline: deadline(s) };
  const after = must(s.log.positionAt(s.mark), 'the place of the mark stays in memory');
  send(s, from, { kind: 'fetch', request, after, epoch: null });
}

/** A batch that came too late is waited for longer from then on: the path may just be that slow. */
function deadline(s: State): number {
  return s.now + doubled(s.config.syncMs, s.catchUpTimeouts);
}

/** Gives up on a source that does not answer, and tries another. */
export function checkCatchUp(s: State): void {
  if (s.catchUp === null) return;
  const source = s.peers.get(s.catchUp.from);
  if (s.now < s.catchUp.deadline && source?.reachable === true) return;
  if (source?.reachable === true) s.catchUpTimeouts++;
  const { target } = s.catchUp;
  s.catchUp = null;
  startCatchUp(s, target);
}

/** FETCH: serves final entries to anybody, the whole log to a winner that this peer promised. */
export function onFetch(s: State, from: PeerId, fetch: Fetch): void {
  // What differs from the group's history is handed on to nobody.
  if (s.stopped) return;
  const { request, after, epoch } = fetch;
  const whole = epoch !== null;
  if (whole && compareEpochs(epoch, s.promised) !== 0) return refuseFetch(s, from, fetch);
  const limit = whole ? s.log.last.seq : s.mark;
  const own = s.log.epochAt(after.seq);
  const older = after.seq < s.log.first - 1;
  if (
    after.seq > limit ||
    (!older && (own === undefined || compareEpochs(own, after.epoch) !== 0))
  ) {
    return refuseFetch(s, from, fetch);
  }
  const serving: Serving = { to: from, request, after, limit, mark: s.mark };
  if (!older) {
    sendEntries(s, serving, batchAfter(s, after.seq, limit));
    return;
  }
  const read = nextRequest(s);
  s.serving.set(read, serving);
  s.out.reads.push({
    kind: 'read-entries',
    request: read,
    // The entry at `after` is read too: whether it matches is not known from memory.
    from: Math.max(1, after.seq),
    to: Math.min(limit, after.seq + s.config.batchEntries),
    bytesMax: s.config.batchBytes,
  });
}

function refuseFetch(
  s: State,
  to: PeerId,
  { request, after }: Pick<Fetch, 'request' | 'after'>,
): void {
  send(s, to, {
    kind: 'entries',
    request,
    matched: false,
    prev: after,
    entries: [],
    mark: s.mark,
  });
}

function batchAfter(s: State, after: Seq, limit: Seq): readonly Entry[] {
  const { log, config } = s;
  let end = after;
  let bytes = 0;
  while (end < limit && end - after < config.batchEntries) {
    bytes += framedBytes(must(log.at(end + 1), 'the batch lies in memory').body);
    if (bytes > config.batchBytes && end > after) break;
    end++;
  }
  return end === after ? [] : log.slice(after + 1, end);
}

/** The stored log has answered a read for somebody's FETCH. */
export function onEntriesRead(s: State, request: number, entries: readonly Entry[]): void {
  const serving = s.serving.get(request);
  if (serving === undefined) return;
  s.serving.delete(request);
  const { after } = serving;
  const [first] = entries;
  // A store that has given up answers nothing, which says nothing of the history.
  if (first === undefined) return;
  if (after.seq === 0) {
    sendEntries(s, serving, entries);
  } else if (first.seq === after.seq && compareEpochs(first.epoch, after.epoch) === 0) {
    sendEntries(s, serving, entries.slice(1));
  } else {
    refuseFetch(s, serving.to, serving);
  }
}

function sendEntries(s: State, serving: Serving, entries: readonly Entry[]): void {
  const { to, request, after, mark } = serving;
  send(s, to, { kind: 'entries', request, matched: true, prev: after, entries, mark });
}

/** A new link to a peer: perhaps another process, whose requests have the same numbers as those before. */
export function onRelinkedForCatchUp(s: State, peer: PeerId): void {
  for (const [read, { to }] of s.serving) if (to === peer) s.serving.delete(read);
  if (s.catchUp?.from === peer && s.catchUp.request !== 0) {
    // The FETCH or its answer may have been lost with the old link.
    fetchFrom(s, peer, s.catchUp.target);
  }
}

/** ENTRIES of a catch-up: keeps what is final, then asks for more or tells the leader. */
export function onCatchUpEntries(s: State, from: PeerId, batch: Entries): void {
  const { catchUp } = s;
  if (catchUp === null || catchUp.request !== batch.request || catchUp.from !== from) return;
  s.catchUp = null;
  if (!batch.matched) {
    // It was asked for what follows the own mark: a difference there is one in what both call final.
    if (batch.prev.seq <= Math.min(s.mark, batch.mark)) onDiverged(s, from, batch.prev.seq);
    return;
  }
  const final = batch.entries.filter((entry) => entry.seq <= batch.mark);
  giveUpOutdatedLead(s, final);
  const adoption = adopt(s, { ...batch, entries: final });
  if (adoption !== 'adopted') {
    // Entries that do not chain to the own mark are as good as other entries.
    if (adoption !== 'mismatch') onDiverged(s, from, Math.min(batch.prev.seq + 1, s.mark));
    return;
  }
  moveMark(s, Math.min(batch.mark, batch.prev.seq + final.length));
  leaveOutdatedLeader(s);
  // What was cut waits for a place again, before anything that its author writes next.
  if (s.role.kind === 'leading-provisionally') orderOwnPending(s);
  const target = Math.max(catchUp.target, batch.mark);
  if (target > s.mark && final.length > 0) {
    emit(s, { kind: 'progress', at: s.mark, target });
    s.catchUp = { from, request: 0, target, deadline: deadline(s) };
    continueCatchUp(s);
    return;
  }
  finishCatchUp(s, target);
}

/** Final entries of a higher epoch show that the followed leader has been replaced. */
function leaveOutdatedLeader(s: State): void {
  const { role } = s;
  if (role.kind === 'following' && role.via === null && compareEpochs(role.epoch, s.promised) < 0) {
    becomeLeaderless(s);
  }
}

/**
 * A leader holds every entry that was final when it was promised, so a final entry that it lacks was
 * made final by a higher epoch. It must not lead on, or lead again, in its own: what is about to be cut
 * from its log would get second entries at the same (epoch, seq).
 */
function giveUpOutdatedLead(s: State, final: readonly Entry[]): void {
  const { role } = s;
  const leads = role.kind === 'leading';
  if (!leads && (role.kind !== 'leading-provisionally' || role.resumable === null)) return;
  if (!final.every((entry) => stands(s, entry))) becomeLeaderless(s);
}

/** Asks for the next batch once the disk keeps up. */
export function continueCatchUp(s: State): void {
  const { catchUp } = s;
  if (catchUp === null || catchUp.request !== 0) return;
  if (s.writeNumber - s.persistedUpTo > WRITES_IN_FLIGHT_MAX) {
    s.catchUp = { ...catchUp, deadline: deadline(s) };
    return;
  }
  fetchFrom(s, catchUp.from, catchUp.target);
}

/** Tells the leader where this log stands, so that it goes on from there. */
export function sendBehind(s: State, to: PeerId, epoch: Epoch): void {
  send(s, to, { kind: 'behind', epoch, last: s.log.last.seq, mark: s.mark });
}

function finishCatchUp(s: State, target: Seq): void {
  s.catchUpTimeouts = 0;
  emit(s, { kind: 'progress', at: s.mark, target: Math.max(target, s.mark) });
  const { role } = s;
  if (role.kind === 'following' && role.via === null) {
    s.behind = true;
    sendBehind(s, role.leader, role.epoch);
  }
}
