import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FinalEntry, WaitingMessage } from '../../shared/model.ts';
import { FRAME_MS, Outbox, type OutgoingEvent } from './outbox.ts';

let sent: string[][];
let outbox: Outbox;

beforeEach(() => {
  vi.useFakeTimers();
  vi.advanceTimersByTime(1_000);
  sent = [[]];
  outbox = new Outbox((event) => sent.at(-1)?.push(describeEvent(event)));
});

afterEach(() => {
  vi.useRealTimers();
});

function describeEvent(event: OutgoingEvent): string {
  if (event.name === 'entries-finalized') return event.payload.map(({ seq }) => seq).join('+');
  return event.name === 'message-accepted' ? event.payload.message : event.name;
}

function final(...seqs: number[]): OutgoingEvent {
  return { name: 'entries-finalized', payload: seqs.map((seq) => ({ seq }) as FinalEntry) };
}

function accepted(message: string): OutgoingEvent {
  return { name: 'message-accepted', payload: { message } as WaitingMessage };
}

function nextFrame(): void {
  sent.push([]);
  vi.advanceTimersByTime(FRAME_MS);
}

test('the first event after a quiet time goes at once, the next ones with the next frame', () => {
  outbox.push(accepted('a'));
  vi.advanceTimersByTime(1);
  outbox.push(accepted('b'));
  outbox.push(accepted('c'));
  nextFrame();
  expect(sent).toEqual([['a'], ['b', 'c']]);
});

test('entries next to each other become one event; across another one they do not', () => {
  outbox.push(final(1));
  outbox.push(final(2, 3));
  outbox.push(accepted('a'));
  outbox.push(final(4));
  outbox.push(final(5));
  outbox.flush();
  expect(sent).toEqual([['1+2+3', 'a', '4+5']]);
});

test('what belongs to a group that was left is not sent', () => {
  outbox.push(accepted('a'));
  outbox.clear();
  nextFrame();
  expect(sent).toEqual([[], []]);
});
