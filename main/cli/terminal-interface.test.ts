/** What a person sees: each message once, nothing that others could do to the screen, and commands. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FinalEntry, NodeStatus, WaitingMessage } from '../../shared/model.ts';
import { chain, epoch, idOf, messageOf } from '../../shared/protocol/testing/entries.ts';
import type { Entry } from '../../shared/protocol/types.ts';
import { encodeUtf8 } from '../../shared/protocol/utf8.ts';
import type { Peer } from '../peer/peer.ts';
import { finalEntryOf } from '../peer/views.ts';
import { TerminalInterface } from './terminal-interface.ts';

const status: NodeStatus = {
  id: 1,
  role: 'follower',
  established: true,
  synchronising: false,
  leader: 2,
  epoch: [4, 2],
  members: [1, 2],
  lists: [[1, 2]],
  commit: 20,
  hash: '',
  pending: 0,
  peers: [{ id: 2, connected: true, suspected: false, phi: 0.1, rttMs: 1.25, commit: 20 }],
  roster: [
    { id: 1, name: 'Ann', address: '', listed: true },
    { id: 2, name: 'Ben', address: '', listed: true },
  ],
  diverged: false,
  progress: null,
};

/** Twenty final messages of Ben. */
const stored: readonly FinalEntry[] = chain(
  epoch(4, 2),
  Array.from({ length: 20 }, (_, i) => messageOf(i + 1, 2)),
).map((entry) => finalEntryOf(entry, null));

let printed: string[];
let sent: string[];
let asked: [from: number, limit: number][];
let quits: number;
let isOpen: boolean;
let terminal: TerminalInterface;

/** Tells the terminal how the peer stands, with this part of it changed. */
function show(part: Partial<NodeStatus> = {}): void {
  terminal.show({ kind: 'status', status: { ...status, ...part } });
}

beforeEach(() => {
  printed = [];
  sent = [];
  asked = [];
  quits = 0;
  isOpen = true;
  const peer = {
    send: (text: string) => sent.push(text),
    status: () => status,
    history: (from: number, limit: number) => {
      asked.push([from, limit]);
      return Promise.resolve(stored.slice(from - 1, from - 1 + limit));
    },
    inviteLink: () => 'lockstep://join/x',
  } as unknown as Peer;
  terminal = new TerminalInterface((line) => printed.push(line), {
    peer: () => (isOpen ? peer : null),
    quit: () => {
      quits += 1;
    },
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function waiting(n: number): WaitingMessage {
  return { message: idOf(n), author: 2, text: `text ${n}`, sentAt: 0, n: null };
}

function final(n: number, text = `text ${n}`): Entry[] {
  return chain(epoch(4, 2), [{ ...messageOf(n, 2), body: encodeUtf8(text) }]);
}

describe('a message', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  test('that is final soon appears once', () => {
    terminal.show({ kind: 'accepted', message: waiting(1), ref: null });
    terminal.show({ kind: 'provisional', message: waiting(1) });
    vi.advanceTimersByTime(249);
    terminal.showFinal(final(1));
    vi.advanceTimersByTime(10_000);
    expect(printed).toEqual(['#1 peer_2: text 1']);
  });

  test('that is not is marked once, and appears again with its number', () => {
    terminal.show({ kind: 'accepted', message: waiting(1), ref: null });
    vi.advanceTimersByTime(250);
    terminal.show({ kind: 'provisional', message: waiting(1) });
    vi.advanceTimersByTime(10_000);
    terminal.showFinal(final(1));
    expect(printed).toEqual(['#… peer_2: text 1 (not final yet)', '#1 peer_2: text 1']);
  });

  test.each([
    ['two\nlines\r\nor three', 'two\n    lines\n    or three'],
    ['a\tb', 'a\tb'],
    ['\u001b[2Jgone', '\ufffd[2Jgone'],
    ['over\rwritten', 'over\ufffdwritten'],
    ['bell\u0007 \u009b31m', 'bell\ufffd \ufffd31m'],
    ['\u202eright to left\u2066\u2069', '\ufffdright to left\ufffd\ufffd'],
    ['a\u2028b\u2029c', 'a\ufffdb\ufffdc'],
    ['日本 👍 ä', '日本 👍 ä'],
  ])('of %j does nothing to the screen, waiting or final', (text, shown) => {
    terminal.show({ kind: 'accepted', message: { ...waiting(1), text }, ref: null });
    vi.advanceTimersByTime(250);
    terminal.showFinal(final(1, text));
    expect(printed).toEqual([`#… peer_2: ${shown} (not final yet)`, `#1 peer_2: ${shown}`]);
  });
});

test('names and the words of errors do nothing to the screen either', () => {
  const roster = [{ id: 2, name: '\u001bBen', address: '', listed: true }];
  show({ roster });
  terminal.showFinal(final(1));
  terminal.showError({ code: 'UNREACHABLE', message: 'no \u001banswer', fatal: false });
  terminal.takeLine('/\u001bx');
  expect(printed).toEqual([
    '-- \ufffdBen leads',
    '#1 \ufffdBen: text 1',
    '!! no \ufffdanswer [UNREACHABLE]',
    '!! /\ufffdx is no command; /help lists them [BAD_COMMAND]',
  ]);
});

test('who leads is said when it changes, and not before this peer is in the group', () => {
  show({ role: 'joining', leader: null });
  show();
  show({ commit: 21 });
  show({ established: false });
  show({ leader: null });
  expect(printed).toEqual(['-- Ben leads', '-- Ben leads without a quorum', '-- nobody leads']);
});

test('who comes to a full group is told so once, and who leads when it is let in', () => {
  const members = Array.from({ length: 128 }, (_, i) => i + 1);
  show({ role: 'joining', members, progress: { at: 5_000, target: 90_000 } });
  show({ role: 'joining', members, established: false });
  expect(printed).toEqual([]);
  show({ role: 'joining', members });
  show({ role: 'joining', members, commit: 21 });
  show({ members });
  expect(printed).toEqual([
    '-- the group is full (128 members): messages are sent when somebody leaves',
    '-- Ben leads',
  ]);
});

describe('a line', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['hello', ['hello'], []],
    ['  ', [], []],
    ['/invite', [], ['lockstep://join/x']],
    ['/peers ', [], ['-- Ben (2): connected, 1.3 ms, phi 0.1, has 20']],
    ['/quip', [], ['!! /quip is no command; /help lists them [BAD_COMMAND]']],
    ['/history 0', [], ['!! /history takes a whole number from 1 [BAD_COMMAND]']],
    ['/history 1.5', [], ['!! /history takes a whole number from 1 [BAD_COMMAND]']],
  ])('of %j sends %j and prints %j', (line, sends, prints) => {
    show();
    printed.length = 0;
    terminal.takeLine(line);
    expect([sent, printed, quits]).toEqual([sends, prints, 0]);
  });

  test('of /status tells who leads, whether there is a quorum, and who is in', () => {
    show();
    printed.length = 0;
    terminal.takeLine('/status');
    expect(printed).toEqual([
      '-- peer 1, follower; Ben (2) leads; epoch 4; a quorum is up',
      '-- final up to 20, 0 waiting; members: Ann (1), Ben (2)',
    ]);
  });

  test('of /help names every command, and /quit ends', () => {
    terminal.takeLine('/help');
    for (const name of ['status', 'peers', 'history', 'invite', 'help', 'quit'])
      expect(printed.join()).toContain(`/${name}`);
    terminal.takeLine('/quit');
    expect(quits).toBe(1);
  });

  test.each([
    ['/history', [11, 10]],
    ['/history 3', [18, 3]],
    ['/history 400', [1, 400]],
    ['/history 99999', [1, 10_000]],
  ])('of %j asks for the last entries', async (line, range) => {
    terminal.takeLine(line);
    const count = Math.min(20, range[1] ?? 0);
    await vi.waitFor(() => expect(printed).toHaveLength(count));
    expect([asked, printed.at(-1)]).toEqual([[range], '#20 peer_2: text 20']);
  });

  test('that comes before there is a peer goes nowhere', () => {
    isOpen = false;
    terminal.takeLine('hello');
    terminal.takeLine('/quit');
    expect([sent, printed, quits]).toEqual([[], [], 0]);
  });
});

test('the conversation so far is shown at the start, once there is a peer to ask', async () => {
  isOpen = false;
  const ready = { kind: 'ready', id: 1, host: 'h', port: 6001, group: '', invite: '' } as const;
  terminal.show({ ...ready, commit: 0 });
  terminal.show({ ...ready, commit: 20 });
  isOpen = true;
  await vi.waitFor(() => expect(printed).toHaveLength(12));
  expect(printed.slice(0, 3)).toEqual([
    '-- peer 1 listens at h:6001; /help for help',
    '-- peer 1 listens at h:6001; /help for help',
    '#11 peer_2: text 11',
  ]);
});
