/** What is kept of words that are on their way out of the composer. */
import { beforeEach, expect, test } from 'vitest';
import type { SendOutcome } from '../../shared/model.ts';
import { err, ok } from '../../shared/result.ts';
import { Unsent } from './unsent.ts';

const refusal = err({ code: 'NOT_READY', message: 'closing', fatal: false } as const);

let stored: string;
let unsent: Unsent;

beforeEach(() => {
  stored = '';
  const drafts = { draft: () => 'begun', saveDraft: (_: string, text: string) => (stored = text) };
  unsent = new Unsent(drafts, '/group');
});

/** A send whose outcome the test decides. */
function send(text: string): (known: SendOutcome) => Promise<unknown> {
  let settle: (outcome: SendOutcome) => void = () => undefined;
  const outcome = new Promise<SendOutcome>((resolve) => {
    settle = resolve;
  });
  const kept = unsent.keepUntil(outcome, text);
  return (known) => {
    settle(known);
    return kept;
  };
}

test('the words are what was kept, and then what is typed', () => {
  expect(unsent.words()).toBe('begun');
  unsent.setWords('typed');
  expect([unsent.words(), stored]).toEqual(['typed', 'typed']);
});

test('a text stays stored until it is accepted, without standing in the composer', async () => {
  const settle = send('hello');
  unsent.setWords('');
  expect([unsent.words(), stored]).toEqual(['', 'hello']);
  await settle(ok('id'));
  expect([unsent.words(), stored]).toEqual(['', '']);
});

test('several texts are kept in order, above what was typed since', async () => {
  const first = send('one');
  const second = send('two');
  unsent.setWords('three');
  expect(stored).toBe('one\ntwo\nthree');
  await second(ok('id'));
  expect(stored).toBe('one\nthree');
  await first(ok('id'));
  expect(stored).toBe('three');
});

test('refused texts are words again, in their order', async () => {
  const first = send('one');
  const second = send('two');
  unsent.setWords('and more');
  await first(refusal);
  await second(refusal);
  expect([unsent.words(), stored]).toEqual(['one\ntwo\nand more', 'one\ntwo\nand more']);
  unsent.setWords('as the composer has them');
  expect(stored).toBe('as the composer has them');
});
