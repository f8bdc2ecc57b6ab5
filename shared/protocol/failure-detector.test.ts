/** When a silence becomes a suspicion: floor, rhythm, forgiveness and its cap. */
import { describe, expect, test } from 'vitest';
import { defaultConfig } from './config.ts';
import { FailureDetector } from './failure-detector.ts';

const { heartbeatMs, quietFactor, floorIntervals, widenedForMs } = defaultConfig;

/** A detector that heard `count` heartbeats, one every `gap` ms from 0 on; and the time of the last. */
function heard(count: number, gap: number, interval = heartbeatMs): [FailureDetector, number] {
  const detector = new FailureDetector(defaultConfig, 0);
  for (let i = 0; i < count; i++) detector.onHeartbeat(i * gap, interval);
  return [detector, (count - 1) * gap];
}

/** Silence after which the detector suspects, to the millisecond. */
function patience(detector: FailureDetector, last: number): number {
  for (let ms = 0; ms < 60_000; ms++) if (detector.isSuspect(last + ms)) return ms;
  throw new Error('never suspects');
}

describe('silence', () => {
  test('is no suspicion below the floor, and is one at about a second', () => {
    const [detector, last] = heard(20, heartbeatMs);
    expect(detector.phi(last + floorIntervals * heartbeatMs - 1)).toBe(0);
    expect(patience(detector, last)).toBeGreaterThanOrEqual(floorIntervals * heartbeatMs);
    expect(patience(detector, last)).toBeLessThan(1_200);
  });

  test('is suspected also of a peer that never sent a heartbeat', () => {
    expect(patience(new FailureDetector(defaultConfig, 0), 0)).toBeLessThan(1_200);
  });

  test('suspects more the longer it lasts', () => {
    const [detector, last] = heard(20, heartbeatMs);
    let before = -1;
    for (let ms = 0; ms <= 3_000; ms += 50) {
      const phi = detector.phi(last + ms);
      expect(phi).toBeGreaterThanOrEqual(before);
      before = phi;
    }
    expect(detector.isSuspect(last + 3_000)).toBe(true);
  });

  test('ends with any sign of life, not only with a heartbeat', () => {
    const [detector, last] = heard(20, heartbeatMs);
    expect(detector.isSuspect(last + 1_500)).toBe(true);
    detector.onLife(last + 1_500);
    expect(detector.isSuspect(last + 1_500)).toBe(false);
    expect(detector.isSuspect(last + 3_000)).toBe(true);
  });
});

describe('rhythm', () => {
  test('of an irregular peer earns it more patience', () => {
    const [regular, last] = heard(40, heartbeatMs);
    const irregular = new FailureDetector(defaultConfig, 0);
    let now = 0;
    for (let i = 0; i < 40; i++) {
      now += i % 2 === 0 ? 100 : 400;
      irregular.onHeartbeat(now, heartbeatMs);
    }
    expect(patience(irregular, now)).toBeGreaterThan(patience(regular, last));
  });

  test('of a quiet link is expected: four times slower is four times the floor', () => {
    const quiet = heartbeatMs * quietFactor;
    const [detector, last] = heard(20, quiet, quiet);
    expect(patience(detector, last)).toBeGreaterThanOrEqual(quiet * floorIntervals);
  });

  test('is taken from the heartbeat: becoming quiet is no reason for suspicion', () => {
    const [detector, last] = heard(20, heartbeatMs);
    detector.onHeartbeat(last + heartbeatMs, heartbeatMs * quietFactor);
    expect(patience(detector, last + heartbeatMs)).toBeGreaterThanOrEqual(
      heartbeatMs * quietFactor * floorIntervals,
    );
  });

  test('an absurd announcement is bounded', () => {
    const [detector, last] = heard(2, heartbeatMs, 1e12);
    expect(patience(detector, last)).toBeLessThan(10_000);
  });
});

describe('forgiveness', () => {
  test('restart forgets the present silence and keeps the rhythm', () => {
    const [detector, last] = heard(20, heartbeatMs);
    const before = patience(detector, last);
    detector.restart(last + 60_000);
    expect(detector.isSuspect(last + 60_000)).toBe(false);
    expect(patience(detector, last + 60_000)).toBe(before);
    // The gap across the pause is no sample.
    detector.onHeartbeat(last + 60_100, heartbeatMs);
    expect(patience(detector, last + 60_100)).toBe(before);
  });

  test('a wrong suspicion widens the window, up to a cap', () => {
    const [detector, last] = heard(20, heartbeatMs);
    const before = patience(detector, last);
    detector.widen(last);
    expect(patience(detector, last)).toBe(before + heartbeatMs);
    for (let i = 0; i < 50; i++) detector.widen(last);
    expect(patience(detector, last)).toBe(before + floorIntervals * heartbeatMs);
  });

  test('a window stays wide for some quiet minutes only', () => {
    const [detector, last] = heard(20, heartbeatMs);
    const before = patience(detector, last);
    for (let i = 0; i < 50; i++) detector.widen(last);
    const later = last + widenedForMs;
    detector.onLife(later);
    expect(patience(detector, later)).toBe(before);
    detector.widen(later);
    expect(patience(detector, later)).toBe(before + heartbeatMs);
  });

  test('silences that come again and again are a rhythm', () => {
    const [detector, last] = heard(20, heartbeatMs);
    let now = last;
    for (let i = 0; i < 60; i++) {
      now += 2_000;
      if (detector.isSuspect(now)) detector.widen(now);
      detector.onHeartbeat(now, heartbeatMs);
    }
    expect(patience(detector, now)).toBeGreaterThan(2_000);
  });

  test('a few long silences are suspected within two seconds', () => {
    const [detector, last] = heard(20, heartbeatMs);
    let now = last;
    for (let pause = 0; pause < 8; pause++) {
      expect(patience(detector, now)).toBeLessThan(2_000);
      now += 4_000;
      detector.widen(now);
      for (let i = 0; i < 8; i++) detector.onHeartbeat((now += heartbeatMs), heartbeatMs);
    }
  });

  test('a silence that ended in a suspicion is no sample of the rhythm', () => {
    const [detector, last] = heard(20, heartbeatMs);
    const before = patience(detector, last);
    const later = last + 20 * heartbeatMs;
    detector.onLife(later);
    detector.onHeartbeat(later, heartbeatMs);
    expect(patience(detector, later)).toBe(before);
  });
});
