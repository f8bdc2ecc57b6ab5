/**
 * Finds damage in a stored history: what must be right before a peer speaks for its log, quickly at
 * opening, and the rest of the chain in the background. It reads only, and says what is wrong in words;
 * a value of a type that no column may have can also make an exception (database.ts, `readingError`).
 */
import type { Database } from 'better-sqlite3';
import { must } from '../../shared/assert.ts';
import { chainHashWith, groupHash } from '../../shared/protocol/codec.ts';
import { readUuid } from '../../shared/protocol/uuid.ts';
import { sha256 } from '../peer/identity.ts';
import { ENTRY_KINDS, isWhole, type LogRow } from './log-row.ts';
import { sealOf, type StateRow } from './state-row.ts';
import { loadKnown, loadPending } from './stored-state.ts';
import { crcOfKnown, crcOfMessage } from './write-codec.ts';

/** Entries at the end of the log whose chain is checked before anything is built on it. */
export const CHECKED_AT_OPENING = 1_000;

const chainHash = chainHashWith(sha256);

interface EndRow {
  readonly first: number | null;
  readonly last: number | null;
}

/** What is wrong with the small facts; null if nothing is. */
export function checkState(db: Database): string | null {
  const state = db.prepare('SELECT * FROM state').get() as StateRow | undefined;
  if (state === undefined) return 'the state is missing';
  if (state.seal !== null && !state.seal.equals(sealOf(state))) return 'the state does not hold';
  const { first, last } = db
    .prepare('SELECT (SELECT min(seq) FROM log) AS first, (SELECT max(seq) FROM log) AS last')
    .get() as EndRow;
  if (first !== null && first !== 1) return `the log begins at ${first}`;
  const end = last ?? 0;
  if (state.mark < 0 || state.mark > end) return `final up to ${state.mark}, stored up to ${end}`;
  if (end > 0 && state.group_id === null) return 'a log without a group';
  if (state.group_id !== null && (state.group_id.length !== 16 || state.group_key?.length !== 32)) {
    return 'the group is unreadable';
  }
  if (state.self_id !== null && state.identity_seed?.length !== 32) {
    return 'the identity key is unreadable';
  }
  const epoch = db
    .prepare('SELECT epoch_number, epoch_leader FROM log WHERE seq = ?')
    .raw()
    .get(end) as [number, number] | undefined;
  if (epoch === undefined) return null;
  const above =
    epoch[0] > state.promised_number ||
    (epoch[0] === state.promised_number && epoch[1] > state.promised_leader);
  return above ? 'the promise is below the last entry' : null;
}

/** What is wrong with the messages that wait and the peers that are known; null if nothing is. */
export function checkRows(db: Database): string | null {
  return checkPending(db) ?? checkKnown(db);
}

function checkPending(db: Database): string | null {
  const rows = db.prepare('SELECT ord, crc FROM pending').raw().all() as [number, number | null][];
  for (const [i, message] of loadPending(db).entries()) {
    const [ord, crc] = rows[i] ?? [0, 0];
    if (i > 0 && ord <= (rows[i - 1]?.[0] ?? 0)) return `waiting message ${i + 1} is out of order`;
    if (crc !== null && crc !== crcOfMessage(message)) {
      return `waiting message ${i + 1} does not hold`;
    }
  }
  return null;
}

function checkKnown(db: Database): string | null {
  const crcs = db.prepare('SELECT crc FROM known ORDER BY id').pluck().all();
  for (const [i, peer] of loadKnown(db).entries()) {
    if (crcs[i] !== null && crcs[i] !== crcOfKnown(peer)) {
      return `what is known of peer ${peer.member.id} does not hold`;
    }
  }
  return null;
}

/** What is wrong with the end of the log; null if nothing is. */
export function checkRecent(db: Database): string | null {
  const last = (db.prepare('SELECT max(seq) FROM log').pluck().get() as number | null) ?? 0;
  const from = Math.max(1, last - CHECKED_AT_OPENING + 1);
  return last === 0 ? null : checkChain(db, from, last);
}

/**
 * What is wrong between two seqs; null if nothing is. Seqs must be contiguous, epochs must not fall,
 * lists must be readable, and every hash must follow from the one before.
 */
export function checkChain(db: Database, from: number, to: number): string | null {
  const before = placeBefore(db, from);
  if (before === null) return `entry ${from - 1} is missing`;
  let { hash, number, leader } = before;
  let seq = from - 1;
  const rows = db
    .prepare(
      `SELECT seq, epoch_number, epoch_leader, kind, id, author, after, sent_at, body, hash
       FROM log WHERE seq BETWEEN ? AND ? ORDER BY seq`,
    )
    .raw()
    .iterate(from, to) as IterableIterator<LogRow>;
  for (const row of rows) {
    seq++;
    if (row[0] !== seq) return `entry ${seq} is missing`;
    if (row[1] < number || (row[1] === number && row[2] < leader)) {
      return `entry ${seq} belongs to an older epoch than the one before`;
    }
    if (!followsFrom(hash, row)) return `entry ${seq} does not match its hash`;
    [, number, leader] = row;
    hash = row[9];
  }
  return seq === to ? null : `entry ${seq + 1} is missing`;
}

function placeBefore(
  db: Database,
  seq: number,
): { hash: Uint8Array; number: number; leader: number } | null {
  if (seq === 1) {
    const group = db.prepare('SELECT group_id FROM state').pluck().get() as Buffer | null;
    return group === null ? null : { hash: groupHash(sha256, group), number: 0, leader: 0 };
  }
  const row = db
    .prepare('SELECT hash, epoch_number, epoch_leader FROM log WHERE seq = ?')
    .raw()
    .get(seq - 1) as [Buffer, number, number] | undefined;
  return row === undefined ? null : { hash: row[0], number: row[1], leader: row[2] };
}

function followsFrom(previous: Uint8Array, row: LogRow): boolean {
  if (!isWhole(row)) return false;
  const [seq, number, leader, kindCode, idBytes, author, afterBytes, sentAt, body, hash] = row;
  const kind = must(ENTRY_KINDS[kindCode], 'a whole row has a kind');
  const id = must(readUuid(idBytes, 0), 'a whole row has an id');
  const after = afterBytes === null ? null : readUuid(afterBytes, 0);
  const unhashed = { seq, epoch: { number, leader }, kind, id, author, after, sentAt, body };
  return hash.equals(chainHash(previous, unhashed));
}

/** Entries looked at in one go, about a millisecond of work. */
const BACKGROUND_STEP = 256;

/**
 * Walks the part of the log that opening did not check, newest first, in small steps: `step` returns
 * `more`, `done`, or what is wrong.
 */
export class BackgroundCheck {
  readonly #db: Database;
  #to: number;

  constructor(db: Database, lastSeq: number) {
    this.#db = db;
    this.#to = lastSeq - CHECKED_AT_OPENING;
  }

  step(): { readonly kind: 'more' | 'done' } | { readonly kind: 'damaged'; readonly what: string } {
    if (this.#to <= 0) return { kind: 'done' };
    const from = Math.max(1, this.#to - BACKGROUND_STEP + 1);
    const what = checkChain(this.#db, from, this.#to);
    if (what !== null) return { kind: 'damaged', what };
    this.#to = from - 1;
    return { kind: this.#to > 0 ? 'more' : 'done' };
  }
}
