/** The store on the fake bridge: the race between snapshot and events, pages, drafts, marks. */
import { expect, test, vi } from 'vitest';
import type { Snapshot } from '../../shared/ipc/contract.ts';
import { createFakeBridge } from '../testing/fake-bridge.ts';
import type { FakeBridge } from '../testing/fake-bridge.ts';
import {
  messageEntry,
  openPhase,
  snapshot,
  startView,
  status,
  waitingMessage,
} from '../testing/samples.ts';
import { createChatStore } from './chat-store.ts';
import { entryAt } from './conversation.ts';

function storage() {
  const marks = new Map<string, string>();
  return {
    marks,
    getItem: (key: string) => marks.get(key) ?? null,
    setItem: (key: string, value: string) => void marks.set(key, value),
  };
}

function openFake(last: number): FakeBridge {
  const entries = [messageEntry(last)];
  return createFakeBridge({
    snapshot: snapshot({ entries, status: status({ commit: last }) }),
    entry: (seq) => messageEntry(seq),
  });
}

/** Lets every promise that is already settled run its callbacks. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

function asked(fake: FakeBridge, name: string): readonly unknown[] {
  return fake.requests.filter((request) => request.name === name).map((request) => request.args);
}

test('what happens while the snapshot is on its way is not lost', async () => {
  const fake = openFake(1);
  const chat = createChatStore(fake.bridge, null);
  fake.emit('entries-finalized', [messageEntry(2)]);
  fake.emit('message-accepted', waitingMessage('mine'));
  expect(chat.store.getState().phase.kind).toBe('loading');
  await settle();
  const { conversation, phase } = chat.store.getState();
  expect({
    phase: phase.kind,
    last: conversation.last,
    waiting: conversation.waiting.length,
  }).toEqual({ phase: 'open', last: 2, waiting: 1 });
});

test('opening a group asks for its snapshot', async () => {
  const start = { kind: 'start', start: startView(), error: null } as const;
  const fake = createFakeBridge({ snapshot: snapshot({ phase: start, status: null }) });
  const chat = createChatStore(fake.bridge, null);
  await settle();
  fake.answers.snapshot = snapshot({ entries: [messageEntry(1)], status: status({ commit: 1 }) });
  fake.emit('phase-changed', openPhase());
  await settle();
  expect(chat.store.getState()).toMatchObject({
    phase: { kind: 'open' },
    conversation: { last: 1 },
  });
  expect(asked(fake, 'get-snapshot')).toHaveLength(2);
});

test('another invite of the open group comes without another snapshot', async () => {
  const fake = openFake(1);
  const chat = createChatStore(fake.bridge, null);
  await settle();
  fake.emit('phase-changed', { ...openPhase(), invite: 'lockstep://join?new' });
  await settle();
  expect(chat.store.getState().phase).toMatchObject({ invite: 'lockstep://join?new' });
  expect(asked(fake, 'get-snapshot')).toHaveLength(1);
});

test('a main process that does not answer is said so, and can be asked again', async () => {
  const fake = openFake(1);
  const failing = vi.fn(() => Promise.reject(new Error('gone')));
  const bridge = { ...fake.bridge, getSnapshot: failing };
  const chat = createChatStore(bridge, null);
  await settle();
  expect(chat.store.getState().phase).toEqual({
    kind: 'unreachable',
    message: 'The app did not answer: gone.',
  });
  chat.actions.retry();
  await settle();
  expect(failing).toHaveBeenCalledTimes(2);
});

test('pages are asked for once, by what is missing near the reader', async () => {
  const fake = openFake(1000);
  const chat = createChatStore(fake.bridge, null);
  await settle();
  chat.actions.showRange(740, 860);
  chat.actions.showRange(741, 861);
  await settle();
  chat.actions.showRange(742, 862);
  expect(asked(fake, 'load-entries')).toEqual([
    { from: 701, limit: 100 },
    { from: 801, limit: 100 },
  ]);
  const { conversation } = chat.store.getState();
  expect(entryAt(conversation, 701)).toEqual(messageEntry(701));
  expect(entryAt(conversation, 900)).toEqual(messageEntry(900));
});

test('a page of a group that was left meanwhile is thrown away', async () => {
  const fake = openFake(1000);
  const chat = createChatStore(fake.bridge, null);
  await settle();
  chat.actions.showRange(1, 100);
  fake.emit('phase-changed', { kind: 'start', start: startView(), error: null });
  await settle();
  expect(chat.store.getState().conversation.last).toBe(0);
});

test('the draft is saved after a moment, and at once when it is emptied or the window goes', async () => {
  vi.useFakeTimers();
  const fake = openFake(1);
  const chat = createChatStore(fake.bridge, null);
  chat.actions.saveDraft('a');
  chat.actions.saveDraft('ab');
  expect(asked(fake, 'save-draft')).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(asked(fake, 'save-draft')).toEqual([{ text: 'ab' }]);
  chat.actions.saveDraft('abc');
  chat.actions.saveDraft('');
  expect(asked(fake, 'save-draft')).toEqual([{ text: 'ab' }, { text: '' }]);
  chat.actions.saveDraft('last words');
  chat.close();
  vi.useRealTimers();
  expect(asked(fake, 'save-draft')).toContainEqual({ text: 'last words' });
});

test('how far somebody has read outlives the window', async () => {
  const kept = storage();
  const first = createChatStore(openFake(5).bridge, kept);
  await settle();
  first.actions.setLooking(true);
  expect([...kept.marks.values()]).toEqual(['5']);
  first.close();
  const fake = createFakeBridge({
    snapshot: snapshot({
      entries: [5, 6, 7].map((seq) => messageEntry(seq)),
      status: status({ commit: 7 }),
    }),
  });
  const second = createChatStore(fake.bridge, kept);
  await settle();
  expect(second.store.getState().attention.freshFrom).toBe(6);
});

test('a closed store hears nothing any more', async () => {
  const fake = openFake(1);
  const chat = createChatStore(fake.bridge, null);
  await settle();
  expect(fake.listening()).toBeGreaterThan(0);
  fake.answers.snapshot = snapshot({ entries: [messageEntry(2)], status: status({ commit: 2 }) });
  chat.actions.retry();
  chat.close();
  expect(fake.listening()).toBe(0);
  fake.emit('entries-finalized', [messageEntry(2)]);
  await settle();
  expect(chat.store.getState().conversation.last).toBe(1);
});

test('a page that is hidden for good hands over what was typed last', () => {
  const fake = openFake(1);
  const chat = createChatStore(fake.bridge, null);
  chat.actions.saveDraft('last words');
  window.dispatchEvent(new Event('pagehide'));
  expect(asked(fake, 'save-draft')).toEqual([{ text: 'last words' }]);
  // Nobody listens for the end of a page once its store is closed.
  chat.close();
  chat.actions.saveDraft('more');
  window.dispatchEvent(new Event('pagehide'));
  expect(asked(fake, 'save-draft')).toHaveLength(1);
});

test.each([
  ['after', [1, 0]],
  ['before', [0, 1]],
])(
  'a snapshot that was asked for again does not count, come it %s the newer one',
  async (_when, order) => {
    const fake = openFake(1);
    const answers: ((given: Snapshot) => void)[] = [];
    const getSnapshot = () => new Promise<Snapshot>((resolve) => answers.push(resolve));
    const chat = createChatStore({ ...fake.bridge, getSnapshot }, null);
    chat.actions.retry();
    const shown: string[] = [];
    chat.store.subscribe(({ draft }) => shown.push(draft));
    for (const which of order) {
      answers[which]?.(snapshot({ draft: which === 0 ? 'old' : 'new' }));
      await settle();
    }
    expect(shown).toEqual(['new']);
  },
);
