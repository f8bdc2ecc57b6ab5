/** What a command line leads to, on a machine that knows a group and on one that knows none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FatalCode } from '../../shared/model.ts';
import { err, ok } from '../../shared/result.ts';
import { createLogger } from '../log.ts';
import type { PeerOptions } from '../peer/peer.ts';
import { readCommandLine } from './command-line.ts';
import { prefillFrom, takeFirstStep } from './first-step.ts';
import { openGroups, type Groups } from './groups.ts';
import { type Peer, Session } from './session.ts';

const log = createLogger({ level: 'silent' });
const link = 'lockstep://join/x';
const ada = { id: 7, name: 'Ada', host: '127.0.0.1', port: 0 };

let root: string;
let groups: Groups;
/** What nodes were opened with. */
let opened: PeerOptions[];
let refusal: FatalCode | null;
let session: Session;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-first-step-'));
  groups = openGroups(root, log);
  opened = [];
  refusal = null;
});

afterEach(async () => {
  await session.leave();
  groups.flush();
  rmSync(root, { recursive: true });
});

/** A node that has no group yet, and is told to end. */
const peer: Peer = {
  sendMessage: () => Promise.reject(new Error('nobody writes here')),
  status: () => {
    throw new Error('nobody asks how it is');
  },
  history: () => Promise.resolve([]),
  waiting: () => [],
  inviteLink: () => null,
  leave: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Makes this machine know groups, each in a folder of this name. */
function know(...known: { readonly id: number; readonly data: string; readonly at: number }[]) {
  for (const { id, data, at } of known) {
    const group = data.repeat(16);
    groups.rememberGroup({ ...ada, id, group, data, openedAt: at, diverged: false });
  }
}

async function start(...words: string[]): Promise<void> {
  const line = readCommandLine(words);
  session = new Session({
    openPeer: (options) => {
      opened.push(options);
      return Promise.resolve(
        refusal === null ? ok(peer) : err({ code: refusal, message: 'words', fatal: true }),
      );
    },
    groups,
    log,
    version: '0.0.0',
    prefill: prefillFrom(line),
    send: () => undefined,
  });
  await takeFirstStep(session, groups, line);
}

const asItWas = { ...ada, port: expect.any(Number), seeds: [], invite: null };

test.each<[string, object]>([
  ['', asItWas],
  ['--name Zoe', { ...asItWas, name: 'Zoe' }],
  ['--host localhost', { ...asItWas, host: 'localhost' }],
  ['--port 6011', { ...asItWas, port: 6011 }],
  ['--id 7', asItWas],
  ['--seed h:1 --seed 2:i:2', { ...asItWas, seeds: ['h:1', '2:i:2'] }],
  ['--start-group', asItWas],
  [`--invite ${link}`, asItWas],
  ['--id 7 --start-group --name Zoe', { ...asItWas, name: 'Zoe' }],
])('the group that was open last opens with “%s”', async (words, options) => {
  know({ id: 5, data: 'bb', at: 1 }, { id: 7, data: 'aa', at: 2 });
  await start(...words.split(' '));
  expect(opened).toMatchObject([{ ...options, data: 'aa' }]);
});

test.each<[string, object]>([
  ['--start-group', { invite: null, seeds: [] }],
  ['--start-group --seed h:1', { invite: null, seeds: [] }],
  [`--invite ${link}`, { invite: link, seeds: [] }],
  ['--seed h:1', { invite: null, seeds: ['h:1'] }],
])('another id makes another member in a folder of its own with “%s”', async (words, options) => {
  know({ id: 7, data: 'aa', at: 1 });
  await start('--id', '8', ...words.split(' '));
  expect(opened).toMatchObject([{ ...options, id: 8, name: 'Ada' }]);
  expect(opened[0]?.data).toMatch(root);
});

test.each<[string, readonly string[], readonly number[], object]>([
  ['nothing, where no group is known', [], [], { error: null }],
  ['another id', ['--id', '8'], [7], { error: null, start: { proposed: { id: 8 } } }],
  ['a link', [link], [7], { error: null, start: { invite: link } }],
  [
    'a bad option',
    ['--port', 'many', '--start-group'],
    [7],
    { error: { field: null, code: 'BAD_OPTION', message: expect.stringMatching(/^--port takes/) } },
  ],
])('%s leads to the first card', async (_what, words, known, phase) => {
  know(...known.map((id) => ({ id, data: 'aa', at: 1 })));
  await start(...words);
  expect(opened).toEqual([]);
  expect(session.phase()).toMatchObject({ kind: 'start', ...phase });
});

test('a group that does not open leads to the first card with the reason', async () => {
  know({ id: 7, data: 'aa', at: 1 });
  refusal = 'PORT_IN_USE';
  await start();
  expect(session.phase()).toMatchObject({ kind: 'start', error: { code: 'PORT_IN_USE' } });
});

test('whoever has begun to join meanwhile is not disturbed', async () => {
  const first = start('--start-group');
  await session.joinGroup({ ...ada, seed: 'h:1', invite: '', key: '' });
  await first;
  expect(opened).toMatchObject([{ seeds: ['h:1'] }]);
  expect(session.phase()).toMatchObject({ kind: 'joining', target: 'h:1' });
});
