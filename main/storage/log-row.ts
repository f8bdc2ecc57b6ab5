/**
 * One row of `log` as SQLite gives it, and whether it can be an entry. The tables are STRICT, but SQLite
 * holds to that when it writes: what the disk has changed since may come back as anything.
 */
import { TEXT_BYTES_MAX } from '../../shared/model.ts';
import { decodeMembers } from '../../shared/protocol/codec.ts';
import type { EntryKind } from '../../shared/protocol/types.ts';
import { readUuid, UUID_BYTES } from '../../shared/protocol/uuid.ts';

/** In the order of the columns; the types are those of a row that {@link isWhole}. */
export type LogRow = [
  seq: number,
  epochNumber: number,
  epochLeader: number,
  kind: number,
  id: Buffer,
  author: number,
  after: Buffer | null,
  sentAt: number,
  body: Buffer,
  hash: Buffer,
];

/** Kinds by the number that is stored. */
export const ENTRY_KINDS: readonly EntryKind[] = ['message', 'members', 'leader'];

const HASH_BYTES = 32;
const ID_MAX = 2 ** 31 - 1;

/** Whether every value has a type and a range that an entry can have; its hash is not looked at. */
export function isWhole(row: LogRow): boolean {
  const [seq, number, leader, kind, id, author, after, sentAt, body, hash] = row;
  return (
    isCount(seq) &&
    isCount(number) &&
    isCount(leader, ID_MAX) &&
    isCount(kind, ENTRY_KINDS.length - 1) &&
    isUuid(id) &&
    isCount(author, ID_MAX) &&
    author > 0 &&
    (after === null || isUuid(after)) &&
    isCount(sentAt) &&
    Buffer.isBuffer(body) &&
    body.length <= TEXT_BYTES_MAX &&
    (ENTRY_KINDS[kind] !== 'members' || decodeMembers(body).ok) &&
    Buffer.isBuffer(hash) &&
    hash.length === HASH_BYTES
  );
}

function isCount(value: unknown, max = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

function isUuid(value: unknown): boolean {
  return Buffer.isBuffer(value) && value.length === UUID_BYTES && readUuid(value, 0) !== null;
}

/** The row if it {@link isWhole}; throws {@link unreadable} otherwise. */
export function wholeRow(row: LogRow): LogRow {
  if (!isWhole(row)) throw unreadable(`entry ${String(row[0])}`);
  return row;
}

/** Damage that SQLite cannot see, in the shape of damage that it can. */
export function unreadable(what: string): Error {
  return Object.assign(new Error(`${what} is unreadable`), { code: 'SQLITE_CORRUPT' });
}
