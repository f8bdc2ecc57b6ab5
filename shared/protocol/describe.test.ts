/** The texts that scripts do not show; the others are in every script. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeEntries, describeMessage, describeWriteOp, shortId } from './describe.ts';
import { arbitraryProtocolMessage } from './testing/arbitrary-messages.ts';
import { chain, epoch, idOf, memberOf, messageOf } from './testing/entries.ts';

test('entries of several epochs, and of many places', () => {
  const first = chain(epoch(0, 1), [[1]]);
  const rest = chain(
    epoch(2, 3),
    ['leader', ...[1, 2, 3, 4].map((n) => messageOf(n, 1))],
    first[0],
  );
  expect(describeEntries([...first, ...rest])).toBe(
    'e0.1: 1 members[1]; e2.3: 2 leader-3, 3 …000001, 4 …000002, 5 …000003, 6 …000004',
  );
  expect(describeEntries([...first, ...rest], shortId, 2)).toBe(
    'e0.1: 1 members[1] (… 4 more …) e2.3: 6 …000004',
  );
});

test.each([
  [{ kind: 'cut', after: 4 }, 'cut after 4'],
  [{ kind: 'append', entries: chain(epoch(1, 2), ['leader']) }, 'append e1.2: 1 leader-2'],
  [
    { kind: 'add-pending', messages: [messageOf(1, 1)], at: 'front' },
    'add to pending, front: …000001',
  ],
  [{ kind: 'remove-pending', ids: [idOf(1), idOf(2)] }, 'remove from pending: …000001 …000002'],
  [{ kind: 'promise', epoch: epoch(4, 2) }, 'promise e4.2'],
  [{ kind: 'mark', seq: 9 }, 'final 9'],
  [{ kind: 'last-own', id: idOf(3) }, 'last own …000003'],
  [
    { kind: 'know', peer: { member: memberOf(5), bound: true, promised: epoch(1, 1), nonce: 1 } },
    'know 5 bound',
  ],
] as const)('%j', (op, text) => {
  expect(describeWriteOp(op)).toBe(text);
});

test('every message is one line that begins with its kind', () => {
  fc.assert(
    fc.property(arbitraryProtocolMessage, (message) => {
      const text = describeMessage(message);
      expect(text.startsWith(message.kind)).toBe(true);
      expect(text).not.toMatch(/\n|undefined|\[object|NaN/);
    }),
  );
});
