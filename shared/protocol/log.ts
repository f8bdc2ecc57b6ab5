/**
 * The end of this peer's log, as far as the core keeps it in memory: entries, their ids, the last
 * message of each author, and the members lists. It is what has been *queued* for the disk; the disk
 * follows in the same order. Older entries are looked up by the host. It never decides what may be
 * appended or cut; it asserts that what it is told keeps seq and order.
 */
import { assert, must } from '../assert.ts';
import { decodeMembers } from './codec.ts';
import type { DurableState } from './ready.ts';
import {
  type Entry,
  type Epoch,
  type MembersList,
  type MessageId,
  type PeerId,
  type Position,
  type Seq,
  compareEpochs,
} from './types.ts';

/** Lists kept: the two that can be in effect and one for a cut that takes the newest back. */
const LISTS_MAX = 3;

/** The in-memory tail of the log. */
export class Log {
  #entries: Entry[];
  /** For each entry of a message: the author's message before it; undefined if not known here. */
  #earlier: (MessageId | null | undefined)[] = [];
  /** The place and hash before the first entry in memory. */
  #before: { readonly position: Position; readonly hash: Uint8Array };
  #bytes = 0;
  readonly #seqs = new Map<MessageId, Seq>();
  readonly #heads = new Map<PeerId, MessageId>();
  #lists: MembersList[];

  constructor(durable: DurableState) {
    this.#before = durable.tailPrev;
    this.#entries = [];
    this.#lists = durable.lists.filter((list) => list.seq <= durable.tailPrev.position.seq);
    for (const entry of durable.tail) this.append(entry);
  }

  /** Where the log ends; POSITION_ZERO when it is empty. */
  get last(): Position {
    const entry = this.#entries.at(-1);
    return entry === undefined ? this.#before.position : entry;
  }

  /** Chain hash at the end. */
  get lastHash(): Uint8Array {
    return this.#entries.at(-1)?.hash ?? this.#before.hash;
  }

  /** First seq in memory; one past the end when there is none. */
  get first(): Seq {
    return this.#before.position.seq + 1;
  }

  /** Bytes of bodies in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Members lists in the order of the log, the newest last; empty only before entry 1 is known. */
  get lists(): readonly MembersList[] {
    return this.#lists;
  }

  /** The entry at `seq` if it is in memory. */
  at(seq: Seq): Entry | undefined {
    return this.#entries[seq - this.first];
  }

  /** Entries with from <= seq <= to, all of which must be in memory. */
  slice(from: Seq, to: Seq): readonly Entry[] {
    assert(from >= this.first && to <= this.last.seq, 'slice lies in memory');
    return this.#entries.slice(from - this.first, to - this.first + 1);
  }

  /** Epoch of the entry at `seq`; undefined when it is older than memory or past the end. */
  epochAt(seq: Seq): Epoch | undefined {
    if (seq === this.#before.position.seq) return this.#before.position.epoch;
    return this.at(seq)?.epoch;
  }

  /** Chain hash at `seq`; undefined when it is older than memory or past the end. */
  hashAt(seq: Seq): Uint8Array | undefined {
    if (seq === this.#before.position.seq) return this.#before.hash;
    return this.at(seq)?.hash;
  }

  /** The place of `seq` where its epoch is known. */
  positionAt(seq: Seq): Position | undefined {
    const epoch = this.epochAt(seq);
    return epoch === undefined ? undefined : { epoch, seq };
  }

  /** True if the message is in memory; an older one may still be on disk. */
  has(id: MessageId): boolean {
    return this.#seqs.has(id);
  }

  /** Seq of a message in memory. */
  seqOf(id: MessageId): Seq | undefined {
    return this.#seqs.get(id);
  }

  /**
   * The author's last message in the log; null if it surely has none; undefined if that is not known
   * because its last one may be older than memory.
   */
  headOf(author: PeerId): MessageId | null | undefined {
    const head = this.#heads.get(author);
    if (head !== undefined) return head;
    return this.first === 1 ? null : undefined;
  }

  /** Appends the next entry. */
  append(entry: Entry): void {
    const { last } = this;
    assert(entry.seq === last.seq + 1, 'entries are appended without a gap');
    assert(compareEpochs(entry.epoch, last.epoch) >= 0, 'epochs never decrease along a log');
    this.#entries.push(entry);
    this.#bytes += entry.body.length;
    if (entry.kind === 'message') {
      assert(!this.#seqs.has(entry.id), 'a message stands in the log once');
      this.#earlier.push(this.headOf(entry.author));
      this.#seqs.set(entry.id, entry.seq);
      this.#heads.set(entry.author, entry.id);
      return;
    }
    this.#earlier.push(undefined);
    if (entry.kind === 'members') this.#pushList(entry);
  }

  /** Removes every entry after `seq` and returns them, ascending. */
  cut(seq: Seq): readonly Entry[] {
    assert(seq >= this.#before.position.seq, 'a cut stays in memory: final entries are never cut');
    const keep = seq - this.#before.position.seq;
    const removed = this.#entries.splice(keep);
    const earlier = this.#earlier.splice(keep);
    for (let i = removed.length - 1; i >= 0; i--) this.#forget(removed[i] as Entry, earlier[i]);
    this.#lists = this.#lists.filter((list) => list.seq <= seq);
    return removed;
  }

  /** Drops final entries from memory beyond the given numbers; `mark` itself stays known. */
  trim(mark: Seq, keep: { readonly entries: number; readonly bytes: number }): void {
    let count = 0;
    let bytes = this.#bytes;
    const final = Math.min(mark - this.#before.position.seq, this.#entries.length);
    while (count < final && (final - count > keep.entries || bytes > keep.bytes)) {
      bytes -= (this.#entries[count] as Entry).body.length;
      count++;
    }
    // Trimming in big steps keeps the cost per entry constant.
    if (count < Math.max(16, this.#entries.length / 8)) return;
    const removed = this.#entries.splice(0, count);
    this.#earlier.splice(0, count);
    for (const entry of removed) if (entry.kind === 'message') this.#seqs.delete(entry.id);
    const newest = must(removed.at(-1), 'something was removed');
    this.#before = { position: { epoch: newest.epoch, seq: newest.seq }, hash: newest.hash };
    this.#bytes = bytes;
  }

  #forget(entry: Entry, earlier: MessageId | null | undefined): void {
    this.#bytes -= entry.body.length;
    if (entry.kind !== 'message') return;
    this.#seqs.delete(entry.id);
    if (typeof earlier === 'string') this.#heads.set(entry.author, earlier);
    else this.#heads.delete(entry.author);
  }

  #pushList(entry: Entry): void {
    const decoded = decodeMembers(entry.body);
    assert(decoded.ok, 'a members entry was checked before it was appended');
    this.#lists.push({ seq: entry.seq, members: decoded.value });
    if (this.#lists.length > LISTS_MAX) this.#lists.shift();
  }
}
