/** The options of the tools: what is wrong with one is said in a line that names it, and ends the tool. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { oneOf, positiveNumber, readOptions, wholeNumber } from './options.mjs';

let said = '';

beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`ended with ${String(code)}`);
  });
});

afterEach(() => vi.restoreAllMocks());

test('what is right is taken', () => {
  const options = { runs: { type: 'string', default: '3' } } as const;
  expect(readOptions({ args: ['--runs=5'], options }).values).toEqual({ runs: '5' });
  expect(wholeNumber('runs', '5')).toBe(5);
  expect(wholeNumber('seed', '0', { min: 0 })).toBe(0);
  expect(positiveNumber('minutes', '0.5')).toBe(0.5);
  expect(oneOf('only', 'load', ['load', 'latency'])).toBe('load');
});

test.each<[string, () => unknown]>([
  ['--nonsense', () => readOptions({ args: ['--nonsense'], options: {} })],
  ['--runs', () => wholeNumber('runs', 'abc')],
  ['--runs', () => wholeNumber('runs', '0')],
  ['--runs', () => wholeNumber('runs', '1e3')],
  ['--peers', () => wholeNumber('peers', '10', { max: 9 })],
  ['--minutes', () => positiveNumber('minutes', '0')],
  ['--minutes', () => positiveNumber('minutes', '-1')],
  ['--minutes', () => positiveNumber('minutes', '')],
  ['load, latency', () => oneOf('only', 'laod', ['load', 'latency'])],
])('what is wrong with %s is said', (named, read) => {
  expect(read).toThrow('ended with 2');
  expect(said).toContain(named);
});
