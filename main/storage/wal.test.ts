/** A write-ahead log that a crash left: torn ends are normal, what is wrong before them is damage. */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DATABASE_FILE, LogDatabase } from './database.ts';
import { openSqliteLogStore } from './sqlite-log-store.ts';
import { drive, facts, group, makeLog, wideTail } from './store.acceptance.ts';
import { walDamage } from './wal.ts';

const COUNT = 40;
const FRAME_BYTES = 24 + 4_096;

const root = mkdtempSync(join(tmpdir(), 'lockstep-wal-'));
const crashed = join(root, 'crashed');
let copies = 0;

afterAll(() => rmSync(root, { recursive: true }));

/** Forty transactions, each on disk before the next, and no checkpoint after the first. */
beforeAll(async () => {
  const folder = join(root, 'live');
  const driver = await drive(async (handlers, tail) => {
    const opened = await openSqliteLogStore({ folder, tail, handlers });
    if (!opened.ok) throw new Error(opened.error.message);
    return opened.value;
  });
  const log = makeLog(COUNT);
  await driver.store.saveFacts(facts);
  await driver.store.saveGroup(group, log[0] ?? null);
  driver.write({ kind: 'promise', epoch: { number: 1, leader: 3 } });
  for (const entry of log.slice(1)) {
    driver.write({ kind: 'append', entries: [entry] });
    await driver.durable();
  }
  cpSync(folder, crashed, { recursive: true });
  await driver.store.close();
});

/** The crashed folder, its write-ahead log changed. */
function withWal(change: (wal: Buffer) => Buffer): string {
  copies += 1;
  const folder = join(root, String(copies));
  cpSync(crashed, folder, { recursive: true });
  const file = join(folder, `${DATABASE_FILE}-wal`);
  writeFileSync(file, change(readFileSync(file)));
  return folder;
}

function flip(at: (size: number) => number): (wal: Buffer) => Buffer {
  return (wal) => {
    const place = Math.floor(at(wal.length));
    wal[place] = (wal[place] ?? 0) ^ 1;
    return wal;
  };
}

/** The code of a refusal, or the last entry. */
function open(folder: string): string | number {
  const opened = LogDatabase.open(folder);
  if (!opened.ok) return opened.error.code;
  const { lastSeq } = opened.value;
  opened.value.close();
  return lastSeq;
}

test('after a crash everything that was committed is there', () => {
  expect(open(withWal((wal) => wal))).toBe(COUNT);
});

test.each<[string, (size: number) => number]>([
  ['the middle', (size) => size / 2],
  ['the first frame', () => 32 + 24 + 100],
  ['the salts of a frame', (size) => 32 + FRAME_BYTES * Math.floor(size / FRAME_BYTES / 2) + 9],
  ['the header', () => 17],
])('one bit in %s is damage, and the folder is left as it is', (_what, at) => {
  const folder = withWal(flip(at));
  const before = readFileSync(join(folder, `${DATABASE_FILE}-wal`));
  expect(open(folder)).toBe('CORRUPT');
  expect(readFileSync(join(folder, `${DATABASE_FILE}-wal`)).equals(before)).toBe(true);
});

test('an end that was torn off anywhere is none', () => {
  const size = readFileSync(join(crashed, `${DATABASE_FILE}-wal`)).length;
  for (let length = 0; length < size; length += 997) {
    const folder = withWal((wal) => wal.subarray(0, length));
    expect([length, walDamage(join(folder, DATABASE_FILE))]).toEqual([length, null]);
  }
});

test('a frame of the last transaction that is not whole is none', () => {
  const folder = withWal(flip((size) => size - 100));
  expect(open(folder)).toBe(COUNT - 1);
});

test('frames of an older generation behind the newest are none', () => {
  const folder = withWal((wal) => {
    const old = Buffer.from(wal.subarray(32, 32 + 8 * FRAME_BYTES));
    for (let at = 8; at < old.length; at += FRAME_BYTES) old.writeUInt32BE(0x01020304, at);
    return Buffer.concat([wal, old]);
  });
  expect(open(folder)).toBe(COUNT);
});

test('what a crash tore off does not stay behind what is written next', () => {
  const folder = withWal(flip((size) => size - 100));
  const opened = LogDatabase.open(folder);
  if (!opened.ok) throw new Error(opened.error.message);
  expect(statSync(join(folder, `${DATABASE_FILE}-wal`)).size).toBe(0);
  opened.value.close();
});

test('who this is and which group it belongs to survives a lost write-ahead log', async () => {
  const folder = withWal((wal) => wal);
  rmSync(join(folder, `${DATABASE_FILE}-wal`));
  const handlers = { persisted: () => {}, failed: () => {} };
  const opened = await openSqliteLogStore({ folder, tail: wideTail, handlers });
  expect(opened.ok && opened.value.stored).toMatchObject({ facts, group });
  if (opened.ok) await opened.value.close();
});
