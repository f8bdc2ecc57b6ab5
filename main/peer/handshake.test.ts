/** What a HELLO and a PROOF must and must not let through. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEADER_BYTES } from './frame-codec.ts';
import {
  decodeHello,
  decodeRefuse,
  type Hello,
  helloFrame,
  type ProofInput,
  proofFrame,
  PROTOCOL_VERSION,
  refuseFrame,
  verifyProof,
} from './handshake.ts';
import { createGroup, createIdentity, identityFromSeed, random, sha256 } from './identity.ts';
import { UNPROVEN_FRAME_BYTES_MAX } from './limits.ts';

const identity = createIdentity();
const group = createGroup();

function hello(change: Partial<Hello> = {}): Hello {
  return {
    group: group.id,
    id: 2,
    name: 'Zoë',
    address: '127.0.0.1:6002',
    key: identity.publicKey,
    promised: { number: 4, leader: 3 },
    nonce: 0xdead_beef,
    upMs: 12,
    random: random(32),
    ...change,
  };
}

const payloadOf = (frame: Uint8Array): Uint8Array => frame.slice(HEADER_BYTES);

describe('HELLO', () => {
  test.each([
    ['of a member', hello()],
    ['of a fresh joiner', hello({ group: null, promised: { number: 0, leader: 0 } })],
    ['of the greatest size', hello({ name: '€'.repeat(21), address: 'a'.repeat(400) })],
  ])('%s comes back as it was', (_what, sent) => {
    const payload = payloadOf(helloFrame(sent));
    expect(payload.length).toBeLessThan(UNPROVEN_FRAME_BYTES_MAX);
    expect(decodeHello(payload)).toEqual({ ok: true, value: sent });
  });

  test('of another version is told apart, whatever follows', () => {
    const payload = payloadOf(helloFrame(hello())).slice(0, 9);
    payload[6] = PROTOCOL_VERSION + 1;
    expect(decodeHello(payload)).toMatchObject({ ok: false, error: { code: 'VERSION' } });
  });

  test('damaged anywhere is refused or says something else, and never throws', () => {
    const payload = payloadOf(helloFrame(hello()));
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = payload.slice();
        damaged[at] = (damaged[at] as number) ^ flip;
        const decoded = decodeHello(damaged);
        if (decoded.ok) expect(payloadOf(helloFrame(decoded.value))).toEqual(damaged);
      }),
      { numRuns: 2_000 },
    );
    for (let cut = 0; cut < payload.length; cut++) {
      expect(decodeHello(payload.slice(0, cut)).ok).toBe(false);
    }
  });
});

describe('PROOF', () => {
  const input: ProofInput = {
    side: 'dialler',
    group,
    dialler: payloadOf(helloFrame(hello())),
    acceptor: payloadOf(helloFrame(hello({ id: 3, random: random(32) }))),
  };
  const proof = payloadOf(proofFrame(identity, input));

  test('holds for what was proven', () => {
    expect(verifyProof(proof, identity.publicKey, input)).toBe(true);
  });

  test.each<[string, Partial<ProofInput>]>([
    ['the other side (a reflection)', { side: 'acceptor' }],
    ['another group key', { group: { id: group.id, key: random(32) } }],
    ['another group id', { group: { id: random(16), key: group.key } }],
    ['another handshake of the same peers (a replay)', { acceptor: random(120) }],
    ['swapped roles', { dialler: input.acceptor, acceptor: input.dialler }],
  ])('does not hold for %s', (_what, change) => {
    expect(verifyProof(proof, identity.publicKey, { ...input, ...change })).toBe(false);
  });

  test('does not hold for another identity, which knows the group key', () => {
    expect(verifyProof(proof, createIdentity().publicKey, input)).toBe(false);
    expect(verifyProof(proof, new Uint8Array(32).fill(0xff), input)).toBe(false);
  });

  test('does not hold when any bit or length is changed', () => {
    for (let at = 1; at < proof.length; at++) {
      const damaged = proof.slice();
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(verifyProof(damaged, identity.publicKey, input)).toBe(false);
    }
    expect(verifyProof(proof.slice(0, -1), identity.publicKey, input)).toBe(false);
    expect(verifyProof(new Uint8Array(0), identity.publicKey, input)).toBe(false);
  });
});

test('SHA-256 is the standard one', () => {
  const hex = (text: string): string => Buffer.from(sha256(Buffer.from(text))).toString('hex');
  expect([hex(''), hex('abc')]).toEqual([
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  ]);
});

test('an identity is the same again from its seed', () => {
  const again = identityFromSeed(identity.seed);
  expect(again.publicKey).toEqual(identity.publicKey);
  expect(again.sign(Buffer.of(1))).toEqual(identity.sign(Buffer.of(1)));
  expect(() => identityFromSeed(new Uint8Array(31))).toThrow('32 bytes');
});

test('REFUSE carries its code and as much of its message as fits', () => {
  const refusal = { code: 'ID_TAKEN', message: 'id 2 belongs to someone else' } as const;
  expect(decodeRefuse(payloadOf(refuseFrame(refusal)))).toEqual({ ok: true, value: refusal });
  const long = decodeRefuse(payloadOf(refuseFrame({ code: 'DIVERGED', message: '€'.repeat(999) })));
  expect(long.ok && long.value.message).toMatch(/^€{100,}$/);
  expect(decodeRefuse(Buffer.of(0xf3, 99, 0, 0)).ok).toBe(false);
  expect(decodeRefuse(Buffer.of(0xf3, 0, 0, 5)).ok).toBe(false);
});
