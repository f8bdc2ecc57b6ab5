/** The simulator repeats itself exactly, notices a broken core, and makes the failing run smaller. */
import { describe, expect, test } from 'vitest';
import { foundGroup } from '../protocol/membership.ts';
import type { Ready, ReplicaStart } from '../protocol/ready.ts';
import { Replica } from '../protocol/replica.ts';
import type { CoreUnderTest } from './core-under-test.ts';
import { directedSchedule, storyNames } from './directed.ts';
import { minimize } from './minimize.ts';
import { drawOptions } from './options.ts';
import { runSchedule } from './simulator.ts';
import { recorded } from './workload.ts';

const core: CoreUnderTest = {
  create: (start) => new Replica(start),
  found: foundGroup,
};

function logOf(seed: number): string[] {
  const lines: string[] = [];
  runSchedule(core, drawOptions(seed, 600), { log: (line) => lines.push(line) });
  return lines;
}

describe('a run', () => {
  test.each([1, 13, 99])('of seed %i is the same twice, to the last byte of its log', (seed) => {
    const lines = logOf(seed);
    expect(lines.length).toBeGreaterThan(500);
    expect(logOf(seed)).toEqual(lines);
  });

  test('can be played again from its recorded operations', () => {
    const options = drawOptions(5, 600);
    const verdict = runSchedule(core, options);
    const again = runSchedule(core, options, {
      source: recorded(verdict.operations),
      healAt: verdict.healedAt ?? undefined,
    });
    expect(again.operations).toEqual(verdict.operations);
    expect(again.coverage.delivered).toBeGreaterThan(0);
    expect(again.failure).toBeNull();
  });

  test('keeps every guarantee, for forty seeds', () => {
    const failures = [];
    for (let seed = 1_000; seed < 1_040; seed++) {
      const { failure } = runSchedule(core, drawOptions(seed, 600));
      if (failure !== null) failures.push({ seed, failure });
    }
    expect(failures).toEqual([]);
  });

  test.each(storyNames)('tells the story %s without harm', (name) => {
    const failures = [1, 2, 3].map((seed) => directedSchedule(name, core, seed).failure);
    expect(failures).toEqual([null, null, null]);
  });
});

/** Marks final one entry more than there is a quorum for, once it has marked forty. */
class Hasty extends Replica {
  #delivered = 0;

  override takeReady(): Ready {
    const ready = super.takeReady();
    this.#delivered += ready.delivered.length;
    const last = ready.delivered.at(-1);
    if (last === undefined || this.#delivered < 40) return ready;
    return { ...ready, delivered: [...ready.delivered, { ...last, seq: last.seq + 1 }] };
  }
}

describe('a failing run', () => {
  const broken: CoreUnderTest = {
    create: (start: ReplicaStart) => new Hasty(start),
    found: foundGroup,
  };

  test('is noticed, and made smaller without becoming another failure', () => {
    const options = drawOptions(6, 2_000);
    const verdict = runSchedule(broken, options);
    expect(verdict.failure).not.toBeNull();
    const small = minimize(broken, options, verdict);
    expect(small.failure.rule).toBe(verdict.failure?.rule);
    expect(small.operations.length).toBeLessThan(verdict.operations.length / 4);
    const { operations, healAt } = small;
    const again = runSchedule(broken, small.options, { source: recorded(operations), healAt });
    expect(again.failure).toEqual(small.failure);
  });
});
