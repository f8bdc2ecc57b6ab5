/**
 * The SQLite store keeps the contract, refuses what would break a history, and says what is wrong with
 * a folder before anybody relies on it.
 */
import SqliteDatabase from 'better-sqlite3';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { NodeError } from '../../shared/model.ts';
import { Random } from '../../shared/random.ts';
import type { Entry, Epoch, Message } from '../../shared/protocol/types.ts';
import type { Result } from '../../shared/result.ts';
import { DATABASE_FILE, LogDatabase } from './database.ts';
import type { LogStore, StoreHandlers } from './log-store.ts';
import { SCHEMA_VERSION } from './migrations/index.ts';
import { openSqliteLogStore } from './sqlite-log-store.ts';
import {
  drive,
  facts,
  group,
  makeLog,
  messageOf,
  type OpenStore,
  testStore,
  wideTail,
} from './store.acceptance.ts';

/** Bits that are flipped, one at a time; with this seed some of them make exceptions. */
const FLIPS = 1_000;
const FLIPS_SEED = 1;

const root = mkdtempSync(join(tmpdir(), 'lockstep-store-'));
let folders = 0;

afterAll(() => rmSync(root, { recursive: true }));

function newFolder(): string {
  folders += 1;
  return join(root, String(folders));
}

const ignore: StoreHandlers = { persisted: () => {}, failed: () => {} };

function tryOpen(folder: string, handlers = ignore): Promise<Result<LogStore, NodeError>> {
  return openSqliteLogStore({ folder, tail: wideTail, handlers });
}

function opener(folder: string): OpenStore {
  return async (handlers, tail) => {
    const opened = await openSqliteLogStore({ folder, tail, handlers });
    if (!opened.ok) throw new Error(opened.error.message);
    return opened.value;
  };
}

const stranger = {
  member: { id: 9, key: new Uint8Array(32).fill(4), name: 'Zoë', address: '[::1]:6001' },
  bound: true,
  promised: { number: 5, leader: 9 },
  nonce: 77,
};

/** A folder with `count` entries, all but the last two final, and one waiting message. */
function folderWith(count: number): Promise<string> {
  return folderOf(makeLog(count), [messageOf(9_999_999)]);
}

/** A folder with this log, all but its last two entries final, and these messages waiting. */
async function folderOf(log: readonly Entry[], pending: readonly Message[]): Promise<string> {
  const folder = newFolder();
  const driver = await drive(opener(folder));
  await driver.store.saveFacts(facts);
  await driver.store.saveGroup(group, log[0] ?? null);
  driver.write(
    { kind: 'promise', epoch: { number: 9, leader: 9 } },
    { kind: 'append', entries: log.slice(1) },
    { kind: 'mark', seq: log.length - 2 },
    { kind: 'add-pending', messages: pending, at: 'back' },
    { kind: 'know', peer: stranger },
  );
  await driver.store.close();
  return folder;
}

/** Changes a folder's database behind the store's back, its triggers out of the way. */
function tamper(folder: string, sql: string): void {
  const db = new SqliteDatabase(join(folder, DATABASE_FILE));
  db.exec('DROP TRIGGER log_keeps_entries; DROP TRIGGER log_keeps_final;');
  db.exec(sql);
  db.close();
}

/** The same, with values of types that the tables refuse: a flipped bit does not ask them. */
function tamperTypes(folder: string, sql: string): void {
  const schema = (statement: string): void => {
    const db = new SqliteDatabase(join(folder, DATABASE_FILE));
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    db.exec(statement);
    db.close();
  };
  schema("UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '') WHERE type = 'table'");
  tamper(folder, sql);
  schema("UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE type = 'table'");
}

function codeOf(folder: string): string {
  const opened = LogDatabase.open(folder);
  if (!opened.ok) return opened.error.code;
  const loaded = opened.value.load(wideTail);
  opened.value.close();
  return loaded.ok ? 'opened' : loaded.error.code;
}

/** What is told of a folder that opens, once the background check has found its damage. */
async function backgroundFinds(folder: string): Promise<NodeError> {
  let told: (error: NodeError) => void = () => {};
  const failed = new Promise<NodeError>((resolve) => {
    told = resolve;
  });
  const opened = await tryOpen(folder, { persisted: () => {}, failed: (error) => told(error) });
  expect(opened.ok).toBe(true);
  const error = await failed;
  if (opened.ok) await opened.value.close();
  return error;
}

describe('the SQLite store', () => {
  testStore(() => opener(newFolder()));

  test('a name that is not well-formed text does not spoil the folder', async () => {
    const folder = newFolder();
    const opened = await tryOpen(folder);
    if (!opened.ok) throw new Error(opened.error.message);
    await opened.value.saveFacts({ ...facts, name: 'half \ud83d' });
    await opened.value.close();
    expect(codeOf(folder)).toBe('opened');
  });

  test('nobody else may read the keys, whatever folder they lie in', async () => {
    const folder = newFolder();
    mkdirSync(folder, { mode: 0o755 });
    const opened = await tryOpen(folder);
    if (!opened.ok) throw new Error(opened.error.message);
    await opened.value.saveFacts(facts);
    for (const name of readdirSync(folder)) {
      expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
    }
    await opened.value.close();
  });

  test.runIf(process.platform === 'linux')('a folder that cannot be made is refused', async () => {
    const opened = await tryOpen('/proc/nowhere/folder');
    expect(opened).toMatchObject({ ok: false, error: { code: 'BAD_OPTION' } });
    expect(opened.ok ? '' : opened.error.message).toMatch(/\/proc\/nowhere\/folder.*--data/);
  });

  test('what was committed survives a power cut: SQLite is asked for that, and no less', () => {
    const opened = LogDatabase.open(newFolder());
    if (!opened.ok) throw new Error(opened.error.message);
    const { handle } = opened.value;
    const full = 2;
    const promises = {
      journal_mode: 'wal',
      synchronous: full,
      fullfsync: 1,
      checkpoint_fullfsync: 1,
      locking_mode: 'exclusive',
      wal_autocheckpoint: 4_096,
      trusted_schema: 0,
    };
    const names = Object.keys(promises);
    const found = names.map((name) => [name, handle.pragma(name, { simple: true })]);
    expect(Object.fromEntries(found)).toEqual(promises);
    opened.value.close();
  });

  test('an exception of our own is no fault of the disk', () => {
    const opened = LogDatabase.open(newFolder());
    if (!opened.ok) throw new Error(opened.error.message);
    const ours = Object.assign(new TypeError('a defect'), { code: 'ERR_INVALID_ARG_TYPE' });
    const work = (): void => {
      throw ours;
    };
    expect(() => opened.value.transaction(work)).toThrow(ours);
    opened.value.close();
  });

  test('a folder is open once at a time', async () => {
    const folder = newFolder();
    const first = await tryOpen(folder);
    expect(codeOf(folder)).toBe('DATA_IN_USE');
    if (first.ok) await first.value.close();
    expect(codeOf(folder)).toBe('opened');
  });

  test('the database itself refuses to change an entry or to drop a final one', async () => {
    const folder = await folderWith(5);
    const db = new SqliteDatabase(join(folder, DATABASE_FILE));
    expect(() => db.exec('UPDATE log SET author = 1 WHERE seq = 5')).toThrow('never changes');
    expect(() => db.exec('DELETE FROM log WHERE seq = 3')).toThrow('never disappears');
    expect(() => db.exec('DELETE FROM log WHERE seq > 3')).not.toThrow();
    db.close();
  });

  test('data of a newer program is refused and left alone', async () => {
    const folder = await folderWith(3);
    const db = new SqliteDatabase(join(folder, DATABASE_FILE));
    db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    expect(codeOf(folder)).toBe('VERSION');
  });
});

describe('damage', () => {
  test.each([
    ['an entry with another body', "UPDATE log SET body = x'00' WHERE seq = 7"],
    ['an entry that is gone', 'DELETE FROM log WHERE seq = 7'],
    ['a first entry that is gone', 'DELETE FROM log WHERE seq = 1'],
    ['a mark beyond the end', 'UPDATE state SET mark = 99'],
    ['a promise below the last entry', 'UPDATE state SET promised_number = 0'],
    ['no group', 'UPDATE state SET group_id = NULL'],
    ['half an identity', "UPDATE state SET identity_seed = x'00'"],
    ['a mark that went back', 'UPDATE state SET mark = mark - 1'],
    ['another last message of its own', "UPDATE state SET last_own = x'00'"],
    ['another identity', 'UPDATE state SET identity_seed = randomblob(32)'],
    ['another key of the group', 'UPDATE state SET group_key = randomblob(32)'],
    ['another port', 'UPDATE state SET port = port + 1'],
    ['no state', 'DELETE FROM state'],
    ['an id that is none', "UPDATE log SET id = x'00' WHERE seq = 7"],
    ['a waiting message with another body', "UPDATE pending SET body = x'00'"],
    ['a waiting message after another one', 'UPDATE pending SET after = id'],
    ['a waiting message with an id that is none', "UPDATE pending SET id = x'00'"],
    ['a waiting message of an author that none can be', 'UPDATE pending SET author = -1'],
    ['another key of a known peer', 'UPDATE known SET key = randomblob(32)'],
    ['a lower promise of a known peer', 'UPDATE known SET promised_number = 1'],
    ['a column with another name', 'ALTER TABLE known RENAME COLUMN promised_leader TO other'],
    ['a table that is gone', 'DROP TABLE pending'],
    ['an older number of the layout', 'PRAGMA user_version = 0'],
  ])('%s is found at opening', async (_what, sql) => {
    const folder = await folderWith(20);
    tamper(folder, sql);
    expect(codeOf(folder)).toBe('CORRUPT');
  });

  test.each([
    ['an older one', { number: 1, leader: 3 }],
    ['one of a lower leader', { number: 2, leader: 2 }],
  ])('an epoch followed by %s is found at opening', async (_what, second) => {
    const epochOf = (seq: number): Epoch => (seq < 11 ? { number: 2, leader: 3 } : second);
    const log = makeLog(20, { epochOf });
    const opened = LogDatabase.open(await folderOf(log, []));
    expect(opened.ok ? '' : opened.error.message).toContain('entry 11 belongs to an older epoch');
  });

  test('waiting messages that are out of order are found at opening', async () => {
    const [first, second] = [messageOf(9_999_998), messageOf(9_999_999)];
    const folder = await folderOf(makeLog(20), [first, second]);
    const file = join(folder, DATABASE_FILE);
    const bytes = readFileSync(file);
    // In front of the id: a header of eight bytes, and in front of that the key of the row.
    const at = bytes.indexOf(Buffer.from(first.id.replaceAll('-', ''), 'hex')) - 9;
    expect(bytes[at]).toBe(1);
    bytes[at] = 2;
    writeFileSync(file, bytes);
    const opened = LogDatabase.open(folder);
    expect(opened.ok ? '' : opened.error.message).toContain('waiting message 2 is out of order');
  });

  test('a folder that an older program wrote last is taken as it is', async () => {
    const folder = await folderWith(20);
    tamper(
      folder,
      'UPDATE state SET seal = NULL; UPDATE pending SET crc = NULL; UPDATE known SET crc = NULL',
    );
    expect(codeOf(folder)).toBe('opened');
  });

  test('a file that is no database', async () => {
    const folder = await folderWith(20);
    const file = openSync(join(folder, DATABASE_FILE), 'r+');
    writeSync(file, Buffer.alloc(100, 0x55), 0, 100, 0);
    closeSync(file);
    expect(codeOf(folder)).toBe('CORRUPT');
  });

  test('a file that lost its end', async () => {
    const folder = await folderWith(2_000);
    const file = join(folder, DATABASE_FILE);
    truncateSync(file, statSync(file).size / 2);
    expect(codeOf(folder)).toBe('CORRUPT');
  });

  test.each([
    ['an entry with a hash that is a text', "UPDATE log SET hash = 'text' WHERE seq = 7"],
    ['an entry with a body that is a number', 'UPDATE log SET body = 5 WHERE seq = 7'],
    ['an entry with half a kind', 'UPDATE log SET kind = 0.5 WHERE seq = 7'],
    ['an entry with an epoch that is none', "UPDATE log SET epoch_number = x'01' WHERE seq = 20"],
    ['a seal that is a text', "UPDATE state SET seal = 'text'"],
    ['a key that is a number', 'UPDATE state SET group_key = 1'],
    ['no seal and a name that is gone', 'UPDATE state SET seal = NULL, name = NULL'],
    ['a waiting message with an id that is a number', 'UPDATE pending SET id = 1'],
    ['a known peer with a key that is a number', 'UPDATE known SET key = 1'],
  ])('%s is found at opening', async (_what, sql) => {
    const folder = await folderWith(20);
    tamperTypes(folder, sql);
    expect(codeOf(folder)).toBe('CORRUPT');
  });

  test('a bit that flips anywhere is damage that is found, or of no consequence', async () => {
    const folder = await folderWith(20);
    const good = readFileSync(join(folder, DATABASE_FILE));
    const places = [...good.keys()].filter((at) => good[at] !== 0);
    const random = new Random(FLIPS_SEED);
    for (let i = 0; i < FLIPS; i++) {
      const at = places[random.below(places.length)] ?? 0;
      const bit = random.below(8);
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ (1 << bit), at);
      writeFileSync(join(folder, DATABASE_FILE), bad);
      const flipped = `bit ${bit} of byte ${at}`;
      expect([flipped, outcomeOf(folder)]).toEqual([
        flipped,
        expect.stringMatching(/^(opened|CORRUPT|VERSION)$/),
      ]);
    }
  });

  test.each([
    ['another body', "UPDATE log SET body = x'00' WHERE seq = 100"],
    ['a hash that is a text', "UPDATE log SET hash = 'text' WHERE seq = 100"],
  ])('%s in the older part of a log is found in the background', async (_what, sql) => {
    const folder = await folderWith(1_500);
    tamperTypes(folder, sql);
    expect(await backgroundFinds(folder)).toMatchObject({ code: 'CORRUPT', fatal: true });
  });

  test.each([
    ["hash = x'00'"],
    ["id = x'00000000000000000000000000000000'"],
    ["after = x'00000000000000000000000000000000'"],
    ['kind = 3'],
    ['author = 8589934592'],
    ['author = 0'],
    ['epoch_leader = 8589934592'],
    ['sent_at = -1'],
    ['sent_at = 9007199254740993'],
    ['body = zeroblob(65537)'],
    ["kind = 1, body = x'00'"],
  ])('with %s an entry is not handed out before the background check, either', async (sql) => {
    const folder = await folderWith(1_500);
    tamperTypes(folder, `UPDATE log SET ${sql} WHERE seq = 100`);
    const opened = LogDatabase.open(folder);
    if (!opened.ok) throw new Error(opened.error.message);
    const range = { from: 90, to: 110, bytesMax: 1_000_000 };
    expect(() => opened.value.readEntries(range)).toThrow('entry 100 is unreadable');
    opened.value.close();
  });
});

/** What a bit does, an exception included: that would end the program as a defect of ours. */
function outcomeOf(folder: string): string {
  try {
    return codeOf(folder);
  } catch (error) {
    return String(error);
  }
}
