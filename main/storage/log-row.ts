/**
 * One row of `log` as SQLite gives it, and whether it is one. The tables are STRICT, but SQLite holds to
 * that when it writes: what the disk has changed since may come back as anything.
 */
import { UUID_BYTES } from '../../shared/protocol/uuid.ts';

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

const HASH_BYTES = 32;

/** Whether every value has the type and the length that an entry needs. */
export function isWhole(row: LogRow): boolean {
  const [seq, number, leader, kind, id, author, after, sentAt, body, hash] = row;
  return (
    isCount(seq) &&
    isCount(number) &&
    isCount(leader) &&
    isCount(kind) &&
    isCount(author) &&
    isCount(sentAt) &&
    isBytes(id, UUID_BYTES) &&
    (after === null || isBytes(after, UUID_BYTES)) &&
    isBytes(hash, HASH_BYTES) &&
    Buffer.isBuffer(body)
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isBytes(value: unknown, length: number): boolean {
  return Buffer.isBuffer(value) && value.length === length;
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
