/**
 * The checkers can fail: cores that were broken on purpose are caught. Here only those that fail at once;
 * `npm run sim -- --variants` hunts them all.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { variants } from '../../shared/sim/variants/index.ts';
import { applyEdits, hunt } from './variants.ts';

const protocol = new URL('../../shared/protocol/', import.meta.url);

describe('every variant', () => {
  test.each(variants.map((variant) => [variant.name, variant] as const))(
    '%s still has the place that it breaks',
    (_, { edits }) => {
      for (const file of new Set(edits.map((edit) => edit.file))) {
        const source = readFileSync(new URL(file, protocol), 'utf8');
        expect(applyEdits(file, source, edits)).not.toBe(source);
      }
    },
  );

  test('has a name of its own', () => {
    expect(new Set(variants.map(({ name }) => name)).size).toBe(variants.length);
  });
});

describe('the simulator catches', () => {
  test.each(
    variants.filter(({ within }) => within <= 20).map((each) => [each.name, each] as const),
  )('%s', async (_, variant) => {
    expect(await hunt(variant, variant.within)).not.toBeNull();
  });
});
