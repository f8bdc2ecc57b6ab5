import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLogFile } from './log-file.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-log-'));
});

afterEach(() => rmSync(root, { recursive: true }));

test.each([
  ['debug', ['a', 'b']],
  ['info', ['b']],
  ['loud', ['log-level-unknown', 'b']],
])('the level %s lets through %j', (level, events) => {
  const { log, file } = openLogFile(root, level);
  log.debug('a');
  log.info('b');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(events);
});
