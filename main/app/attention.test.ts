import { expect, test } from 'vitest';
import type { FinalEntry } from '../../shared/model.ts';
import { Attention } from './attention.ts';

function entry(seq: number, author: number, kind: 'message' | 'leader'): FinalEntry {
  const base = { seq, epoch: [1, 3] as const, message: `m${seq}`, author, sentAt: 0, hash: '' };
  return kind === 'message' ? { ...base, kind, text: 'hi' } : { ...base, kind, text: null };
}

test('counts what others wrote while nobody looked, until somebody does', () => {
  const shown: number[] = [];
  const attention = new Attention((unread) => shown.push(unread));
  attention.onArrived([entry(1, 2, 'message')], 1, true);
  attention.onArrived([entry(2, 1, 'message'), entry(3, 3, 'leader')], 1, false);
  attention.onArrived([entry(4, 2, 'message'), entry(5, 3, 'message')], 1, false);
  attention.onArrived([entry(6, 2, 'message')], 1, false);
  attention.reset();
  attention.reset();
  expect(shown).toEqual([2, 3, 0]);
});
