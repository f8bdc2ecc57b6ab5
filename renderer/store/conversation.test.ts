/** The window of entries: any order, any repetition, bounded memory. */
import { describe, expect, test } from 'vitest';
import { leaderEntry, membersEntry, messageEntry, waitingMessage } from '../testing/samples.ts';
import {
  EMPTY_CONVERSATION,
  PAGE_SIZE,
  PAGES_MAX,
  entryAt,
  isPageComplete,
  pageOf,
  withEntries,
  withViewport,
  withWaiting,
} from './conversation.ts';

function run(from: number, to: number) {
  return Array.from({ length: to - from + 1 }, (_, i) => messageEntry(from + i));
}

test('entries come in any order and more than once, and the result is the same', () => {
  const parts = [run(95, 105), [membersEntry(1, [1])], run(2, 94), [leaderEntry(106, 3, 4)]];
  const once = parts.reduce(withEntries, EMPTY_CONVERSATION);
  const again = [...parts, ...parts.toReversed()].reduce(withEntries, EMPTY_CONVERSATION);
  expect(again).toEqual(once);
  expect(once.last).toBe(106);
  expect(entryAt(once, 100)).toEqual(messageEntry(100));
  expect(entryAt(once, 107)).toBeUndefined();
});

test('a page is complete when every entry of it up to the end is there', () => {
  const some = withEntries(EMPTY_CONVERSATION, run(50, 130));
  expect([0, 1, 2].map((page) => isPageComplete(some, page))).toEqual([false, true, false]);
  expect(isPageComplete(withEntries(some, run(1, 49)), 0)).toBe(true);
});

test.each([
  [1, 0],
  [PAGE_SIZE, 0],
  [PAGE_SIZE + 1, 1],
])('seq %i is on page %i', (seq, page) => {
  expect(pageOf(seq)).toBe(page);
});

describe('waiting messages', () => {
  const a = waitingMessage('a', { message: 'a' });
  const b = waitingMessage('b', { message: 'b' });

  test('keep the order in which they were accepted until they have a place', () => {
    const both = [a, b].reduce(withWaiting, EMPTY_CONVERSATION);
    expect(both.waiting).toEqual([a, b]);
    const ordered = withWaiting(both, { ...b, n: 1 });
    expect(ordered.waiting.map((one) => one.message)).toEqual(['b', 'a']);
    const moved = withWaiting(withWaiting(ordered, { ...a, n: 1 }), { ...b, n: 2 });
    expect(moved.waiting.map((one) => [one.message, one.n])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  test('a late accepted event does not take the place away', () => {
    const ordered = withWaiting(EMPTY_CONVERSATION, { ...a, n: 3 });
    expect(withWaiting(ordered, a).waiting).toEqual([{ ...a, n: 3 }]);
  });

  test('leave when they are final, and do not come back', () => {
    const waiting = [a, b].reduce(withWaiting, EMPTY_CONVERSATION);
    const final = withEntries(waiting, [messageEntry(1, { message: 'a' })]);
    expect(final.waiting).toEqual([b]);
    expect(withWaiting(final, { ...a, n: 1 })).toBe(final);
  });
});

test('pages far from the reader and from the end are let go', () => {
  let conversation = withEntries(EMPTY_CONVERSATION, [membersEntry(1, [1])]);
  conversation = withViewport(conversation, 50 * PAGE_SIZE);
  for (let page = 0; page < 200; page += 1) {
    conversation = withEntries(conversation, run(page * PAGE_SIZE + 2, (page + 1) * PAGE_SIZE + 1));
  }
  expect(conversation.pages.size).toBe(PAGES_MAX);
  expect(entryAt(conversation, conversation.last)).toBeDefined();
  expect(entryAt(conversation, 50 * PAGE_SIZE)).toBeDefined();
  expect(entryAt(conversation, 1)).toBeUndefined();
});
