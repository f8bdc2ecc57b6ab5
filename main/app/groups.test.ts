import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  type writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../log.ts';
import { openGroups, type GroupRecord } from './groups.ts';

/** A disk that is nearly full takes a part of a write, and says so by its count only. */
vi.mock(import('node:fs'), async (original) => {
  const fs = await original();
  const half = (file: number, text: string): number =>
    fs.writeSync(file, text.slice(0, Math.floor(text.length / 2)));
  return { ...fs, writeSync: half as typeof writeSync };
});

const log = createLogger({ level: 'silent' });

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-groups-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function record(data: string, openedAt: number): GroupRecord {
  const listens = { host: '0.0.0.0', port: 6001 };
  return { group: 'aa', id: 1, name: 'Ada', data, openedAt, ...listens, diverged: false };
}

test('what was saved is there after a restart, the group opened last first', () => {
  const groups = openGroups(root, log);
  groups.rememberGroup(record('/old', 1));
  groups.rememberGroup(record('/new', 2));
  groups.saveSettings({ theme: 'dark', statusPanel: false });
  groups.saveDraft('/new', 'unfinished');
  groups.savePlace({ x: 1, y: 2, width: 800, height: 600, maximized: false });
  groups.flush();

  const again = openGroups(root, log);
  expect(again.groups().map((group) => group.data)).toEqual(['/new', '/old']);
  expect(again.settings()).toEqual({ theme: 'dark', statusPanel: false });
  expect(again.draft('/new')).toBe('unfinished');
  expect(again.draft('/old')).toBe('');
  expect(again.place()).toEqual({ x: 1, y: 2, width: 800, height: 600, maximized: false });
});

test('a group opened again stays one group', () => {
  const groups = openGroups(root, log);
  groups.rememberGroup(record('/a', 1));
  groups.rememberGroup({ ...record('/a', 3), port: 6005 });
  expect(groups.groups()).toEqual([{ ...record('/a', 3), port: 6005 }]);
});

test('a group that has stopped is known as such, also when an older file does not say so', () => {
  const groups = openGroups(root, log);
  groups.rememberGroup(record('/a', 1));
  groups.rememberGroup(record('/b', 2));
  groups.noteDiverged('/a');
  const again = openGroups(root, log);
  expect(again.groups().map(({ diverged }) => diverged)).toEqual([false, true]);
  const path = join(root, 'lockstep.json');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/,\s*"diverged": \w+/g, ''));
  expect(openGroups(root, log).groups()).toEqual([record('/b', 2), record('/a', 1)]);
});

test('an emptied draft leaves nothing behind', () => {
  const groups = openGroups(root, log);
  groups.saveDraft('/a', 'some words');
  groups.saveDraft('/a', '');
  groups.flush();
  expect(readFileSync(join(root, 'lockstep.json'), 'utf8')).not.toContain('/a');
});

test.each(['not JSON', '{"version":99}', '{"version":1,"groups":[{}]}'])(
  'a file that says %s is set aside, not a reason not to start',
  (text) => {
    writeFileSync(join(root, 'lockstep.json'), text);
    expect(openGroups(root, log).groups()).toEqual([]);
    expect(readFileSync(join(root, 'lockstep.json.damaged'), 'utf8')).toBe(text);
  },
);

test('closing is explained once', () => {
  const groups = openGroups(root, log);
  expect(groups.closingExplained()).toBe(false);
  groups.noteClosingExplained();
  expect(groups.closingExplained()).toBe(true);
  groups.flush();
  expect(openGroups(root, log).closingExplained()).toBe(true);
  expect(readdirSync(root)).toEqual(['lockstep.json']);
});

test.runIf(process.platform === 'linux')('a disk that is full leaves the file as it was', () => {
  const groups = openGroups(root, log);
  groups.rememberGroup(record('/a', 1));
  symlinkSync('/dev/full', join(root, 'lockstep.json.new'));
  groups.rememberGroup(record('/b', 2));

  expect(openGroups(root, log).groups()).toEqual([record('/a', 1)]);
  expect(readdirSync(root)).toEqual(['lockstep.json']);
});
