/**
 * How entries get into the log: made by the leader itself, or adopted from another peer's log with log
 * matching (Raft §3.5). Every way in raises the promise with the entry (S3), takes its message out of
 * pending, and returns the messages of a cut suffix to pending in the same write (V3). It never cuts at
 * or below the commit mark, and cuts nothing without its replacement.
 */
import { assert, must } from '../assert.ts';
import { decodeMembers } from './codec.ts';
import type { Accept } from './messages.ts';
import type { WriteOp } from './ready.ts';
import type { Leading } from './roles.ts';
import { type State, forgetBeyond, raisePromise, write } from './state.ts';
import {
  type Entry,
  type MessageId,
  type UnhashedEntry,
  bytesEqual,
  compareEpochs,
  messageOf,
} from './types.ts';

/** What became of entries that were to be adopted. */
export type Adoption =
  | 'adopted'
  /**
   * The place before the first entry is past the own end, or another entry stands there; or the sender
   * holds what final entries have replaced, and does not call it final: it is outdated.
   */
  | 'mismatch'
  /** An entry differs that is final here and there: one of the two histories is wrong. */
  | 'diverged'
  /** The entries do not form a chain: damage on the way, or a peer that is not honest. */
  | 'damaged';

/** Appends an entry of the leader's own making and returns it. */
export function appendOwn(
  s: State,
  role: Leading,
  content: Omit<UnhashedEntry, 'seq' | 'epoch'>,
): Entry {
  const unhashed: UnhashedEntry = {
    seq: s.log.last.seq + 1,
    epoch: role.epoch,
    kind: content.kind,
    id: content.id,
    author: content.author,
    after: content.after,
    sentAt: content.sentAt,
    body: content.body,
  };
  const entry: Entry = { ...unhashed, hash: s.chainHash(s.log.lastHash, unhashed) };
  appendEntry(s, entry);
  return entry;
}

/**
 * Adopts entries that follow `prev` in another peer's log, keeping seq, epoch and hash. `mark` is that
 * peer's commit mark when it sent them.
 */
export function adopt(
  s: State,
  { prev, entries, mark }: Pick<Accept, 'prev' | 'entries' | 'mark'>,
): Adoption {
  const { log } = s;
  const finalOnBoth = Math.min(s.mark, mark);
  if (prev.seq > log.last.seq) return 'mismatch';
  const epochAtPrev = log.epochAt(prev.seq);
  // Older than memory is at or below the mark, where every log is the same.
  if (epochAtPrev !== undefined && compareEpochs(epochAtPrev, prev.epoch) !== 0) {
    return prev.seq <= finalOnBoth ? 'diverged' : 'mismatch';
  }
  let known = 0;
  while (known < entries.length && stands(s, entries[known] as Entry)) known++;
  if (known === entries.length) return 'adopted';
  const fresh = known === 0 ? entries : entries.slice(known);
  const first = must(fresh[0], 'something is new');
  if (first.seq <= s.mark) return first.seq <= finalOnBoth ? 'diverged' : 'mismatch';
  if (first.seq > log.last.seq + 1 || !isChain(s, fresh)) return 'damaged';
  assert(s.role.kind !== 'leading', 'a leader adopts nothing: its log only grows in its own epoch');
  const cut = first.seq <= log.last.seq ? cutAfter(s, first.seq - 1, fresh) : [];
  raisePromise(s, must(fresh.at(-1), 'something is new').epoch);
  for (const entry of fresh) appendEntry(s, entry);
  if (cut.length > 0) s.resubmitAt = s.now;
  return 'adopted';
}

/** True if this very entry is in the own log; final ones older than memory always are. */
export function stands(s: State, entry: Entry): boolean {
  if (entry.seq > s.log.last.seq) return false;
  const epoch = s.log.epochAt(entry.seq);
  return epoch === undefined || compareEpochs(epoch, entry.epoch) === 0;
}

/** Checks seqs, epochs, hashes and lists of entries that are about to be appended. */
function isChain(s: State, entries: readonly Entry[]): boolean {
  const first = must(entries[0], 'there is a first entry');
  let seq = first.seq - 1;
  let hash = must(s.log.hashAt(seq), 'the hash before a fresh entry is in memory');
  let epoch = must(s.log.epochAt(seq), 'the epoch before a fresh entry is in memory');
  const ids = new Set<MessageId>();
  for (const entry of entries) {
    if (entry.seq !== seq + 1 || compareEpochs(entry.epoch, epoch) < 0) return false;
    if (!bytesEqual(s.chainHash(hash, entry), entry.hash)) return false;
    if (entry.kind === 'members' && !decodeMembers(entry.body).ok) return false;
    if (entry.kind === 'message') {
      if (ids.has(entry.id) || (s.log.seqOf(entry.id) ?? first.seq) < first.seq) return false;
      ids.add(entry.id);
    }
    ({ seq, hash, epoch } = entry);
  }
  return true;
}

/** Cuts the own suffix; its messages go back to pending unless the replacement has them. */
function cutAfter(s: State, seq: number, replacement: readonly Entry[]): readonly Entry[] {
  assert(seq >= s.mark, 'final entries are never cut');
  const removed = s.log.cut(seq);
  forgetBeyond(s, seq);
  write(s, { kind: 'cut', after: seq });
  const kept = new Set<MessageId>(replacement.map((entry) => entry.id));
  const messages = removed
    .filter((entry) => entry.kind === 'message' && !kept.has(entry.id))
    .map(messageOf);
  if (messages.length > 0) {
    s.pending.addFront(messages);
    write(s, { kind: 'add-pending', messages, at: 'front' });
  }
  return removed;
}

function appendEntry(s: State, entry: Entry): void {
  assert(compareEpochs(s.promised, entry.epoch) >= 0, 'no entry above the own promise');
  s.log.append(entry);
  const append = openOp(s, 'append');
  if (append === undefined) write(s, { kind: 'append', entries: [entry] });
  else (append.entries as Entry[]).push(entry);
  if (entry.kind !== 'message' || !s.pending.remove(entry.id)) return;
  const remove = openOp(s, 'remove-pending');
  if (remove === undefined) write(s, { kind: 'remove-pending', ids: [entry.id] });
  else (remove.ids as MessageId[]).push(entry.id);
}

/** The op of this kind to which more can be added: only the other of the pair may stand behind it. */
function openOp<K extends 'append' | 'remove-pending'>(
  s: State,
  kind: K,
): Extract<WriteOp, { kind: K }> | undefined {
  const { ops } = s.out;
  for (let i = ops.length - 1; i >= 0 && i >= ops.length - 2; i--) {
    const op = ops[i] as WriteOp;
    if (op.kind === kind) return op as Extract<WriteOp, { kind: K }>;
    if (op.kind !== 'append' && op.kind !== 'remove-pending') return undefined;
  }
  return undefined;
}
