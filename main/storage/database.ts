/**
 * One data folder's SQLite database, synchronously: opening and checking it, applying batches of packed
 * writes in one transaction each, reading. Runs on the storage thread only. WAL with synchronous=FULL:
 * a commit that returned survives a power cut. The exclusive lock of the database file is what keeps a
 * second process out; the system takes it back however this one ends.
 */
import SqliteDatabase from 'better-sqlite3';
import type { Database, Statement } from 'better-sqlite3';
import { chmodSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../shared/assert.ts';
import type { NodeError } from '../../shared/model.ts';
import { ByteWriter } from '../../shared/protocol/byte-writer.ts';
import { framedBytes } from '../../shared/protocol/entry-codec.ts';
import type { KnownPeer } from '../../shared/protocol/ready.ts';
import { UUID_BYTES } from '../../shared/protocol/uuid.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import { makePrivateFolder } from '../folders.ts';
import { checkRecent, checkRows, checkState } from './damage.ts';
import { type LogRow, wholeRow } from './log-row.ts';
import type { EntryRange, FolderFacts, StoredGroup, TailLimits } from './log-store.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrations/index.ts';
import { PendingTable } from './pending-table.ts';
import { sealOf, type StateRow } from './state-row.ts';
import { insertRows, placeholders, ROWS_AT_ONCE } from './statements.ts';
import { loadStored, type PackedStored } from './stored-state.ts';
import { walDamage } from './wal.ts';
import { crcOfKnown, type OpSink, packRow, unpackOps } from './write-codec.ts';

/** Name of the database in its data folder. */
export const DATABASE_FILE = 'lockstep.db';

/**
 * Pages of the WAL after which it is copied into the database, 16 MiB. Fewer copies cost less in
 * total; a longer WAL costs start-up after a crash.
 */
const CHECKPOINT_PAGES = 4_096;

/** Page cache, KiB: writes touch the ends of three trees only. */
const CACHE_KIB = 2_048;

/**
 * How long to wait for the lock, milliseconds: a process that was killed holds it until the system has
 * cleaned up after it.
 */
const LOCK_WAIT_MS = 1_500;

/** Looks at a write-ahead log that seems damaged, and the pause between them, milliseconds. */
const WAL_LOOKS = 3;
const WAL_LOOK_MS = 50;

const LOG_COLUMNS = 'seq, epoch_number, epoch_leader, kind, id, author, after, sent_at, body, hash';

interface Statements {
  readonly begin: Statement;
  readonly commit: Statement;
  readonly rollback: Statement;
  readonly insertEntry: Statement;
  readonly insertEntries: Statement;
  readonly cut: Statement;
  readonly saveState: Statement;
  readonly know: Statement;
  readonly hasId: Statement;
  readonly readFrom: Statement;
  readonly readMembers: Statement;
}

/** An open database. */
export class LogDatabase {
  readonly #db: Database;
  readonly #folder: string;
  readonly #run: Statements;
  readonly #pending: PendingTable;
  readonly #writer = new ByteWriter();
  readonly #sink: OpSink;
  readonly #state: StateRow;
  #lastSeq: number;

  private constructor(db: Database, folder: string) {
    this.#db = db;
    this.#folder = folder;
    this.#run = prepare(db);
    this.#state = db.prepare('SELECT * FROM state').get() as StateRow;
    this.#lastSeq = (db.prepare('SELECT max(seq) FROM log').pluck().get() as number | null) ?? 0;
    this.#pending = new PendingTable(db);
    this.#sink = {
      cut: (after) => this.#cut(after),
      append: (rows) => this.#append(rows),
      addPending: (rows, at) => this.#pending.add(rows, at),
      removePending: (ids) => this.#pending.remove(ids),
      promise: (number, leader) => {
        this.#state.promised_number = number;
        this.#state.promised_leader = leader;
      },
      mark: (seq) => {
        this.#state.mark = seq;
      },
      lastOwn: (id) => {
        // A copy: the packed write that it lies in is let go.
        this.#state.last_own = Buffer.from(id);
      },
      know: (peer) => this.#know(peer),
    };
  }

  /**
   * Opens the database of a folder, making both if they are new, and checks what must be right before
   * anything is built on it. Codes: BAD_OPTION, DATA_IN_USE, CORRUPT, VERSION, DISK.
   */
  static open(folder: string): Result<LogDatabase, NodeError> {
    let db: Database | null = null;
    try {
      makePrivateFolder(folder);
      const file = join(folder, DATABASE_FILE);
      const torn = lastingWalDamage(file);
      if (torn !== null) return err(corrupt(folder, torn));
      keepPrivate(file);
      db = new SqliteDatabase(file, { timeout: LOCK_WAIT_MS });
      configure(db);
      if (schemaVersion(db) > SCHEMA_VERSION) {
        db.close();
        return err(newerData(folder));
      }
      // What a crash tore off must not stand behind what is written next, in the same generation of the
      // write-ahead log: that is what damage looks like there.
      db.pragma('wal_checkpoint(TRUNCATE)');
      migrate(db);
      const damage = checkState(db) ?? checkRows(db) ?? checkRecent(db);
      if (damage === null) return ok(new LogDatabase(db, folder));
      db.close();
      return err(corrupt(folder, damage));
    } catch (error) {
      db?.close();
      return err(openingError(error, folder));
    }
  }

  /** What the folder holds, with the end of the log. */
  load(limits: TailLimits): Result<PackedStored, NodeError> {
    try {
      return ok(loadStored(this.#db, limits));
    } catch (error) {
      return err(readingError(error, this.#folder));
    }
  }

  /** For the background check, which reads with a statement of its own. */
  get handle(): Database {
    return this.#db;
  }

  /** Highest seq in the log. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Does everything in `work` in one transaction that is durable afterwards, or nothing of it. */
  transaction(work: () => void): NodeError | null {
    const { begin, commit, rollback, saveState } = this.#run;
    try {
      begin.run();
      work();
      const { mark, promised_number: number, promised_leader: leader, last_own } = this.#state;
      saveState.run(mark, number, leader, last_own, sealOf(this.#state));
      commit.run();
      return null;
    } catch (error) {
      if (this.#db.inTransaction) rollback.run();
      return storageError(error, this.#folder);
    }
  }

  /** Applies packed operations; inside {@link transaction} only. */
  apply(packed: Buffer): void {
    unpackOps(packed, this.#sink);
  }

  /** Replaces the facts; inside {@link transaction} only. */
  saveFacts(facts: FolderFacts): void {
    const state = this.#state;
    state.self_id = facts.selfId;
    state.identity_seed = Buffer.from(facts.identitySeed);
    // As the database gives them back: the seal is over that.
    state.name = Buffer.from(facts.name).toString();
    state.host = Buffer.from(facts.host).toString();
    state.port = facts.port;
    state.created_at = facts.createdAt;
    this.#db
      .prepare(
        `UPDATE state SET self_id = ?, identity_seed = ?, name = ?, host = ?, port = ?,
         created_at = ?`,
      )
      .run(
        state.self_id,
        state.identity_seed,
        state.name,
        state.host,
        state.port,
        state.created_at,
      );
  }

  /** Names the group; inside {@link transaction} only. */
  saveGroup(group: StoredGroup): void {
    const state = this.#state;
    state.group_id = Buffer.from(group.id);
    state.group_key = Buffer.from(group.key);
    this.#db
      .prepare('UPDATE state SET group_id = ?, group_key = ?')
      .run(state.group_id, state.group_key);
  }

  /** Those of the packed ids that are in the log, packed. */
  findIds(packed: Buffer): Uint8Array {
    const w = this.#writer;
    w.reset();
    for (let at = 0; at < packed.length; at += UUID_BYTES) {
      const id = packed.subarray(at, at + UUID_BYTES);
      if (this.#run.hasId.get(id) !== undefined) w.bytes(id);
    }
    return w.take();
  }

  /** Packed entries of the range. */
  readEntries({ from, to, only, bytesMax }: EntryRange): Uint8Array {
    const w = this.#writer;
    w.reset();
    const read = only === undefined ? this.#run.readFrom : this.#run.readMembers;
    let first = true;
    let bytes = 0;
    for (const row of read.iterate(from, to) as IterableIterator<LogRow>) {
      bytes += framedBytes(wholeRow(row)[8]);
      if (bytes > bytesMax && !first) break;
      packRow(w, row);
      first = false;
    }
    return w.take();
  }

  /**
   * Copies the write-ahead log into the database: who this is and which group it belongs to must not
   * hang on one file that is made and removed all the time.
   */
  checkpoint(): NodeError | null {
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
      return null;
    } catch (error) {
      return storageError(error, this.#folder);
    }
  }

  close(): void {
    this.#db.close();
  }

  #append(rows: readonly LogRow[]): void {
    for (const row of rows) {
      this.#lastSeq++;
      assert(row[0] === this.#lastSeq, 'stored entries have no gap');
    }
    const { insertEntry, insertEntries } = this.#run;
    insertRows(rows, insertEntries, insertEntry);
  }

  #cut(after: number): void {
    assert(after >= this.#state.mark, 'final entries are never cut');
    this.#run.cut.run(after);
    this.#lastSeq = Math.min(this.#lastSeq, after);
  }

  #know(peer: KnownPeer): void {
    const { member, bound, promised, nonce } = peer;
    this.#run.know.run(
      member.id,
      Buffer.from(member.key),
      member.name,
      member.address,
      bound ? 1 : 0,
      promised.number,
      promised.leader,
      nonce,
      crcOfKnown(peer),
    );
  }
}

/**
 * The damage that several looks agree on: another process that uses this folder may write while it is
 * read, and never stands still at the same place.
 */
function lastingWalDamage(file: string): string | null {
  const damage = walDamage(file);
  for (let look = 1; damage !== null && look < WAL_LOOKS; look++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_LOOK_MS);
    if (walDamage(file) !== damage) return null;
  }
  return damage;
}

/** The database holds the keys of peer and group: nobody else may read it, whatever folder it lies in. */
function keepPrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

function configure(db: Database): void {
  // Before the first access: the WAL index then lives in memory, and the lock is taken for good.
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  // A plain fsync on macOS stops at the drive's cache.
  db.pragma('fullfsync = ON');
  db.pragma('checkpoint_fullfsync = ON');
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma('trusted_schema = OFF');
}

function prepare(db: Database): Statements {
  const entries = (count: number): Statement =>
    db.prepare(`INSERT INTO log (${LOG_COLUMNS}) VALUES ${placeholders(10, count)}`);
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    insertEntry: entries(1),
    insertEntries: entries(ROWS_AT_ONCE),
    cut: db.prepare('DELETE FROM log WHERE seq > ?'),
    saveState: db.prepare(
      'UPDATE state SET mark = ?, promised_number = ?, promised_leader = ?, last_own = ?, seal = ?',
    ),
    know: db.prepare(
      `INSERT INTO known (id, key, name, address, bound, promised_number, promised_leader, nonce, crc)
       VALUES ${placeholders(9, 1)}
       ON CONFLICT (id) DO UPDATE SET key = excluded.key, name = excluded.name,
         address = excluded.address, bound = excluded.bound,
         promised_number = excluded.promised_number,
         promised_leader = excluded.promised_leader, nonce = excluded.nonce,
         crc = excluded.crc`,
    ),
    hasId: db.prepare('SELECT 1 FROM log WHERE id = ?').pluck(),
    readFrom: db
      .prepare(`SELECT ${LOG_COLUMNS} FROM log WHERE seq BETWEEN ? AND ? ORDER BY seq`)
      .raw(),
    readMembers: db
      .prepare(`SELECT ${LOG_COLUMNS} FROM log WHERE kind = 1 AND seq BETWEEN ? AND ? ORDER BY seq`)
      .raw(),
  };
}

function newerData(folder: string): NodeError {
  return {
    code: 'VERSION',
    message: `The data in ${folder} was written by a newer Lockstep. Update Lockstep to open it.`,
    fatal: true,
  };
}

/** The error for damaged data, with what a person can do about it. */
export function corrupt(folder: string, detail: string): NodeError {
  return {
    code: 'CORRUPT',
    message:
      `The data in ${folder} is damaged (${detail}). Keep the folder for whoever may repair it, and ` +
      'join the group again in a new one, with a new id: the other peers have the whole history.',
    fatal: true,
  };
}

/** What the system says of a path where this user can keep nothing, whatever the state of the disk. */
const WRONG_PLACE =
  /^(ENOENT|ENOTDIR|EACCES|EPERM|EROFS|ELOOP|ENAMETOOLONG|EISDIR|SQLITE_(CANTOPEN|READONLY)\w*)$/;

/** {@link readingError}, or that the folder is no place for data. */
function openingError(error: unknown, folder: string): NodeError {
  if (!WRONG_PLACE.test(codeOf(error) ?? '')) return readingError(error, folder);
  return {
    code: 'BAD_OPTION',
    message:
      `The data folder ${folder} cannot be used (${(error as Error).message}). ` +
      'Name another one with --data, or change its permissions.',
    fatal: true,
  };
}

/**
 * The error for an exception while what is stored is checked or loaded. One of our own is damage, too: a
 * statement that does not fit the tables, or a value that no column may have.
 */
export function readingError(error: unknown, folder: string): NodeError {
  if (codeOf(error) !== null) return storageError(error, folder);
  return corrupt(folder, `it cannot be read: ${(error as Error).message}`);
}

/** What the system or SQLite says of file and disk; null for an exception that our own code made. */
function codeOf(error: unknown): string | null {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || code === '') return null;
  return /^(ERR_|SQLITE_(CONSTRAINT|MISUSE|RANGE|ERROR$|MISMATCH))/.test(code) ? null : code;
}

/** What an exception of SQLite or the file system means for a person; anything else is our bug. */
export function storageError(error: unknown, folder: string): NodeError {
  const code = codeOf(error);
  const { message } = error as Error;
  if (code === null) throw error;
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) {
    return {
      code: 'DATA_IN_USE',
      message: `Another process uses the data in ${folder}. Only one peer may run on a data folder.`,
      fatal: true,
    };
  }
  if (/^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test(code)) return corrupt(folder, message);
  return {
    code: 'DISK',
    message: `The disk refused to store data in ${folder} (${code}: ${message}).`,
    fatal: true,
  };
}
