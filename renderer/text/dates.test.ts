/** Days and times in words; local time, whatever zone the tests run in. */
import { expect, test } from 'vitest';
import { dayOf, formatDay, untilTomorrow } from './dates.ts';

const now = new Date(2026, 10, 23, 9, 30).getTime();

test.each([
  [new Date(2026, 10, 23, 0, 0), 'Today'],
  [new Date(2026, 10, 22, 23, 59), 'Yesterday'],
  [new Date(2026, 10, 21, 12, 0), 'Saturday 21 November 2026'],
  [new Date(2025, 10, 23, 12, 0), 'Sunday 23 November 2025'],
])('%s', (at, words) => {
  expect(formatDay(at.getTime(), now, 'en-GB').replace(',', '')).toBe(words);
});

test('days begin at local midnight', () => {
  expect(dayOf(now)).toBe(new Date(2026, 10, 23).getTime());
  expect(now + untilTomorrow(now)).toBe(new Date(2026, 10, 24).getTime());
});
