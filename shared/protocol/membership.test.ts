/** Entry 1 of a new group. What else membership does is told by scripts. */
import { expect, test } from 'vitest';
import { decodeMembers } from './codec.ts';
import { foundGroup } from './membership.ts';
import { hashZero, idOf, memberOf, readableHash } from './testing/entries.ts';

test('a founder writes a list of itself behind hash 0, below every epoch that can be led', () => {
  const options = { id: idOf(1), sentAt: 5, chainHash: readableHash, groupHash: hashZero };
  const entry = foundGroup(memberOf(3), options);
  expect(entry).toMatchObject({
    seq: 1,
    kind: 'members',
    epoch: { number: 0, leader: 3 },
    id: idOf(1),
    author: 3,
    after: null,
    sentAt: 5,
  });
  expect(decodeMembers(entry.body)).toEqual({ ok: true, value: [memberOf(3)] });
  expect(entry.hash).toEqual(readableHash(hashZero, entry));
});

test('two groups never share a prefix', () => {
  const found = (groupHash: Uint8Array): Uint8Array =>
    foundGroup(memberOf(1), { id: idOf(1), sentAt: 5, chainHash: readableHash, groupHash }).hash;
  expect(found(new Uint8Array([1]))).not.toEqual(found(new Uint8Array([2])));
});
