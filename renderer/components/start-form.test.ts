/** What the first card refuses by itself, and what it sends. */
import { describe, expect, test } from 'vitest';
import { startView } from '../testing/samples.ts';
import { proposedForm, readIdentity, readJoin } from './start-form.ts';
import type { StartForm } from './start-form.ts';

const form: StartForm = { ...proposedForm(startView()), seed: '10.0.0.1:6001' };
const identity = { id: 4711, name: 'Ann', host: '0.0.0.0', port: 6001 };

test('the proposal can be sent as it is', () => {
  expect(readIdentity(proposedForm(startView()))).toEqual({ ok: true, value: identity });
});

describe('identity', () => {
  const cases: readonly (readonly [part: Partial<StartForm>, field: string])[] = [
    [{ name: '  ' }, 'name'],
    [{ name: 'ä'.repeat(33) }, 'name'],
    [{ id: '0' }, 'id'],
    [{ id: '2147483648' }, 'id'],
    [{ id: '1.5' }, 'id'],
    [{ id: '-1' }, 'id'],
    [{ id: '' }, 'id'],
    [{ host: ' ' }, 'host'],
    [{ port: '65536' }, 'port'],
    [{ port: 'x' }, 'port'],
  ];
  test.each(cases)('refuses %j at its field', (part, field) => {
    expect(readIdentity({ ...form, ...part })).toMatchObject({ ok: false, error: { field } });
  });

  test('trims what is around the words', () => {
    expect(readIdentity({ ...form, name: ' Ann ', id: ' 4711 ', host: ' 0.0.0.0 ' })).toEqual({
      ok: true,
      value: identity,
    });
  });
});

describe('joining', () => {
  test.each([
    '10.0.0.1:6001',
    '3:10.0.0.1:6001',
    'host.example:1',
    '[::1]:6001',
    '7:[fe80::1]:6001',
  ])('accepts the seed %s', (seed) => {
    expect(readJoin({ ...form, seed, key: ' k ' })).toEqual({
      ok: true,
      value: { ...identity, seed, invite: '', key: 'k' },
    });
  });

  test.each(['', 'host', 'host:', ':6001', 'a b:1', '::1:6001', 'x:host:1', 'h:0', 'h:65536'])(
    'refuses the seed %j at its field',
    (seed) => {
      expect(readJoin({ ...form, seed })).toMatchObject({ ok: false, error: { field: 'seed' } });
    },
  );

  test('an invite says the rest', () => {
    expect(readJoin({ ...form, invite: ' lockstep://x ', key: 'k' })).toEqual({
      ok: true,
      value: { ...identity, seed: '', invite: 'lockstep://x', key: '' },
    });
  });
});
