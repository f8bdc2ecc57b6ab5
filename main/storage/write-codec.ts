/**
 * How writes travel to the storage thread and entries come back: packed bytes whose ownership moves,
 * because cloning a hundred small objects costs more than storing them. Both ends are this program in
 * one process, so nothing here is checked as if it came from a stranger.
 */
import { crc32 } from 'node:zlib';
import { assertNever } from '../../shared/assert.ts';
import { ByteReader } from '../../shared/protocol/byte-reader.ts';
import { ByteWriter } from '../../shared/protocol/byte-writer.ts';
import type { KnownPeer, WriteOp } from '../../shared/protocol/ready.ts';
import type { Entry, Message, MessageId } from '../../shared/protocol/types.ts';
import { UUID_BYTES } from '../../shared/protocol/uuid.ts';
import { ENTRY_KINDS, type LogRow } from './log-row.ts';

const OP = {
  cut: 1,
  append: 2,
  'add-pending': 3,
  'remove-pending': 4,
  promise: 5,
  mark: 6,
  'last-own': 7,
  know: 8,
} as const satisfies Record<WriteOp['kind'], number>;

/** One row of `pending`; `ord`, its place, is the table's to give. */
export type PendingRow = [
  ord: number,
  id: Buffer,
  author: number,
  after: Buffer | null,
  sentAt: number,
  body: Buffer,
  crc: number,
];

/** Receives unpacked operations in order. */
export interface OpSink {
  readonly cut: (after: number) => void;
  readonly append: (rows: readonly LogRow[]) => void;
  readonly addPending: (rows: readonly PendingRow[], at: 'front' | 'back') => void;
  readonly removePending: (ids: readonly Buffer[]) => void;
  readonly promise: (number: number, leader: number) => void;
  readonly mark: (seq: number) => void;
  readonly lastOwn: (id: Buffer) => void;
  readonly know: (peer: KnownPeer) => void;
}

/** Packs one operation behind those that are already there. */
export function packOp(w: ByteWriter, op: WriteOp): void {
  w.u8(OP[op.kind]);
  switch (op.kind) {
    case 'cut':
      return w.u53(op.after);
    case 'append':
      w.u32(op.entries.length);
      for (const entry of op.entries) packEntry(w, entry);
      return;
    case 'add-pending':
      w.u8(op.at === 'front' ? 1 : 0);
      w.u32(op.messages.length);
      for (const message of op.messages) packContent(w, message);
      return;
    case 'remove-pending':
      w.u32(op.ids.length);
      for (const id of op.ids) w.uuid(id);
      return;
    case 'promise':
      w.u53(op.epoch.number);
      return w.u32(op.epoch.leader);
    case 'mark':
      return w.u53(op.seq);
    case 'last-own':
      return w.uuid(op.id);
    case 'know':
      return packJson(w, op.peer);
    default:
      assertNever(op, 'write');
  }
}

function packEntry(w: ByteWriter, entry: Entry): void {
  w.u53(entry.seq);
  w.u53(entry.epoch.number);
  w.u32(entry.epoch.leader);
  w.u8(ENTRY_KINDS.indexOf(entry.kind));
  w.bytes(entry.hash);
  packContent(w, entry);
}

function packContent(w: ByteWriter, message: Message): void {
  w.uuid(message.id);
  w.u8(message.after === null ? 0 : 1);
  if (message.after !== null) w.uuid(message.after);
  w.u32(message.author);
  w.u53(message.sentAt);
  w.u32(message.body.length);
  w.bytes(message.body);
}

/** What a row of `pending` has as its CRC: over the message as it is packed. */
export function crcOfMessage(message: Message): number {
  const w = new ByteWriter();
  packContent(w, message);
  return crc32(w.peek());
}

/** What a row of `known` has as its CRC. */
export function crcOfKnown({ member, bound, promised, nonce }: KnownPeer): number {
  const key = Buffer.from(member.key).toString('hex');
  const { id, name, address } = member;
  const { number, leader } = promised;
  return crc32(JSON.stringify([id, key, name, address, bound, number, leader, nonce]));
}

/** Rare and small: the address book. */
function packJson(w: ByteWriter, peer: KnownPeer): void {
  const key = Buffer.from(peer.member.key).toString('hex');
  const text = Buffer.from(JSON.stringify({ ...peer, member: { ...peer.member, key } }));
  w.u32(text.length);
  w.bytes(text);
}

/** Hands every packed operation to the sink, in order. */
export function unpackOps(bytes: Buffer, sink: OpSink): void {
  const cursor = new Cursor(bytes);
  while (cursor.at < bytes.length) unpackOp(cursor, sink);
}

function unpackOp(c: Cursor, sink: OpSink): void {
  switch (c.u8()) {
    case OP.cut:
      return sink.cut(c.u53());
    case OP.append:
      return sink.append(c.list(() => c.entry()));
    case OP['add-pending']: {
      const at = c.u8() === 1 ? 'front' : 'back';
      return sink.addPending(
        c.list(() => c.message()),
        at,
      );
    }
    case OP['remove-pending']:
      return sink.removePending(c.list(() => c.bytes(UUID_BYTES)));
    case OP.promise:
      return sink.promise(c.u53(), c.u32());
    case OP.mark:
      return sink.mark(c.u53());
    case OP['last-own']:
      return sink.lastOwn(c.bytes(UUID_BYTES));
    case OP.know:
      return sink.know(c.known());
    default:
      throw new RangeError('unknown operation in a packed write');
  }
}

/** Reads without copies: what it gives refers to the packed bytes. */
class Cursor {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#bytes[this.at++] as number;
  }

  u32(): number {
    const value = this.#bytes.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  u53(): number {
    const value = this.#bytes.readUInt32BE(this.at) * 0x1_0000_0000;
    this.at += 8;
    return value + this.#bytes.readUInt32BE(this.at - 4);
  }

  bytes(length: number): Buffer {
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  list<T>(item: () => T): T[] {
    const count = this.u32();
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }

  entry(): LogRow {
    const seq = this.u53();
    const epochNumber = this.u53();
    const epochLeader = this.u32();
    const kind = this.u8();
    const hash = this.bytes(32);
    const id = this.bytes(UUID_BYTES);
    const after = this.#after();
    const author = this.u32();
    const sentAt = this.u53();
    const body = this.bytes(this.u32());
    return [seq, epochNumber, epochLeader, kind, id, author, after, sentAt, body, hash];
  }

  message(): PendingRow {
    const from = this.at;
    const id = this.bytes(UUID_BYTES);
    const after = this.#after();
    const author = this.u32();
    const sentAt = this.u53();
    const body = this.bytes(this.u32());
    const crc = crc32(this.#bytes.subarray(from, this.at));
    return [0, id, author, after, sentAt, body, crc];
  }

  #after(): Buffer | null {
    return this.u8() === 1 ? this.bytes(UUID_BYTES) : null;
  }

  known(): KnownPeer {
    const peer = JSON.parse(this.bytes(this.u32()).toString()) as KnownPeer;
    const key = new Uint8Array(Buffer.from(peer.member.key as unknown as string, 'hex'));
    return { ...peer, member: { ...peer.member, key } };
  }
}

/** Packs one stored row for the way back. */
export function packRow(w: ByteWriter, row: LogRow): void {
  const [seq, epochNumber, epochLeader, kind, id, author, after, sentAt, body, hash] = row;
  w.u53(seq);
  w.u53(epochNumber);
  w.u32(epochLeader);
  w.u8(kind);
  w.bytes(hash);
  w.bytes(id);
  w.u8(after === null ? 0 : 1);
  if (after !== null) w.bytes(after);
  w.u32(author);
  w.u53(sentAt);
  w.u32(body.length);
  w.bytes(body);
}

/** The entries of packed rows; they share small blocks of memory, never the whole of `bytes`. */
export function unpackEntries(bytes: Uint8Array): Entry[] {
  const r = new ByteReader(bytes);
  const entries: Entry[] = [];
  let epoch = { number: -1, leader: 0 };
  while (r.remaining > 0) {
    const seq = r.u53();
    const number = r.u53();
    const leader = r.u32();
    // One object for a run of entries of one epoch.
    if (number !== epoch.number || leader !== epoch.leader) epoch = { number, leader };
    const kind = ENTRY_KINDS[r.u8()] ?? 'message';
    const hash = r.bytes(32);
    const id = r.uuid();
    const after = r.u8() === 1 ? r.uuid() : null;
    const author = r.u32();
    const sentAt = r.u53();
    const body = r.bytes(r.u32());
    if (r.error !== null) throw new RangeError(`packed entries: ${r.error}`);
    entries.push({ id, author, after, sentAt, body, seq, epoch, kind, hash });
  }
  return entries;
}

/** Ids in 16 bytes each. */
export function packIds(ids: readonly MessageId[]): Uint8Array {
  const w = new ByteWriter();
  for (const id of ids) w.uuid(id);
  return w.take();
}
