/**
 * The tests can fail: on a core that was broken on purpose its protocol script fails, and the simulator
 * catches it within so many schedules. `npm run sim -- --variants` prints how many it took.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { variants } from '../../shared/sim/variants/index.ts';
import { applyEdits, hunt, scriptFailure } from './variants.ts';

const protocol = new URL('../../shared/protocol/', import.meta.url);

/** It says what follows from the others: there is nothing to take out. */
const NO_RULE_OF_ITS_OWN = ['E13'];

describe('every variant', () => {
  test.each(variants)('$name still has the place that it breaks', ({ edits }) => {
    for (const file of new Set(edits.map((edit) => edit.file))) {
      const source = readFileSync(new URL(file, protocol), 'utf8');
      expect(applyEdits(file, source, edits)).not.toBe(source);
    }
  });

  test('has a name of its own', () => {
    expect(new Set(variants.map(({ name }) => name)).size).toBe(variants.length);
  });

  test.each(variants)('$name makes its script fail', async (variant) => {
    expect(await scriptFailure(variant)).not.toBeNull();
  });
});

test('every rule of the specification is taken out by some variant', () => {
  const specification = readFileSync(new URL('README.md', protocol), 'utf8');
  const rules = [...specification.matchAll(/^\| ([SVE]\d{1,2}) \|/gm)].map(([, tag]) => tag);
  const broken = variants.flatMap(({ breaks }) => breaks.match(/\b[SVE]\d{1,2}\b/g) ?? []);
  expect(rules.length).toBeGreaterThan(20);
  expect(rules.filter((tag) => !broken.includes(tag ?? ''))).toEqual(NO_RULE_OF_ITS_OWN);
});

const hunted = variants.flatMap((each) =>
  each.within === null ? [] : [[each.name, each.within, each] as const],
);

/** Milliseconds; a thousand schedules take seconds, and more on a machine that is busy with other tests. */
const HUNT_MS = 120_000;

test.each(hunted)(
  'the simulator catches %s within %i schedules',
  async (_, within, variant) => {
    expect(await hunt(variant, within)).not.toBeNull();
  },
  HUNT_MS,
);
