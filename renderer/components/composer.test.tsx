/** What is typed is never lost, sent too early, or put in the wrong place. */
import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test } from 'vitest';
import type { Snapshot } from '../../shared/ipc/contract.ts';
import type { SendOutcome } from '../../shared/model.ts';
import { err } from '../../shared/result.ts';
import { createFakeBridge } from '../testing/fake-bridge.ts';
import { renderApp } from '../testing/render-app.tsx';
import { messageEntry, openPhase, snapshot, startView, status } from '../testing/samples.ts';

afterEach(cleanup);

const conversation = snapshot({ entries: [messageEntry(1)], status: status({ commit: 1 }) });

function field(): Promise<HTMLTextAreaElement> {
  return screen.findByRole('textbox', { name: 'Message' });
}

test('Enter chooses a candidate while an input method composes, and sends afterwards', async () => {
  const fake = createFakeBridge({ snapshot: conversation });
  renderApp(fake);
  const composer = await field();
  const sent = (): readonly unknown[] =>
    fake.requests.filter(({ name }) => name === 'send-message').map(({ args }) => args);
  await userEvent.type(composer, '日本');
  fireEvent.keyDown(composer, { key: 'Enter', isComposing: true });
  expect([sent(), composer.value]).toEqual([[], '日本']);
  fireEvent.keyDown(composer, { key: 'Enter' });
  expect([sent(), composer.value]).toEqual([[{ text: '日本' }], '']);
});

test('refused texts return in the order of their writing, above what was typed since', async () => {
  const refusals: (() => void)[] = [];
  const fake = createFakeBridge({ snapshot: conversation });
  const error = { code: 'NOT_READY', message: 'It was not sent.', fatal: false } as const;
  const sendMessage = () =>
    new Promise<Extract<SendOutcome, { ok: false }>>((resolve) => {
      refusals.push(() => resolve(err(error)));
    });
  renderApp({ ...fake, bridge: { ...fake.bridge, sendMessage } });
  const composer = await field();
  await userEvent.type(composer, 'one{Enter}two{Enter}three');
  for (const refuse of refusals) await act(async () => refuse());
  expect(composer.value).toBe('one\ntwo\nthree');
});

test('a draft that comes after the first key does not undo what was typed', async () => {
  const start = { kind: 'start', start: startView(), error: null } as const;
  const fake = createFakeBridge({ snapshot: snapshot({ phase: start, status: null }) });
  let arrive: (late: Snapshot) => void = () => undefined;
  let asked = 0;
  const getSnapshot: typeof fake.bridge.getSnapshot = (args) => {
    asked += 1;
    if (asked === 1) return fake.bridge.getSnapshot(args);
    return new Promise((resolve) => {
      arrive = resolve;
    });
  };
  renderApp({ ...fake, bridge: { ...fake.bridge, getSnapshot } });
  await screen.findByRole('tab', { name: 'Join a group' });
  act(() => fake.emit('phase-changed', openPhase()));
  const composer = await field();
  await userEvent.type(composer, 'new words');
  await act(async () => arrive({ ...conversation, draft: 'old words' }));
  expect(composer.value).toBe('new words');
});
