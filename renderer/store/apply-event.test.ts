/** The reducer: what each event changes, and what it leaves alone. */
import { describe, expect, test } from 'vitest';
import {
  SAMPLE_NOW,
  messageEntry,
  openPhase,
  snapshot,
  startView,
  status,
  waitingMessage,
} from '../testing/samples.ts';
import { INITIAL_STATE, applyEvent } from './apply-event.ts';
import type { ChatEvent, ChatState } from './apply-event.ts';
import { rowAt, rowCount } from './selectors.ts';

/** Entries 1 … 60 of the samples were written before it. */
const OPENED_AT = SAMPLE_NOW + 60_500;

function after(...events: readonly ChatEvent[]): ChatState {
  return events.reduce(applyEvent, INITIAL_STATE);
}

function opened(last: number, seen: number | null = null): ChatEvent {
  const entries = Array.from({ length: last }, (_, i) => messageEntry(i + 1));
  return {
    kind: 'snapshot-loaded',
    seen,
    at: OPENED_AT,
    snapshot: snapshot({ entries, status: status({ commit: last }), draft: 'half a' }),
  };
}

function final(seq: number, part: Parameters<typeof messageEntry>[1] = {}): ChatEvent {
  return { kind: 'entries-finalized', payload: [messageEntry(seq, part)] };
}

const lookAt: ChatEvent = { kind: 'attention-changed', looking: true };
const lookAway: ChatEvent = { kind: 'attention-changed', looking: false };

function texts(state: ChatState): readonly string[] {
  return Array.from({ length: rowCount(state.conversation) }, (_, i) => {
    const row = rowAt(state.conversation, i + 1);
    return row.kind === 'message' ? `${row.state} ${row.text}` : row.kind;
  });
}

test('a snapshot fills everything and replaces what was there', () => {
  const state = after(final(7), opened(2));
  expect(state).toMatchObject({
    phase: openPhase(),
    status: { commit: 2 },
    draft: 'half a',
    conversation: { last: 2 },
    attention: { seen: 2, unseen: 0, freshFrom: null },
  });
});

test('an own message is pending, then provisional, then final, and stands once', () => {
  const mine = waitingMessage('hello', { message: 'id' });
  const accepted = after(opened(1), { kind: 'message-accepted', payload: mine });
  expect(texts(accepted)).toEqual(['final message 1', 'pending hello']);
  const ordered = applyEvent(accepted, { kind: 'message-ordered', payload: { ...mine, n: 1 } });
  expect(texts(ordered)).toEqual(['final message 1', 'provisional hello']);
  const done = applyEvent(ordered, final(2, { message: 'id', author: 1, text: 'hello' }));
  expect(texts(done)).toEqual(['final message 1', 'final hello']);
});

test('events that the snapshot already holds change nothing', () => {
  const mine = waitingMessage('m', { message: 'm2', author: 2 });
  const state = after(opened(2), { kind: 'message-accepted', payload: mine }, final(2));
  expect(texts(state)).toEqual(['final message 1', 'final message 2']);
  expect(state.attention.unseen).toBe(0);
});

test('older entries loaded while scrolling take their places', () => {
  const tail: ChatEvent = {
    kind: 'snapshot-loaded',
    seen: null,
    at: OPENED_AT,
    snapshot: snapshot({ entries: [messageEntry(3)], status: status({ commit: 3 }) }),
  };
  expect(texts(after(tail))).toEqual(['gap', 'gap', 'final message 3']);
  const loaded = after(tail, {
    kind: 'entries-loaded',
    entries: [messageEntry(1), messageEntry(2)],
  });
  expect(texts(loaded)).toEqual(['final message 1', 'final message 2', 'final message 3']);
});

describe('new since you looked', () => {
  const cases: readonly (readonly [
    what: string,
    events: readonly ChatEvent[],
    expected: { readonly freshFrom: number | null; readonly unseen: number },
  ])[] = [
    ['nothing while looking', [lookAt, final(3)], { freshFrom: null, unseen: 0 }],
    ['from the first one', [final(3), final(4)], { freshFrom: 3, unseen: 2 }],
    ['own messages are no news', [final(3, { author: 1 }), final(4)], { freshFrom: 4, unseen: 1 }],
    ['looking clears the count alone', [final(3), lookAt], { freshFrom: 3, unseen: 0 }],
    [
      'the divider stays while scrolling back to it',
      [final(3), lookAt, lookAway],
      { freshFrom: 3, unseen: 0 },
    ],
    [
      'later news take the divider',
      [final(3), lookAt, lookAway, final(4)],
      { freshFrom: 4, unseen: 1 },
    ],
    [
      'writing takes it away',
      [final(3), lookAt, { kind: 'message-accepted', payload: waitingMessage('x') }],
      { freshFrom: null, unseen: 0 },
    ],
    [
      'a provisional message of somebody else counts once',
      [
        {
          kind: 'message-ordered',
          payload: waitingMessage('y', { author: 2, message: 'y', n: 1 }),
        },
        final(3, { message: 'y' }),
      ],
      { freshFrom: 3, unseen: 1 },
    ],
  ];
  test.each(cases)('%s', (_, events, expected) => {
    expect(after(opened(2), ...events).attention).toMatchObject(expected);
  });

  test('what came while the app was closed stands below the divider', () => {
    expect(after(opened(9, 6)).attention).toMatchObject({ freshFrom: 7, unseen: 0, seen: 6 });
    expect(after(opened(9, 6), lookAt).attention).toMatchObject({ freshFrom: 7, seen: 9 });
    expect(after(opened(9, 9)).attention).toMatchObject({ freshFrom: null });
    expect(after(opened(9, null)).attention).toMatchObject({ freshFrom: null });
  });

  test('the divider stands after what was seen, also where the snapshot does not reach', () => {
    const entries = Array.from({ length: 20 }, (_, i) => messageEntry(i + 41));
    const tail: ChatEvent = {
      kind: 'snapshot-loaded',
      seen: 6,
      at: OPENED_AT,
      snapshot: snapshot({ entries, status: status({ commit: 60 }) }),
    };
    expect(after(tail).attention).toMatchObject({ freshFrom: 7, seen: 6 });
  });

  test.each([
    ['before the first look', [opened(9, 9), final(10), final(11), lookAt], { seen: 11 }],
    ['while somebody looks', [opened(9, 9), lookAt, final(10), final(11)], { seen: 9 }],
    ['live ones behind them', [opened(9, 9), lookAt, final(10), final(61)], { seen: 9 }],
    [
      'until somebody turns to them',
      [opened(9, 9), lookAt, final(10), lookAway, lookAt],
      { seen: 10 },
    ],
    ['in two parts', [opened(9, 9), final(10), lookAt, lookAway, final(11)], { seen: 10 }],
  ] as const)('what was missed and comes late is below the divider: %s', (_, events, expected) => {
    expect(after(...events).attention).toMatchObject({ freshFrom: 10, ...expected });
  });

  test('behind what the snapshot held, the divider stays where it is', () => {
    expect(after(opened(9, 6), lookAt, final(10)).attention).toMatchObject({
      freshFrom: 7,
      seen: 9,
    });
  });

  test.each([
    ['own messages', [opened(9, 9), lookAt, final(10, { author: 1 })]],
    ['live ones', [opened(9, 9), lookAt, final(61)]],
    ['the history that a first join brings', [opened(9, null), lookAt, final(10)]],
    [
      'what was read while it waited',
      [
        opened(9, 9),
        lookAt,
        {
          kind: 'message-ordered',
          payload: waitingMessage('y', { author: 2, message: 'y', n: 1 }),
        },
        final(10, { message: 'y' }),
      ],
    ],
  ] as const)('was not missed: %s', (_, events) => {
    expect(after(...events).attention).toMatchObject({ freshFrom: null, flewPast: false });
  });
});

describe('phases', () => {
  const start = { kind: 'start', start: startView(), error: null } as const;

  test('leaving a group empties the window', () => {
    const state = after(opened(3), { kind: 'phase-changed', payload: start });
    expect(state).toMatchObject({
      phase: start,
      status: null,
      draft: '',
      conversation: { last: 0 },
    });
  });

  test('the same group again, or its end, keeps it', () => {
    const again = after(opened(3), { kind: 'phase-changed', payload: openPhase() });
    expect(again.conversation.last).toBe(3);
    const ended = after(opened(3), {
      kind: 'phase-changed',
      payload: { kind: 'ended', error: null },
    });
    expect(ended.conversation.last).toBe(3);
  });
});

test('the small events', () => {
  const error = { code: 'UNREACHABLE', message: 'no answer', fatal: false } as const;
  const settings = { theme: 'dark', statusPanel: false } as const;
  const state = after(
    opened(1),
    { kind: 'error-reported', payload: error },
    { kind: 'settings-chosen', settings },
    { kind: 'status-changed', payload: status({ pending: 4 }) },
    { kind: 'viewport-moved', seq: 1 },
  );
  expect(state).toMatchObject({ notice: error, settings, status: { pending: 4 } });
  expect(applyEvent(state, { kind: 'notice-dismissed' }).notice).toBeNull();
  expect(after({ kind: 'snapshot-failed', message: 'x' }).phase).toEqual({
    kind: 'unreachable',
    message: 'x',
  });
});

test('an event that the contract does not know is a bug', () => {
  expect(() => applyEvent(INITIAL_STATE, { kind: 'other' } as unknown as ChatEvent)).toThrow(
    /event/,
  );
});
