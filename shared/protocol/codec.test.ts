/**
 * The codec against random messages and random damage, and against bytes written down by hand: the
 * layout of what is stored and sent must not move by accident.
 */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalEntry,
  chainHashWith,
  decodeMembers,
  decodeMessage,
  encodeMembers,
  encodeMessage,
  groupHash,
} from './codec.ts';
import { MEMBERS_MAX } from '../model.ts';
import { framedBytes } from './entry-codec.ts';
import type { ProtocolMessage } from './messages.ts';
import { arbitraryMembers, arbitraryProtocolMessage } from './testing/arbitrary-messages.ts';
import type { Entry, Member } from './types.ts';

const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

const ID_A = '01890a5d-ac96-774b-bcce-b302099a8057';
const ID_B = '01890a5d-ac96-7aaa-8bbb-000000000001';

const entry: Entry = {
  seq: 8,
  epoch: { number: 3, leader: 2 },
  kind: 'message',
  id: ID_A,
  author: 5,
  after: ID_B,
  sentAt: 1_700_000_000_000,
  body: new Uint8Array([0x68, 0x69]),
  hash: new Uint8Array(32).fill(0xab),
};

const ack = '0e 0000000000000003 00000002 0000000000000008';

/** Bytes of hand-made frames that must be refused, and why. */
const refused: readonly (readonly [string, string, string])[] = [
  ['nothing', '', 'empty frame'],
  ['an unknown kind', '00', 'unknown kind'],
  ['a kind of the transport', 'f0', 'unknown kind'],
  ['a trailing byte', `${ack} 00`, 'trailing bytes'],
  ['a missing byte', ack.slice(0, -2), 'frame too short'],
  ['a seq of 2^53', '0e 0000000000000003 00000002 0020000000000000', 'integer beyond 2^53'],
  ['a peer id of 2^31', '05 0000000000000001 80000000', 'peer id out of range'],
  ['peer id 0', '05 0000000000000001 00000000', 'peer id out of range'],
  ['an epoch without a leader', '06 0000000000000001 00000000', 'epoch without a leader'],
  ['a version 4 id', '0b 00000001 01890a5dac96474bbcceb302099a8057', 'not a version 7 UUID'],
  ['an id of another variant', '0b 00000001 01890a5dac96774b3cceb302099a8057', 'version 7'],
  ['no ids', '0b 00000000', 'no ids'],
  ['more ids than bytes', '0b ffffffff 01890a5dac96774bbcceb302099a8057', 'count exceeds'],
  ['no messages', '0a 00000000', 'no messages'],
  ['more messages than bytes', '0a 7fffffff 00', 'count exceeds'],
  [
    'a body over 64 KiB',
    `0a 00000001 00 01890a5dac96774bbcceb302099a8057 00000001 0000000000000000 00010001 ${'00'.repeat(65_537)}`,
    'body too long',
  ],
  ['a flag of 2', '09 02 0000000000000001 00000001', 'flag is neither'],
  ['a name of 65 bytes', `13 00000001 ${'00'.repeat(32)} 41 ${'61'.repeat(65)} 0000`, 'too long'],
  ['a name that is not UTF-8', `13 00000001 ${'00'.repeat(32)} 01 ff 0000`, 'not UTF-8'],
  [
    'an empty list of a peer that has a log',
    '02 0000000000000001 0000000000000001 00000001 0000000000000001 0000',
    'empty members list',
  ],
  [
    'an electorate that descends',
    `02 0000000000000001 0000000000000001 00000001 0000000000000001 0002
     00000002 ${'00'.repeat(32)} 00000001 ${'00'.repeat(32)}`,
    'not ascending',
  ],
];

function member(id: number): Member {
  return { id, key: new Uint8Array(32).fill(id), name: `p${id}`, address: `h:${id}` };
}

describe('messages', () => {
  test('come back as they were, whatever they are', () => {
    fc.assert(
      fc.property(arbitraryProtocolMessage, fc.nat(8), (message, headroom) => {
        const bytes = encodeMessage(message, headroom);
        expect(hex(bytes.subarray(0, headroom))).toBe('00'.repeat(headroom));
        expect(decodeMessage(bytes.subarray(headroom))).toEqual({ ok: true, value: message });
      }),
      { numRuns: 1_000 },
    );
  });

  test('damaged, are refused or are another message with exactly these bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(arbitraryProtocolMessage, damage, fc.nat(), (message, changes, cut) => {
        const whole = encodeMessage(message);
        const bytes = cut % 3 === 0 ? whole.slice(0, cut % whole.length) : whole.slice();
        // Most of a frame may be a body; damage near the front meets more of the layout.
        for (const [place, value] of changes) bytes[place % Math.min(bytes.length, 120)] = value;
        const decoded = decodeMessage(bytes);
        if (decoded.ok) expect(hex(encodeMessage(decoded.value))).toBe(hex(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test('made of noise, never throw', () => {
    fc.assert(
      fc.property(fc.nat(0x17), fc.uint8Array({ maxLength: 300 }), (kind, noise) => {
        const decoded = decodeMessage(new Uint8Array([kind, ...noise]));
        expect(typeof decoded.ok).toBe('boolean');
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(refused)('with %s are refused', (_what, bytes, reason) => {
    const decoded = decodeMessage(unhex(bytes));
    expect(decoded.ok ? 'accepted' : decoded.error).toContain(reason);
  });

  test('do not refer to the memory they were read from', () => {
    const frame = encodeMessage({ kind: 'submit', messages: [entry] });
    const decoded = decodeMessage(frame);
    frame.fill(0);
    expect(
      decoded.ok && decoded.value.kind === 'submit' && decoded.value.messages[0]?.body,
    ).toEqual(entry.body);
  });

  test('keep at most a small block of their frame in memory', () => {
    const body = new Uint8Array(100);
    const messages = Array.from({ length: 1_000 }, () => ({ ...entry, body }));
    const decoded = decodeMessage(encodeMessage({ kind: 'submit', messages }));
    const kept = decoded.ok && decoded.value.kind === 'submit' && decoded.value.messages[500];
    expect(kept && kept.body.buffer.byteLength).toBeLessThanOrEqual(8 * 1024);
  });

  test('take as much in a frame as batches are measured with, or less', () => {
    const count = 100;
    const entries = Array.from({ length: count }, (_, i): Entry => {
      return { ...entry, seq: 8 + i, epoch: { number: 3 + i, leader: 2 } };
    });
    const prev = { epoch: { number: 2, leader: 2 }, seq: 7 };
    const head = { kind: 'accept', epoch: { number: 102, leader: 2 }, prev, mark: 0 } as const;
    const empty = encodeMessage({ ...head, entries: [] }).length;
    const full = encodeMessage({ ...head, entries }).length;
    expect(full - empty).toBeLessThanOrEqual(count * framedBytes(entry.body));
    expect(full - empty).toBeGreaterThan(count * (framedBytes(entry.body) - 8));
  });

  test('of ours that break the layout are our bug', () => {
    const bad: readonly ProtocolMessage[] = [
      { kind: 'submit', messages: [] },
      { kind: 'submit', messages: [{ ...entry, id: ID_A.toUpperCase() }] },
      { kind: 'submit', messages: [{ ...entry, body: new Uint8Array(65_537) }] },
      { kind: 'refuse', round: 1, leader: 0 },
      { kind: 'answer', round: -1 },
      { kind: 'answer', round: 2 ** 53 },
      { kind: 'join', member: { ...member(1), name: 'n'.repeat(65) } },
    ];
    for (const message of bad) expect(() => encodeMessage(message)).toThrow('');
  });

  test('lie as the specification says', () => {
    const prev = { epoch: { number: 3, leader: 2 }, seq: 7 };
    const message: ProtocolMessage = {
      kind: 'accept',
      epoch: prev.epoch,
      prev,
      entries: [entry, { ...entry, seq: 9, after: null, epoch: { number: 4, leader: 1 } }],
      mark: 6,
    };
    expect(hex(encodeMessage(message))).toBe(
      hex(
        unhex(`
          0d 0000000000000003 00000002 0000000000000006
          0000000000000003 00000002 0000000000000007 00000002
          04 01890a5dac96774bbcceb302099a8057 01890a5dac967aaa8bbb000000000001
          00000005 0000018bcfe56800 00000002 6869 ${'ab'.repeat(32)}
          08 01890a5dac96774bbcceb302099a8057
          00000005 0000018bcfe56800 00000002 6869
          0000000000000004 00000001 ${'ab'.repeat(32)}`),
      ),
    );
    const acked: ProtocolMessage = { kind: 'ack', epoch: { number: 3, leader: 2 }, seq: 8 };
    expect(hex(encodeMessage(acked))).toBe(hex(unhex(ack)));
  });
});

describe('the hash chain', () => {
  test('covers the canonical form, which never changes', () => {
    expect(hex(canonicalEntry(entry))).toBe(
      hex(
        unhex(`
          0000000000000008 0000000000000003 00000002
          04 01890a5dac96774bbcceb302099a8057 01890a5dac967aaa8bbb000000000001
          00000005 0000018bcfe56800 00000002 6869`),
      ),
    );
  });

  test('starts from the group and follows from the entry before', () => {
    const zero = groupHash(sha256, new Uint8Array(16).fill(7));
    expect(hex(zero)).toBe(hex(sha256(new Uint8Array(16).fill(7))));
    const chained = chainHashWith(sha256)(zero, entry);
    expect(hex(chained)).toBe(hex(sha256(new Uint8Array([...zero, ...canonicalEntry(entry)]))));
  });

  test('tells entries apart that differ in any field', () => {
    const others: readonly Partial<Entry>[] = [
      { seq: 9 },
      { epoch: { number: 3, leader: 3 } },
      { kind: 'leader' },
      { id: ID_B },
      { author: 6 },
      { after: null },
      { sentAt: 0 },
      { body: new Uint8Array([0x68]) },
    ];
    const forms = [{}, ...others].map((change) => hex(canonicalEntry({ ...entry, ...change })));
    expect(new Set(forms).size).toBe(forms.length);
  });
});

describe('members lists', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(arbitraryMembers, (members) => {
        expect(decodeMembers(encodeMembers(members))).toEqual({ ok: true, value: members });
      }),
    );
  });

  test('of the greatest size fit into a body', () => {
    const members = Array.from({ length: MEMBERS_MAX }, (_, i) => ({
      ...member(i + 1),
      name: 'n'.repeat(64),
      address: 'a'.repeat(400),
    }));
    expect(encodeMembers(members).length).toBeLessThanOrEqual(64 * 1024);
  });

  test.each([
    ['empty', '0000', 'empty members list'],
    ['cut short', '0001 00000001', 'count exceeds'],
    ['longer than any', `0081 ${`00000001 ${'00'.repeat(35)}`.repeat(129)}`, 'too many members'],
    ['with one id twice', `0002 ${`00000001 ${'00'.repeat(35)}`.repeat(2)}`, 'not ascending'],
    ['with bytes behind it', `0001 00000001 ${'00'.repeat(36)}`, 'trailing bytes'],
  ])('%s are refused', (_what, bytes, reason) => {
    const decoded = decodeMembers(unhex(bytes));
    expect(decoded.ok ? 'accepted' : decoded.error).toContain(reason);
  });

  test('out of order are our bug', () => {
    expect(() => encodeMembers([member(2), member(1)])).toThrow('ascending');
    expect(() => encodeMembers([])).toThrow('1 to 128');
  });
});
