/** Every request's decoder: what it lets through unchanged, and what it refuses. */
import { describe, expect, test } from 'vitest';
import { PEER_ID_MAX } from '../model.ts';
import { REQUEST_NAMES } from './contract.ts';
import type { RequestName } from './contract.ts';
import { LINE_LENGTH_MAX, LINK_LENGTH_MAX, TEXT_LENGTH_MAX, decodeRequest } from './validate.ts';

const identity = { id: 3, name: 'Ann', host: '0.0.0.0', port: 6001 };
const join = { ...identity, seed: '1:10.0.0.1:6001', invite: '', key: '' };

const good: { readonly [Name in RequestName]: readonly object[] } = {
  'get-snapshot': [{}],
  'start-group': [identity, { ...identity, id: PEER_ID_MAX, port: 0 }],
  'join-group': [join, { ...join, seed: '', invite: 'lockstep://join/abc' }],
  'open-group': [{ data: '/home/ann/.local/share/lockstep/1' }],
  'cancel-join': [{}],
  'join-again': [{}],
  'read-invite': [{ link: 'lockstep://join/abc' }],
  'send-message': [{ text: 'hi' }, { text: 'x'.repeat(TEXT_LENGTH_MAX) }],
  'load-entries': [
    { from: 1, limit: 500 },
    { from: 999_901, limit: 100 },
  ],
  'save-draft': [{ text: '' }],
  'save-settings': [{ theme: 'dark', statusPanel: false }],
  'copy-text': [{ text: 'lockstep://join/abc' }],
  'open-link': [{ url: 'https://example.org/' }],
};

const bad: { readonly [Name in RequestName]: readonly unknown[] } = {
  'get-snapshot': [null, undefined, 'x', { extra: 1 }],
  'start-group': [
    {},
    { ...identity, id: 0 },
    { ...identity, id: 1.5 },
    { ...identity, id: '3' },
    { ...identity, id: PEER_ID_MAX + 1 },
    { ...identity, port: 65_536 },
    { ...identity, port: Number.NaN },
    { ...identity, name: 'x'.repeat(LINE_LENGTH_MAX + 1) },
    { ...identity, seed: '10.0.0.1:6001' },
  ],
  'join-group': [identity, { ...join, key: 7 }, { ...join, seed: null }],
  'open-group': [{}, { data: 1 }],
  'cancel-join': [[1], { now: true }],
  'join-again': [[1], { now: true }],
  'read-invite': [{ link: 'x'.repeat(LINK_LENGTH_MAX + 1) }],
  'send-message': [{}, { text: 1 }, { text: 'x'.repeat(TEXT_LENGTH_MAX + 1) }],
  'load-entries': [
    { from: 0, limit: 1 },
    { from: 1, limit: 0 },
    { from: 1, limit: 501 },
    { from: 1 },
    { from: Number.POSITIVE_INFINITY, limit: 1 },
  ],
  'save-draft': [{ text: ['x'] }],
  'save-settings': [{ theme: 'pink', statusPanel: true }, { theme: 'dark' }],
  'copy-text': [{ text: {} }],
  'open-link': [{ url: 1 }, { url: 'x'.repeat(LINK_LENGTH_MAX + 1) }],
};

describe.each(REQUEST_NAMES)('%s', (name) => {
  test.each(good[name])('accepts case %#', (args) => {
    expect(decodeRequest(name, args)).toEqual({ ok: true, value: args });
  });

  test.each(bad[name].map((args) => [args]))('refuses case %#', (args) => {
    expect(decodeRequest(name, args)).toEqual({
      ok: false,
      error: expect.stringMatching(new RegExp(`^${name}`)),
    });
  });
});

test('the refusal names the field', () => {
  const refused = decodeRequest('load-entries', { from: 1, limit: 900 });
  expect(refused).toEqual({ ok: false, error: expect.stringMatching(/^load-entries\.limit: /) });
});
