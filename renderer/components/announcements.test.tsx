/** What a screen reader is told of new messages, and what not. */
import { act, cleanup, screen } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import type { FinalEntry } from '../../shared/model.ts';
import { createFakeBridge } from '../testing/fake-bridge.ts';
import { renderApp } from '../testing/render-app.tsx';
import { leaderEntry, messageEntry, snapshot, status } from '../testing/samples.ts';

afterEach(cleanup);

const before = [messageEntry(1), messageEntry(2)];

/** What is said aloud at the next occasion: the text of every live region that is not the list itself. */
function said(): string {
  const regions = screen.getAllByRole('status');
  return regions
    .filter((region) => region.getAttribute('aria-live') === 'polite')
    .map((region) => region.textContent)
    .join();
}

function messages(from: number, to: number): FinalEntry[] {
  return Array.from({ length: to - from + 1 }, (_, i) => messageEntry(from + i));
}

test.each<[string, readonly FinalEntry[], string]>([
  ['one message', [messageEntry(3, { text: 'hello' })], 'Ben Okafor: hello'],
  [
    'a few, each by its author',
    [messageEntry(3, { text: 'hello' }), messageEntry(4, { author: 3, text: 'hi' })],
    'Ben Okafor: hello. Chiara: hi',
  ],
  [
    'a long one, which is cut',
    [messageEntry(3, { text: 'x'.repeat(301) })],
    `Ben Okafor: ${'x'.repeat(300)}`,
  ],
  ['more than a few, by their number', messages(3, 6), '4 new messages'],
  ['very many, as entries of any kind', messages(3, 33), '31 new entries'],
  ['own words, not at all', [messageEntry(3, { author: 1 })], ''],
  ['an election, not at all', [leaderEntry(3, 3, 5)], ''],
])('tells of %s', async (_what, news, words) => {
  const fake = createFakeBridge({
    snapshot: snapshot({ entries: before, status: status({ commit: 2 }) }),
  });
  renderApp(fake);
  const list = await screen.findByRole('log', { name: 'Conversation' });
  // Rows that come and go while scrolling are no news, nor is the conversation as it was found.
  expect([list.getAttribute('aria-live'), said()]).toEqual(['off', '']);
  act(() => fake.emit('entries-finalized', news));
  expect(said()).toBe(words);
});
