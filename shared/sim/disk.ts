/**
 * A simulated disk: what a peer's database holds, and the one queue of writes in front of it. Writes
 * become durable in order and each as a whole, some time after they were queued; a crash keeps a prefix
 * of the queue. It also holds the core to the rules of the real store: an append-only log, no cut at or
 * below the commit mark, unique message ids, never an entry above the stored promise.
 */
import { decodeMembers } from '../protocol/codec.ts';
import { framedBytes } from '../protocol/entry-codec.ts';
import type { DurableState, Input, KnownPeer, Read, Write, WriteOp } from '../protocol/ready.ts';
import {
  type ChainHash,
  type Entry,
  EPOCH_ZERO,
  type Epoch,
  type Member,
  type MembersList,
  type Message,
  type MessageId,
  type PeerId,
  POSITION_ZERO,
  type Seq,
  compareEpochs,
} from '../protocol/types.ts';
import { violated } from './violation.ts';

/** What is durable. */
export class Disk {
  promised: Epoch = EPOCH_ZERO;
  mark: Seq = 0;
  readonly log: Entry[] = [];
  readonly seqs = new Map<MessageId, Seq>();
  pending = new Map<MessageId, Message>();
  lastOwn: MessageId | null = null;
  readonly known = new Map<PeerId, KnownPeer>();
  /** Seqs of the `members` entries in the log. */
  readonly listSeqs: Seq[] = [];
  readonly #groupHash: Uint8Array;

  constructor(groupHash: Uint8Array) {
    this.#groupHash = groupHash;
  }

  /** A copy of the data folder. */
  clone(): Disk {
    const copy = new Disk(this.#groupHash);
    copy.promised = this.promised;
    copy.mark = this.mark;
    copy.log.push(...this.log);
    for (const [id, seq] of this.seqs) copy.seqs.set(id, seq);
    copy.pending = new Map(this.pending);
    copy.lastOwn = this.lastOwn;
    for (const [id, peer] of this.known) copy.known.set(id, peer);
    copy.listSeqs.push(...this.listSeqs);
    return copy;
  }

  /** Makes another history of everything from `seq` on, in itself consistent. */
  falsify(seq: Seq, chainHash: ChainHash): void {
    for (let i = seq - 1; i < this.log.length; i++) {
      const entry = this.log[i] as Entry;
      const changed = { ...entry, sentAt: entry.sentAt + 1 };
      this.log[i] = {
        ...changed,
        hash: chainHash(this.log[i - 1]?.hash ?? this.#groupHash, changed),
      };
    }
  }

  /** Carries out one atomic write. */
  apply(write: Write): void {
    for (const op of write.ops) this.#applyOp(op);
    const last = this.log.at(-1);
    if (last !== undefined && compareEpochs(this.promised, last.epoch) < 0) {
      violated('storage', 'an entry was stored above the stored promise');
    }
    if (this.mark > this.log.length) violated('storage', 'the mark is past the end of the log');
  }

  #applyOp(op: WriteOp): void {
    switch (op.kind) {
      case 'cut':
        this.#cut(op.after);
        break;
      case 'append':
        for (const entry of op.entries) this.#append(entry);
        break;
      case 'add-pending':
        this.#addPending(op.messages, op.at);
        break;
      case 'remove-pending':
        for (const id of op.ids) this.pending.delete(id);
        break;
      case 'promise':
        if (compareEpochs(op.epoch, this.promised) < 0) {
          violated('promise', 'a lower promise was stored over a higher one');
        }
        this.promised = op.epoch;
        break;
      case 'mark':
        if (op.seq < this.mark) violated('mark', 'a lower mark was stored over a higher one');
        this.mark = op.seq;
        break;
      case 'last-own':
        this.lastOwn = op.id;
        break;
      case 'know':
        this.known.set(op.peer.member.id, op.peer);
        break;
    }
  }

  #cut(after: Seq): void {
    if (after < this.mark) violated('storage', `cut after ${after}, below the mark ${this.mark}`);
    for (const entry of this.log.splice(after)) {
      if (entry.kind === 'message') this.seqs.delete(entry.id);
    }
    while ((this.listSeqs.at(-1) ?? 0) > after) this.listSeqs.pop();
  }

  #append(entry: Entry): void {
    if (entry.seq !== this.log.length + 1) {
      violated('storage', `appended ${entry.seq} behind ${this.log.length}`);
    }
    if (entry.kind === 'message') {
      if (this.seqs.has(entry.id)) violated('storage', `message ${entry.id} is stored twice`);
      this.seqs.set(entry.id, entry.seq);
    }
    if (entry.kind === 'members') this.listSeqs.push(entry.seq);
    this.log.push(entry);
  }

  #addPending(messages: readonly Message[], at: 'front' | 'back'): void {
    if (at === 'back') {
      for (const message of messages) {
        if (!this.pending.has(message.id)) this.pending.set(message.id, message);
      }
      return;
    }
    const before = this.pending;
    this.pending = new Map();
    for (const message of messages) {
      if (!before.has(message.id)) this.pending.set(message.id, message);
    }
    for (const [id, message] of before) this.pending.set(id, message);
  }

  /** What a replica starts from, with at most `behind` final entries before the mark. */
  load(behind: number): DurableState {
    const before = Math.max(0, this.mark - behind);
    const prev = this.log[before - 1];
    return {
      promised: this.promised,
      mark: this.mark,
      tail: this.log.slice(before),
      tailPrev: {
        position: prev === undefined ? POSITION_ZERO : { epoch: prev.epoch, seq: prev.seq },
        hash: prev === undefined ? this.#groupHash : prev.hash,
      },
      lists: this.lists(),
      pending: [...this.pending.values()],
      lastOwn: this.lastOwn,
      known: [...this.known.values()],
    };
  }

  /** The last two members lists in the log. */
  lists(): readonly MembersList[] {
    return this.listSeqs.slice(-2).map((seq) => ({
      seq,
      members: membersOf(this.log[seq - 1] as Entry),
    }));
  }

  /** The lists of which this disk's owner needs quorums. */
  listsInEffect(): readonly MembersList[] {
    const lists = this.lists();
    const newest = lists.at(-1);
    return newest !== undefined && newest.seq <= this.mark ? [newest] : lists;
  }

  /** The answer to a read of now. */
  answer(read: Read): Input {
    const { request } = read;
    if (read.kind === 'find-ids') {
      return { kind: 'ids-found', request, found: this.findIds(read.ids) };
    }
    return { kind: 'entries-read', request, entries: this.readEntries(read) };
  }

  /** Those of the ids that stand in the stored log. */
  findIds(ids: readonly MessageId[]): MessageId[] {
    return ids.filter((id) => this.seqs.has(id));
  }

  /** A batch of the stored log. */
  readEntries(read: Extract<Read, { kind: 'read-entries' }>): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (let seq = read.from; seq <= read.to; seq++) {
      const entry = this.log[seq - 1];
      if (entry === undefined) break;
      bytes += framedBytes(entry.body);
      if (entries.length > 0 && bytes > read.bytesMax) break;
      entries.push(entry);
    }
    return entries;
  }
}

const listCache = new WeakMap<Uint8Array, readonly Member[]>();

/** The members in the body of a `members` entry. */
export function membersOf(entry: Entry): readonly Member[] {
  const cached = listCache.get(entry.body);
  if (cached !== undefined) return cached;
  const decoded = decodeMembers(entry.body);
  if (!decoded.ok) violated('integrity', `members entry ${entry.seq}: ${decoded.error}`);
  listCache.set(entry.body, decoded.value);
  return decoded.value;
}

/** A read that waits for the writes queued before it. */
interface QueuedRead {
  readonly read: Read;
  /** Number of the last write queued before it. */
  readonly behind: number;
}

/** The one FIFO queue of one process in front of its disk. */
export class DiskQueue {
  readonly disk: Disk;
  readonly #writes: Write[] = [];
  readonly #reads: QueuedRead[] = [];
  /** Answers of the reads under way; null while there are none. */
  #answers: readonly Input[] | null = null;
  /** Number of the last write queued. */
  #lastQueued = 0;
  /** Writes in the transaction under way; 0 while there is none. */
  #inFlight = 0;
  #urgent = false;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  /** A transaction is under way. */
  get busy(): boolean {
    return this.#inFlight > 0;
  }

  /** Writes wait that are in no transaction yet. */
  get waiting(): boolean {
    return this.#writes.length > this.#inFlight;
  }

  /** One of those that wait must not wait longer than it has to. */
  get urgent(): boolean {
    return this.#urgent;
  }

  /** Number of writes in the queue. */
  get length(): number {
    return this.#writes.length;
  }

  queueWrite(write: Write): void {
    if (write.number !== this.#lastQueued + 1) {
      violated('storage', `write ${write.number} was queued behind ${this.#lastQueued}`);
    }
    this.#lastQueued = write.number;
    this.#writes.push(write);
    if (write.urgent) this.#urgent = true;
  }

  /** Queues a read; it does not wait for writes that nobody hurries. */
  queueRead(read: Read): void {
    this.#reads.push({ read, behind: this.#lastQueued });
    if (this.waiting) this.#urgent = true;
  }

  /** Starts a transaction of everything that waits. */
  begin(): void {
    this.#inFlight = this.#writes.length;
    this.#urgent = false;
  }

  /** The transaction is durable. Returns the number of its last write. */
  commit(): number {
    const done = this.#writes.splice(0, this.#inFlight);
    this.#inFlight = 0;
    for (const write of done) this.disk.apply(write);
    return (done.at(-1) as Write).number;
  }

  /** Starts the reads that nothing is queued before: they see what is on disk now. False if there are none. */
  beginReads(): boolean {
    const first = this.#writes[0]?.number ?? Infinity;
    let count = 0;
    while (count < this.#reads.length && (this.#reads[count] as QueuedRead).behind < first) count++;
    if (count === 0) return false;
    this.#answers = this.#reads.splice(0, count).map(({ read }) => this.disk.answer(read));
    return true;
  }

  /** The reads under way are done. Returns their answers. */
  endReads(): readonly Input[] {
    const answers = this.#answers ?? [];
    this.#answers = null;
    return answers;
  }

  /** Reads are under way. */
  get reading(): boolean {
    return this.#answers !== null;
  }

  /** The process is gone: the first `survivors` of the queued writes still reach the disk. */
  crash(survivors: number): void {
    for (const write of this.#writes.splice(0, survivors)) this.disk.apply(write);
    this.#writes.length = 0;
    this.#reads.length = 0;
    this.#answers = null;
  }
}
