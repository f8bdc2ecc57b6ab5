/** Relations between the numbers of a configuration. */
import { expect, test } from 'vitest';
import { configFor, defaultConfig, validateConfig } from './config.ts';

test('the default holds', () => {
  expect(validateConfig(defaultConfig)).toEqual({ ok: true, value: defaultConfig });
});

test.each([
  [{ heartbeatMs: 0 }, 'every number'],
  [{ syncMs: Number.NaN }, 'every number'],
  [{ lookMs: Infinity }, 'every number'],
  [{ floorIntervals: 1 }, 'floorIntervals'],
  [{ lookMs: 600 }, 'prepareMs'],
  [{ yieldMs: 61_000 }, 'yieldMaxMs'],
  [{ evictAfterMs: 700_000 }, 'evictMaxMs'],
  [{ evictAfterMs: 3_000 }, 'evictAfterMs'],
  [{ batchBytes: 256 * 1024 }, 'batchBytes'],
  [{ farBehindEntries: 10 }, 'farBehindEntries'],
])('%j breaks a rule that is named', (change, name) => {
  const result = validateConfig({ ...defaultConfig, ...change });
  expect(result).toMatchObject({ ok: false, error: expect.stringContaining(name) });
});

test.each([
  [50, 30_000],
  [250, 30_000],
  [1_000, 30_000],
  [250, 900_000],
])('heartbeats of %i ms and eviction after %i ms hold', (heartbeatMs, evictAfterMs) => {
  expect(validateConfig(configFor(heartbeatMs, evictAfterMs)).ok).toBe(true);
});

test('a slower heartbeat makes everything that waits for a round trip slower, a faster one nothing', () => {
  const { lookMs, prepareMs, syncMs, reprepareMs } = defaultConfig;
  expect(configFor(500, 30_000)).toMatchObject({
    heartbeatMs: 500,
    lookMs: 2 * lookMs,
    prepareMs: 2 * prepareMs,
    syncMs: 2 * syncMs,
    reprepareMs: 2 * reprepareMs,
  });
  expect(configFor(50, 30_000)).toMatchObject({ heartbeatMs: 50, lookMs, prepareMs, syncMs });
});
