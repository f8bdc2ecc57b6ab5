/** Who can stop a peer, and who is not let in. */
import { describe, expect, test } from 'vitest';
import type { KnownPeer, LinkedPeer } from '../../shared/protocol/ready.ts';
import { endingOf, refusalFor } from './refusals.ts';
import type { LinkRefused, RefusalCode } from './transport.ts';

function refused(code: RefusalCode, fields: Partial<LinkRefused> = {}): LinkRefused {
  return {
    code,
    message: 'why',
    by: 'them',
    peer: 2,
    address: '127.0.0.1:1',
    seed: false,
    proven: false,
    ...fields,
  };
}

describe('endingOf', () => {
  test.each<[string, LinkRefused, boolean, boolean]>([
    ['a proven peer says that this is a copy', refused('ID_IN_USE', { proven: true }), false, true],
    ['a stranger says so', refused('ID_IN_USE'), false, false],
    [
      'this peer says so of another',
      refused('ID_IN_USE', { by: 'us', proven: true }),
      false,
      false,
    ],
    ['a proven peer says rolled back', refused('ROLLED_BACK', { proven: true }), false, true],
    ['the id is taken, while joining', refused('ID_TAKEN', { proven: true }), true, true],
    ['the id is taken, as a member', refused('ID_TAKEN', { proven: true }), false, false],
    ['no key for the seed', refused('WRONG_KEY', { by: 'us', seed: true }), true, true],
    ['the seed refuses the key', refused('WRONG_KEY', { seed: true }), true, true],
    ['a caller with a wrong key', refused('WRONG_KEY', { by: 'us' }), true, false],
    ['another version, as a member', refused('VERSION', { seed: true }), false, false],
    ['another group at the seed', refused('WRONG_GROUP', { seed: true }), true, true],
    ['garbage', refused('BAD_FRAME', { seed: true }), true, false],
  ])('%s', (_what, refusal, joining, ends) => {
    expect(endingOf(refusal, joining)?.code ?? null).toBe(ends ? refusal.code : null);
  });
});

describe('refusalFor', () => {
  const key = new Uint8Array(32).fill(1);
  const member = { id: 2, key, name: 'b', address: 'b:1' };
  const known: KnownPeer = { member, bound: true, promised: { number: 5, leader: 3 }, nonce: 7 };
  const peer: LinkedPeer = { ...member, promised: { number: 5, leader: 3 }, nonce: 8 };

  test.each<[string, LinkedPeer, KnownPeer | undefined, RefusalCode | null]>([
    ['never met', peer, undefined, null],
    ['as it was', peer, known, null],
    ['another key', { ...peer, key: new Uint8Array(32) }, known, 'ID_TAKEN'],
    [
      'another key, never a member',
      { ...peer, key: new Uint8Array(32) },
      { ...known, bound: false },
      null,
    ],
    [
      'somebody else, who starts afresh under an id that was never listed',
      { ...peer, key: new Uint8Array(32), promised: { number: 0, leader: 0 } },
      { ...known, bound: false },
      null,
    ],
    ['a lower promise', { ...peer, promised: { number: 5, leader: 2 } }, known, 'ROLLED_BACK'],
    [
      'a late word of the same process',
      { ...peer, promised: { number: 4, leader: 3 }, nonce: 7 },
      known,
      null,
    ],
  ])('%s', (_what, who, what, code) => {
    expect(refusalFor(who, what)?.code ?? null).toBe(code);
  });
});
