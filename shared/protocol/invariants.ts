/**
 * The invariants of one replica (README.md has the table) as checks over what it lets us see: of a state,
 * and of the change since an earlier state. They answer with the first broken one in words, never throw,
 * and change nothing. What needs more than one replica to judge (G1 … G7) is the simulator's.
 */
import { describeEntry, describeEpoch, describePosition, shortId } from './describe.ts';
import type { Inspection } from './ready.ts';
import {
  type ChainHash,
  type Entry,
  type MessageId,
  type Seq,
  bytesEqual,
  compareEpochs,
} from './types.ts';

/** What is remembered of a state so that a later one can be compared with it. */
export interface Snapshot {
  readonly promised: Inspection['promised'];
  readonly durablePromised: Inspection['durablePromised'];
  readonly mark: Seq;
  /** The entry at the mark; undefined at the start. */
  readonly final: Entry | undefined;
}

/** What {@link checkDelta} needs later. */
export function snapshotOf(replica: Inspection): Snapshot {
  const { promised, durablePromised, mark } = replica;
  return { promised, durablePromised, mark, final: replica.entryAt(mark) };
}

/** The first invariant that does not hold in this state, in words; null when all hold. */
export function checkState(replica: Inspection, chainHash: ChainHash): string | null {
  return new InvariantWatch(chainHash).check(replica);
}

/** The first invariant that the step from `before` to `after` of one process broke; null when none. */
export function checkDelta(before: Snapshot, after: Inspection): string | null {
  const { promised, durablePromised, mark } = after;
  if (compareEpochs(promised, before.promised) < 0) {
    return `I2: the promise fell from ${describeEpoch(before.promised)} to ${describeEpoch(promised)}`;
  }
  if (compareEpochs(durablePromised, before.durablePromised) < 0) {
    return `I2: the stored promise fell from ${describeEpoch(before.durablePromised)}`;
  }
  if (mark < before.mark) return `I3: the mark fell from ${before.mark} to ${mark}`;
  const { final } = before;
  const now = final === undefined ? undefined : after.entryAt(final.seq);
  if (final !== undefined && now !== undefined && !bytesEqual(final.hash, now.hash)) {
    return `I4: final ${describeEntry(final)} became ${describeEntry(now)}`;
  }
  return null;
}

function checkPlaces({ promised, durablePromised, last, mark, role }: Inspection): string | null {
  if (compareEpochs(promised, last.epoch) < 0) {
    return `I1: promised ${describeEpoch(promised)}, but the log ends at ${describePosition(last)}`;
  }
  if (compareEpochs(durablePromised, promised) > 0) {
    return `I2: the stored promise ${describeEpoch(durablePromised)} is above the promise`;
  }
  if (mark > last.seq) return `I3: the mark ${mark} is past ${describePosition(last)}`;
  if (role.kind === 'following' && Math.max(role.matched, role.acked) > last.seq) {
    return `I6: matched ${role.matched} and acknowledged ${role.acked} past ${describePosition(last)}`;
  }
  if (role.kind !== 'leading') return null;
  const { epoch, leaderSeq } = role;
  if (compareEpochs(epoch, promised) !== 0 || compareEpochs(epoch, last.epoch) !== 0) {
    return `I15: leads ${describeEpoch(epoch)}, promised ${describeEpoch(promised)}, log ${describePosition(last)}`;
  }
  return leaderSeq > last.seq ? `I15: the leader entry ${leaderSeq} is missing` : null;
}

function checkLists({ lists, role, mark }: Inspection): string | null {
  for (const { seq, members } of lists) {
    if (members.length === 0) return `I14: the list at ${seq} is empty`;
    for (let i = 1; i < members.length; i++) {
      const [a, b] = [members[i - 1], members[i]];
      if (a !== undefined && b !== undefined && a.id >= b.id) {
        return `I14: the list at ${seq} is not ascending`;
      }
    }
  }
  if (role.kind !== 'leading') return null;
  // Of two adopted lists the earlier is final, though a leader that has restarted may not know it yet.
  const open = lists.filter(({ seq }) => seq > mark && seq > role.leaderSeq);
  if (open.length > 1) return `I9: the lists at ${open.map(({ seq }) => seq).join(', ')} are open`;
  const own = open.find(({ seq }) => seq > role.leaderSeq);
  return own !== undefined && role.leaderSeq > mark
    ? `I9: the list at ${own.seq} stands on a leader entry that is not final`
    : null;
}

/**
 * Watches one process from its start, cheaply enough to be asked after every step: each call looks only
 * at entries that are new since the call before, and at pending only when it or the log changed.
 */
export class InvariantWatch {
  readonly #chainHash: ChainHash;
  #before: Snapshot | null = null;
  /** The log as it was seen, from the first entry that was in memory at the start. */
  readonly #seen: Entry[] = [];
  readonly #seqs = new Map<MessageId, Seq>();
  /** The log was seen from entry 1 on, so that what is not in it is nowhere. */
  #complete = true;
  #pendingCount = -1;

  constructor(chainHash: ChainHash) {
    this.#chainHash = chainHash;
  }

  /** The first invariant that is broken now or was broken by the last step; null when none. */
  check(replica: Inspection): string | null {
    if (this.#before !== null) {
      const broken = checkDelta(this.#before, replica);
      if (broken !== null) return broken;
    }
    this.#before = snapshotOf(replica);
    return checkPlaces(replica) ?? this.#checkLog(replica) ?? checkLists(replica);
  }

  #checkLog(replica: Inspection): string | null {
    const { last, entryAt, tailFrom } = replica;
    let changed = false;
    for (let top = this.#seen.at(-1); top !== undefined; top = this.#seen.at(-1)) {
      if (top.seq < tailFrom) {
        // Everything that was in memory has gone through it since: nothing seen can be compared.
        this.#forgetAll();
        break;
      }
      if (entryAt(top.seq) === top) break;
      this.#seen.pop();
      if (top.kind === 'message') this.#seqs.delete(top.id);
      changed = true;
    }
    if (this.#seen.length === 0 && tailFrom > 1) this.#complete = false;
    for (let seq = (this.#seen.at(-1)?.seq ?? tailFrom - 1) + 1; seq <= last.seq; seq++) {
      const broken = this.#checkEntry(seq, entryAt(seq));
      if (broken !== null) return broken;
      changed = true;
    }
    let count = 0;
    for (const _ of replica.pending) count++;
    if (!changed && count === this.#pendingCount) return null;
    this.#pendingCount = count;
    return this.#checkPending(replica);
  }

  #forgetAll(): void {
    this.#seen.length = 0;
    this.#seqs.clear();
    this.#complete = false;
  }

  #checkEntry(seq: Seq, entry: Entry | undefined): string | null {
    if (entry === undefined) return `I5: the log has no entry ${seq}`;
    const text = describeEntry(entry);
    if (entry.seq !== seq) return `I5: at ${seq} stands ${text}`;
    const previous = this.#seen.at(-1);
    this.#seen.push(entry);
    if (previous !== undefined) {
      if (compareEpochs(previous.epoch, entry.epoch) > 0) {
        return `I5: ${text} stands behind ${describeEntry(previous)}`;
      }
      if (!bytesEqual(this.#chainHash(previous.hash, entry), entry.hash)) {
        return `I13: the hash of ${text} does not follow from the one before`;
      }
    }
    if (entry.kind !== 'message') return null;
    const twice = this.#seqs.get(entry.id);
    if (twice !== undefined) return `I10: ${shortId(entry.id)} stands at ${twice} and at ${seq}`;
    this.#seqs.set(entry.id, seq);
    const { after } = entry;
    return this.#complete && after !== null && !this.#seqs.has(after)
      ? `I11: ${text} stands before its author's ${shortId(after)}`
      : null;
  }

  #checkPending(replica: Inspection): string | null {
    const pending = new Set(replica.pending);
    for (const id of pending) {
      const seq = this.#seqs.get(id);
      if (seq !== undefined) return `I10: ${shortId(id)} is pending and at ${seq}`;
      const after = replica.pendingMessage(id)?.after ?? null;
      if (this.#complete && after !== null && !this.#seqs.has(after) && !pending.has(after)) {
        return `I11: ${shortId(id)} is pending without its author's ${shortId(after)}`;
      }
    }
    return null;
  }
}
