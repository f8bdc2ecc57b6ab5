/** Who came, went and came back, from lists alone. */
import { expect, test } from 'vitest';
import { encodeMembers } from '../../shared/protocol/codec.ts';
import type { Entry, EntryKind } from '../../shared/protocol/types.ts';
import { MembershipHistory } from './membership-history.ts';

function entry(seq: number, kind: EntryKind, body: Uint8Array = new Uint8Array(0)): Entry {
  return {
    ...{ seq, kind, body, author: 1, after: null, sentAt: 0, hash: new Uint8Array(32) },
    epoch: { number: 1, leader: 1 },
    id: `01900000-0000-7000-8000-${String(seq).padStart(12, '0')}`,
  };
}

function list(seq: number, members: readonly (readonly [id: number, name: string, at?: string])[]) {
  const full = members.map(([id, name, address = 'h:1']) => {
    return { id, name, address, key: new Uint8Array(32).fill(id) };
  });
  return entry(seq, 'members', encodeMembers(full));
}

test('each list says who joined, who is back, who is gone, and what else changed', () => {
  const history = new MembershipHistory();
  history.note([list(1, [[1, 'Ada']]), entry(2, 'leader'), entry(3, 'message')]);
  history.note([
    list(4, [
      [1, 'Ada'],
      [2, 'Ben'],
    ]),
    list(900, [[1, 'Ada']]),
  ]);
  history.note([
    list(901, [
      [1, 'Adi', 'h:2'],
      [2, 'Ben'],
      [3, 'Cleo'],
    ]),
  ]);
  const words = [1, 2, 4, 900, 901].map((seq) => {
    const change = history.changeAt(seq);
    return (
      change && {
        ...(change.joined.length > 0 && { joined: change.joined.map(({ name }) => name) }),
        ...(change.back.length > 0 && { back: change.back.map(({ name }) => name) }),
        ...(change.gone.length > 0 && { gone: change.gone.map(({ name }) => name) }),
        ...(change.renamed.length > 0 && { renamed: change.renamed.map(({ was }) => was) }),
        ...(change.moved.length > 0 && { moved: change.moved.map(({ name }) => name) }),
      }
    );
  });
  expect(words).toEqual([
    { joined: ['Ada'] },
    null,
    { joined: ['Ben'] },
    { gone: ['Ben'] },
    { joined: ['Cleo'], back: ['Ben'], renamed: ['Ada'], moved: ['Adi'] },
  ]);
});

test('an entry that is noted twice changes nothing', () => {
  const history = new MembershipHistory();
  const first = list(1, [[1, 'Ada']]);
  history.note([first, list(2, [[2, 'Ben']]), first]);
  expect(history.changeAt(1)?.joined.map(({ id }) => id)).toEqual([1]);
  expect(history.last).toBe(2);
});
