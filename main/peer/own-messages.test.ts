/** What is held back, what goes out at once, and that everybody who asked gets one answer. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { NodeError, SendOutcome } from '../../shared/model.ts';
import { err, ok } from '../../shared/result.ts';
import { OwnMessages, type Submission } from './own-messages.ts';

const closing: NodeError = { code: 'NOT_READY', message: 'words', fatal: false };

let own: OwnMessages;
/** What the core was given and what was told, in order. */
let told: string[];

beforeEach(() => {
  told = [];
  own = new OwnMessages({
    submit: ({ id }) => told.push(`submit ${id}`),
    accepted: ({ message, text, author, n }, ref) =>
      told.push(`accepted ${message} “${text}” of ${author}, ${n}, for ${String(ref)}`),
    refused: ({ code }, ref) => told.push(`refused ${code} for ${String(ref)}`),
  });
});

/** Asks for messages, each with its own id as what the asker wants back. */
function add(...ids: readonly string[]): void {
  for (const id of ids) own.add(submission(id), { text: `text ${id}`, ref: id, settle: null });
}

function submission(id: string): Submission {
  return { kind: 'submit', id, sentAt: 1, body: new Uint8Array() };
}

/** The core has stored a message. */
function store(id: string): void {
  own.accepted({ id, author: 7, after: null, sentAt: 1, body: new Uint8Array() });
}

/** Whether a promise is resolved by the end of this turn. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  const pending = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([promise.then(() => true), pending]);
}

test('what is asked for before the id is ours goes out once it is, in order, and later at once', () => {
  add('a', 'b');
  expect(told).toEqual([]);
  own.open();
  expect(told).toEqual(['submit a', 'submit b']);
  own.open();
  add('c');
  expect(told).toEqual(['submit a', 'submit b', 'submit c']);
});

test('whoever waits for the id hears of it once, or at once if it is ours already', async () => {
  const waiting = own.opened();
  expect(await isOver(waiting)).toBe(false);
  own.open();
  expect(await isOver(waiting)).toBe(true);
  expect(await isOver(own.opened())).toBe(true);
});

test('who asked gets back what belongs to it, once, and nobody is told of other messages', () => {
  own.open();
  add('a');
  expect(own.unaccepted).toBe(1);
  told.length = 0;
  store('of an earlier process');
  store('a');
  store('a');
  own.refuse('a', closing);
  expect(told).toEqual(['accepted a “text a” of 7, null, for a']);
  expect(own.unaccepted).toBe(0);
});

describe('who waits for the outcome', () => {
  test.each<[string, () => void, SendOutcome, readonly string[]]>([
    [
      'is told that it is stored, as everybody is',
      () => store('a'),
      ok('a'),
      ['accepted a “text” of 7, null, for ref'],
    ],
    [
      'is told that it is given up, and nobody else is',
      () => own.refuse('a', closing),
      err(closing),
      [],
    ],
  ])('%s', (_what, happen, outcome, others) => {
    const outcomes: SendOutcome[] = [];
    own.open();
    own.add(submission('a'), { text: 'text', ref: 'ref', settle: (one) => outcomes.push(one) });
    told.length = 0;
    happen();
    happen();
    expect([outcomes, told]).toEqual([[outcome], others]);
  });
});

test('giving up what is held leaves what the core has, and nothing to submit later', () => {
  own.open();
  add('a');
  const joiner = new OwnMessages({
    submit: ({ id }) => told.push(`submit ${id}`),
    accepted: () => told.push('accepted'),
    refused: ({ code }, ref) => told.push(`refused ${code} for ${String(ref)}`),
  });
  joiner.add(submission('b'), { text: '', ref: 'b', settle: null });
  told.length = 0;
  own.refuseHeld(closing);
  joiner.refuseHeld(closing);
  joiner.open();
  expect(told).toEqual(['refused NOT_READY for b']);
  expect([own.unaccepted, joiner.unaccepted]).toEqual([1, 0]);
});

test.each([
  ['the core has', true],
  ['is held', false],
])('at the end everything that %s is given up', async (_what, isOpen) => {
  if (isOpen) own.open();
  add('a', 'b');
  told.length = 0;
  const settled = own.settled();
  expect(await isOver(settled)).toBe(false);
  own.refuseAll(closing);
  expect(told).toEqual(['refused NOT_READY for a', 'refused NOT_READY for b']);
  expect(await isOver(settled)).toBe(true);
  own.open();
  expect(told).toHaveLength(2);
});

test('everything is settled with the last message that is stored, or when there is none', async () => {
  expect(await isOver(own.settled())).toBe(true);
  own.open();
  add('a', 'b');
  const settled = own.settled();
  store('a');
  expect(await isOver(settled)).toBe(false);
  store('b');
  expect(await isOver(settled)).toBe(true);
});
