/** Invite links as they are shared, and as they arrive. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGroup } from './identity.ts';
import { formatInvite, INVITE_SEEDS_MAX, parseInvite } from './invite.ts';

const group = { id: new Uint8Array(16).fill(1), key: new Uint8Array(32).fill(0xfe) };
const link =
  'lockstep://join?group=AQEBAQEBAQEBAQEBAQEBAQ' +
  '&key=_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v4' +
  '&seed=1%3A127.0.0.1%3A6001&seed=%5B%3A%3A1%5D%3A6002';
const seeds = ['1:127.0.0.1:6001', '[::1]:6002'];

test('a link is written so, and stays readable', () => {
  expect(formatInvite(group, seeds)).toBe(link);
  expect(parseInvite(link)).toEqual({ ok: true, value: { group, seeds } });
});

test.each([
  ['with space around it', `  ${link}\n`],
  ['in angle brackets', `<${link}>`],
  ['in quotes', `“${link}”`],
  ['in straight quotes', `"${link}"`],
  ['at the end of a sentence', `${link}.`],
  ['with a scheme that a phone has capitalised', link.replace('lockstep', 'Lockstep')],
  ['after a word', `Join us: ${link}`],
  ['in the middle of a sentence', `Use ${link} to join us, and bring 2 friends.`],
  ['in brackets', `Our group (${link})!`],
  ['wrapped by a mail', `${link.slice(0, 60)}\n${link.slice(60, 130)}\r\n ${link.slice(130)}`],
  ['with a part of a later version', `${link}&name=Team`],
])('a link is read %s', (_, text) => {
  expect(parseInvite(text)).toEqual({ ok: true, value: { group, seeds } });
});

test('any group and seeds come back as they were', () => {
  const seed = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map((p) => p.join(':'));
  const list = fc.uniqueArray(seed, { minLength: 1, maxLength: INVITE_SEEDS_MAX });
  fc.assert(
    fc.property(list, (some) => {
      const fresh = createGroup();
      const parsed = parseInvite(formatInvite(fresh, some));
      expect(parsed).toEqual({ ok: true, value: { group: fresh, seeds: some } });
    }),
  );
});

test('repeats and too many seeds are left out', () => {
  const many = Array.from({ length: 40 }, (_, i) => `host:${i + 1}`);
  const parsed = parseInvite(formatInvite(group, [...many, ...many]));
  expect(parsed.ok && parsed.value.seeds).toEqual(many.slice(0, INVITE_SEEDS_MAX));
});

test.each([
  ['', 'begins with'],
  ['https://join?group=x', 'begins with'],
  ['lockstep://leave?group=x', 'begins with'],
  [`${link}#fragment`, 'bad address'],
  [`${link}${'&seed=a%3A1'.repeat(500)}`, 'begins with'],
  [link.replace('group=', 'grop='), 'the group in the invite link'],
  [link.replace('group=AQ', 'group='), 'the group in the invite link'],
  [link.replace('AQEBAQEB', 'AQEB*QEB'), 'the group in the invite link'],
  [link.replace('AQ&key', 'AR&key'), 'the group in the invite link'],
  [`${link}&group=AQEBAQEBAQEBAQEBAQEBAQ`, 'the group in the invite link'],
  [link.replace('key=_v7-', 'key='), 'the key in the invite link'],
  [link.split('&seed')[0] ?? '', 'names nobody'],
  [`${link}${'&seed=a%3A1'.repeat(15)}`, 'too many peers'],
  [`${link}&seed=nowhere`, 'bad address: "nowhere"'],
])('%j is refused with its reason', (text, reason) => {
  const parsed = parseInvite(text);
  expect(parsed.ok ? 'read' : parsed.error).toContain(reason);
});
