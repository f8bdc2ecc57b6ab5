/** One run at a time, whoever else comes, goes or has died meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withLock } from './lock.mjs';

let cache = '';

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'lockstep-lock-'));
  vi.stubEnv('LOCKSTEP_CACHE', cache);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

let inside = 0;
let most = 0;

/** Work that notices company. */
async function work(): Promise<void> {
  inside += 1;
  most = Math.max(most, inside);
  await new Promise((resolve) => setImmediate(resolve));
  inside -= 1;
}

beforeEach(() => {
  inside = 0;
  most = 0;
});

/** Leaves the lock as a run that was killed does: this process says of itself that it is gone. */
async function holderDies(whenAsked: () => void): Promise<void> {
  let entered = (): void => {};
  const holds = new Promise<void>((resolve) => {
    entered = resolve;
  });
  void withLock('test', () => {
    entered();
    return new Promise(() => {});
  });
  await holds;
  let asked = 0;
  vi.spyOn(process, 'kill').mockImplementation(() => {
    asked += 1;
    if (asked > 2) return true;
    if (asked === 1) whenAsked();
    throw Object.assign(new Error('no such process'), { code: 'ESRCH' });
  });
}

test('several runs come one after the other', async () => {
  await Promise.all([1, 2, 3].map(() => withLock('test', work)));
  expect(most).toBe(1);
});

test('a run that fails gives the lock back', async () => {
  await expect(withLock('test', () => Promise.reject(new Error('failed')))).rejects.toThrow();
  await withLock('test', work);
  expect(most).toBe(1);
});

test('of two that see a dead holder, one gets in', async () => {
  const others: Promise<void>[] = [];
  // The other one looks, finds the same dead holder and gets in between this one's look and its try.
  await holderDies(() => {
    others.push(withLock('test', work));
  });
  await withLock('test', work);
  await Promise.all(others);
  expect(most).toBe(1);
});
