/**
 * The established leader's side of ordering: sends its log to everyone as ACCEPTs, pipelined, each
 * batch built once; collects ACKs; moves the commit mark when a quorum of each list in effect has
 * stored an entry of its own epoch (Raft §3.6.2). Its own copy counts when its own disk has it (S5).
 */
import { must } from '../assert.ts';
import { moveMark } from './delivery.ts';
import { framedBytes } from './entry-codec.ts';
import type { Accept, Ack, Behind } from './messages.ts';
import { quorumSeq } from './quorum.ts';
import type { Leading, Progress } from './roles.ts';
import { type State, listsInEffect, send, speaksFor } from './state.ts';
import { type Epoch, type Member, type PeerId, type Seq, compareEpochs } from './types.ts';

/** Sends what each peer lacks, and the mark by itself where nothing else carries it. */
export function flushAccepts(s: State, role: Leading): void {
  const batches = new Map<Seq, Batch>();
  for (const [id, progress] of role.progress) {
    const peer = s.peers.get(id);
    if (peer === undefined || !peer.linked || peer.diverged) continue;
    sendEntries(s, role, { id, progress, batches });
    if (s.mark > progress.markSent && !progress.lagging) sendMark(s, role, id, progress);
  }
}

interface Recipient {
  readonly id: PeerId;
  readonly progress: Progress;
  /** Frames of this flush by their first seq: peers that are equally far get the same object. */
  readonly batches: Map<Seq, Batch>;
}

interface Batch {
  readonly accept: Accept;
  readonly bytes: number;
}

function sendEntries(s: State, role: Leading, { id, progress, batches }: Recipient): void {
  const { log, config } = s;
  const { seq: last } = log.last;
  while (progress.next <= last && !progress.lagging) {
    if (progress.next < log.first) {
      progress.lagging = true;
      return;
    }
    const open = progress.next - 1 - Math.max(progress.matched, progress.known);
    if (open > config.windowEntries || progress.openBytes >= config.windowBytes) return;
    const batch = batches.get(progress.next) ?? batchFrom(s, role, progress.next);
    batches.set(progress.next, batch);
    send(s, id, batch.accept);
    progress.next += batch.accept.entries.length;
    progress.open.push({ end: progress.next - 1, bytes: batch.bytes });
    progress.openBytes += batch.bytes;
    progress.markSent = s.mark;
  }
}

/** What was sent up to `seq` has arrived. */
function closeOpen(progress: Progress, seq: Seq): void {
  while (progress.open[0] !== undefined && progress.open[0].end <= seq) {
    progress.openBytes -= progress.open[0].bytes;
    progress.open.shift();
  }
}

/** Sending starts anew from another place: what was sent before is not counted any more. */
function forgetOpen(progress: Progress): void {
  progress.open.length = 0;
  progress.openBytes = 0;
}

function batchFrom(s: State, role: Leading, from: Seq): Batch {
  const { log, config } = s;
  const to = Math.min(log.last.seq, from + config.batchEntries - 1);
  let bytes = 0;
  let end = from - 1;
  while (end < to) {
    const more = framedBytes(must(log.at(end + 1), 'a batch lies in memory').body);
    if (bytes + more > config.batchBytes && end >= from) break;
    bytes += more;
    end++;
  }
  const accept: Accept = {
    kind: 'accept',
    epoch: role.epoch,
    prev: must(log.positionAt(from - 1), 'the place before memory is known'),
    entries: log.slice(from, end),
    mark: s.mark,
  };
  return { accept, bytes };
}

function sendMark(s: State, role: Leading, id: PeerId, progress: Progress): void {
  const prev = s.log.positionAt(progress.next - 1);
  if (prev === undefined) return;
  send(s, id, { kind: 'accept', epoch: role.epoch, prev, entries: [], mark: s.mark });
  progress.markSent = s.mark;
}

/** Asks a peer whose ACKs stopped where it stands, by an ACCEPT without entries at the own end. */
export function probe(s: State, role: Leading, id: PeerId): void {
  const progress = role.progress.get(id);
  if (progress === undefined || progress.matched >= s.log.last.seq) return;
  progress.next = s.log.last.seq + 1;
  progress.lagging = false;
  progress.markSent = -1;
}

/** ACK: counts only in the present epoch. */
export function onAck(s: State, role: Leading, from: PeerId, ack: Ack): void {
  const progress = role.progress.get(from);
  if (progress === undefined || compareEpochs(ack.epoch, role.epoch) !== 0) return;
  // Also one that says nothing new: what was sent a second time has arrived.
  closeOpen(progress, ack.seq);
  if (ack.seq <= progress.matched || ack.seq > s.log.last.seq) return;
  progress.matched = ack.seq;
  advanceCommit(s, role);
}

/** BEHIND: goes on from the peer's mark, which surely matches, or waits until it has caught up. */
export function onBehind(s: State, role: Leading, from: PeerId, behind: Behind): void {
  const progress = role.progress.get(from);
  if (progress === undefined || compareEpochs(behind.epoch, role.epoch) !== 0) return;
  const next = behind.mark + 1;
  progress.known = behind.mark;
  forgetOpen(progress);
  progress.lagging = next < s.log.first;
  if (!progress.lagging) progress.next = Math.min(next, s.log.last.seq + 1);
}

/** The own copy up to `seq` is on disk. */
export function onOwnStored(s: State, epoch: Epoch, seq: Seq): void {
  const { role } = s;
  const leading = role.kind === 'leading' ? role : resumable(s);
  if (leading === null || compareEpochs(leading.epoch, epoch) !== 0) return;
  leading.ownStored = Math.max(leading.ownStored, seq);
  if (role.kind === 'leading') advanceCommit(s, role);
}

function resumable(s: State): Leading | null {
  return s.role.kind === 'leading-provisionally' ? s.role.resumable : null;
}

/** Moves the mark as far as a quorum of each list in effect has stored this epoch's entries. */
export function advanceCommit(s: State, role: Leading): void {
  const storedBy = (member: Member): Seq => {
    if (!speaksFor(s, member)) return 0;
    if (member.id === s.self.id) return role.ownStored;
    return role.progress.get(member.id)?.matched ?? 0;
  };
  for (;;) {
    const lists = listsInEffect(s);
    let seq = s.log.last.seq;
    for (const list of lists) seq = Math.min(seq, quorumSeq(list.members, storedBy));
    // Entries of older epochs become final only under one of this epoch (Raft figure 8).
    if (lists.length === 0 || seq <= s.mark || seq < role.leaderSeq) return;
    moveMark(s, seq);
    if (listsInEffect(s).length === lists.length) return;
  }
}
