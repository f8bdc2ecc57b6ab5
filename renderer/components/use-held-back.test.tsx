/** What is shown at once, and what has to last first. */
import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useHeldBack } from './use-held-back.ts';

beforeEach(() => vi.useFakeTimers());

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

/** Negative numbers may pass; one that follows another is no news. */
function show(first: number) {
  return renderHook(
    ({ value }) => useHeldBack(value, (next, shown) => (next < 0 && shown >= 0 ? 300 : 0)),
    {
      initialProps: { value: first },
    },
  );
}

function pass(ms: number): void {
  act(() => void vi.advanceTimersByTime(ms));
}

test('the first value is shown, whatever it is', () => {
  expect(show(-1).result.current).toBe(-1);
});

test('what does not pass is shown at once', () => {
  const { result, rerender } = show(1);
  rerender({ value: 2 });
  expect(result.current).toBe(2);
});

test('what passes is never shown', () => {
  const { result, rerender } = show(1);
  rerender({ value: -1 });
  pass(299);
  expect(result.current).toBe(1);
  rerender({ value: 2 });
  expect(result.current).toBe(2);
  pass(1000);
  expect(result.current).toBe(2);
});

test('what lasts is shown, as it is by then, and then follows at once', () => {
  const { result, rerender } = show(1);
  rerender({ value: -1 });
  pass(200);
  rerender({ value: -2 });
  expect(result.current).toBe(1);
  pass(100);
  expect(result.current).toBe(-2);
  rerender({ value: -3 });
  expect(result.current).toBe(-3);
});

test('a new moment has its own patience', () => {
  const { result, rerender } = show(1);
  for (const value of [-1, 2, -1]) {
    rerender({ value });
    pass(200);
  }
  expect(result.current).toBe(2);
  pass(100);
  expect(result.current).toBe(-1);
});
