import { describe, expect, test } from 'vitest';
import { actsByItself, readCommandLine } from './command-line.ts';

const nothing = {
  data: null,
  id: null,
  host: null,
  port: null,
  name: null,
  seeds: [],
  invite: null,
  startGroup: false,
  link: null,
  problems: [],
};

describe('readCommandLine', () => {
  test.each([
    ['no words', [], nothing],
    ['what Chromium and Playwright add', ['--inspect=0', '--no-sandbox', '.'], nothing],
    [
      'a joiner',
      ['--data', '/d', '--id', '2', '--host', '127.0.0.1', '--port=6002', '--seed', '1:h:6001'],
      { ...nothing, data: '/d', id: 2, host: '127.0.0.1', port: 6002, seeds: ['1:h:6001'] },
    ],
    [
      'several seeds and a name',
      ['--seed', 'a:1', '--seed', 'b:2', '--name', 'Ada Lovelace'],
      { ...nothing, seeds: ['a:1', 'b:2'], name: 'Ada Lovelace' },
    ],
    ['a group of its own', ['--start-group'], { ...nothing, startGroup: true }],
    ['a link', ['LOCKSTEP://join/abc'], { ...nothing, link: 'LOCKSTEP://join/abc' }],
    [
      'numbers that are none',
      ['--id', '0', '--port', '70000'],
      {
        ...nothing,
        problems: [
          '--id takes a number from 1 to 2147483647, not “0”.',
          '--port takes a number from 0 to 65535, not “70000”.',
        ],
      },
    ],
    [
      'an option without its value',
      ['--name=', '--host'],
      { ...nothing, problems: ['--host needs a value.', '--name needs a value.'] },
    ],
  ])('%s', (_what, words, expected) => {
    expect(readCommandLine(words)).toEqual(expected);
  });
});

test.each([
  [['--start-group'], true],
  [['--seed', 'a:1'], true],
  [['--invite', 'lockstep://x'], true],
  [['lockstep://x'], false],
  [['--id', '3'], false],
])('%j acts by itself: %s', (words, expected) => {
  expect(actsByItself(readCommandLine(words))).toBe(expected);
});
