/** How a run ends and with what, when input waits, and that a slow reader gets everything in order. */
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NodeError, NodeEvent } from '../../shared/model.ts';
import { chain, epoch, idOf, messageOf } from '../../shared/protocol/testing/entries.ts';
import type { Entry } from '../../shared/protocol/types.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import { createLogger } from '../log.ts';
import type { Peer, PeerOptions } from '../peer/peer.ts';
import type { Input, InputHandlers } from './input.ts';
import { Output } from './output.ts';
import { Session } from './session.ts';
import type { UserInterface } from './user-interface.ts';

vi.mock(import('../peer/peer.ts'), () => ({
  openPeer: (options, onEvent) => peer.open(options, onEvent),
}));

/** A peer whose every word the test speaks. */
class FakePeer {
  refusal: NodeError | null = null;
  /** Resolves when it has opened. */
  opening: Promise<void> = Promise.resolve();
  tell: (event: NodeEvent) => void = () => undefined;
  onFinal: (entries: readonly Entry[]) => void = () => undefined;
  unaccepted = 0;
  stored: readonly Entry[] = [];
  left = 0;
  /** Resolves when it has left. */
  leaving: Promise<void> = Promise.resolve();
  abandoned = 0;

  async open(
    { onFinal }: PeerOptions,
    onEvent: (event: NodeEvent) => void,
  ): Promise<Result<Peer, NodeError>> {
    this.tell = onEvent;
    this.onFinal = onFinal ?? this.onFinal;
    await this.opening;
    return this.refusal === null ? ok(this as unknown as Peer) : err(this.refusal);
  }

  async leave(): Promise<void> {
    this.left += 1;
    await this.leaving;
    this.tell({ kind: 'closed' });
  }

  abandon(): Promise<void> {
    this.abandoned += 1;
    return Promise.resolve();
  }

  entries(from: number, limit: number): Promise<readonly Entry[]> {
    return Promise.resolve(this.stored.slice(from - 1, from - 1 + limit));
  }
}

/** Final messages; their ids end in their seqs. */
const conversation = chain(
  epoch(1, 1),
  Array.from({ length: 501 }, (_, i) => messageOf(i + 1, 1, i === 0 ? null : i)),
);

/** More than a reader may leave untaken. */
const much = 'x'.repeat(5 * 1024 * 1024);

function error(code: 'BAD_OPTION' | 'DISK' | 'UNREACHABLE', fatal = true): NodeError {
  return { code, message: 'words', fatal } as NodeError;
}

let peer: FakePeer;
let stream: PassThrough;
let output: Output;
let input: InputHandlers | null;
/** Whether input was paused or resumed, in order. */
let flow: string[];
/** What the interface was given, in order. */
let shown: string[];
let session: Session;

const shows: UserInterface = {
  show: ({ kind }) => shown.push(kind),
  showFinal: (entries) => shown.push(...entries.map(({ seq }) => `#${seq}`)),
  showError: ({ code }) => shown.push(code),
  takeLine: (line) => shown.push(`> ${line}`),
};

beforeEach(() => {
  peer = new FakePeer();
  stream = new PassThrough();
  output = new Output(stream, () => undefined);
  input = null;
  flow = [];
  shown = [];
  const source: Input = {
    start: (handlers) => {
      input = handlers;
    },
    pause: () => flow.push('pause'),
    resume: () => flow.push('resume'),
  };
  const options = {
    json: true,
    id: 1,
    host: null,
    port: null,
    seeds: [],
    invite: null,
    data: '',
    name: null,
    heartbeatMs: 250,
    evictAfterMs: 30_000,
    logLevel: 'silent',
    dial: new Map(),
  } as const;
  session = new Session({ options, output, input: source, log: createLogger({ level: 'silent' }) });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Runs until the peer is open; what it resolves with holds the exit code of the run. */
async function open(): Promise<{ readonly exit: Promise<number> }> {
  const exit = session.run(shows);
  await vi.waitFor(() => expect(session.peer()).not.toBeNull());
  return { exit };
}

function accept(seq: number): void {
  const message = { message: idOf(seq), author: 1, text: '', sentAt: 0, n: null };
  peer.tell({ kind: 'accepted', message, ref: null });
}

describe('the exit code', () => {
  test.each([
    ['BAD_OPTION', 2],
    ['DISK', 1],
  ] as const)('of a peer that does not open for %s is %i', async (code, exit) => {
    peer.refusal = error(code);
    expect(await session.run(shows)).toBe(exit);
    expect(shown).toEqual([code]);
  });

  test.each<[string, () => void, number]>([
    ['a fatal error', () => peer.tell({ kind: 'error', error: error('DISK') }), 1],
    ['a warning', () => peer.tell({ kind: 'error', error: error('UNREACHABLE', false) }), 0],
    ['nothing else', () => undefined, 0],
    ['its reader went', () => session.outputGone(true), 0],
    ['the disk of its reader was full', () => session.outputGone(false), 1],
  ])('after %s is as it should be', async (_what, happen, code) => {
    const { exit } = await open();
    happen();
    session.quit();
    expect(await exit).toBe(code);
    expect(peer.left).toBe(1);
  });
});

test('who quits while it opens leaves as soon as it is open, and reads nothing', async () => {
  let opened: () => void = () => undefined;
  peer.opening = new Promise((resolve) => {
    opened = resolve;
  });
  const exit = session.run(shows);
  session.quit();
  expect(peer.left).toBe(0);
  opened();
  expect(await exit).toBe(0);
  expect([peer.left, input]).toEqual([1, null]);
});

test('who is killed says no goodbye', async () => {
  await open();
  await session.abandon();
  expect([peer.abandoned, peer.left]).toEqual([1, 0]);
});

describe('the end of input', () => {
  test('waits until own messages are stored, final and shown', async () => {
    const { exit } = await open();
    const lefts: number[] = [];
    input?.line('hello');
    peer.unaccepted = 1;
    input?.end();
    // Whatever waits for nothing is through by the end of a turn.
    await turn();
    lefts.push(peer.left);
    peer.unaccepted = 0;
    accept(1);
    await turn();
    lefts.push(peer.left);
    output.line(much);
    peer.stored = conversation.slice(0, 1);
    peer.onFinal(peer.stored);
    await turn();
    lefts.push(peer.left);
    stream.resume();
    expect(await exit).toBe(0);
    expect([lefts, shown]).toEqual([
      [0, 0, 0],
      ['> hello', 'accepted', '#1'],
    ]);
  });

  test.each([
    ['stored', 0, 0],
    ['not even stored', 1, 1],
  ])('does not wait for ever for what is %s', async (_what, unaccepted, code) => {
    const { exit } = await open();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    accept(1);
    peer.unaccepted = unaccepted;
    input?.end();
    await vi.advanceTimersByTimeAsync(9_999);
    // Something moves: it waits anew.
    accept(2);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(peer.left).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.left).toBe(1);
    expect(await exit).toBe(code);
  });
});

describe('input', () => {
  test('waits while too much of it is not stored', async () => {
    await open();
    peer.unaccepted = 8_191;
    input?.line('a');
    expect(flow).toEqual([]);
    peer.unaccepted = 8_192;
    input?.line('b');
    input?.line('c');
    peer.unaccepted = 4_097;
    accept(1);
    expect(flow).toEqual(['pause']);
    peer.unaccepted = 4_096;
    accept(2);
    expect(flow).toEqual(['pause', 'resume']);
  });

  test('waits while too many answers wait for their reader', async () => {
    await open();
    for (let i = 0; i <= 1_000; i++) {
      output.longLine(async function* () {
        yield (bytes) => bytes.ascii('\n');
      });
    }
    input?.line('/history');
    expect(flow).toEqual(['pause']);
    await vi.waitFor(() => expect(flow).toEqual(['pause', 'resume']));
  });

  test('that cannot be read is complained about', async () => {
    await open();
    input?.unreadable('the line is too long');
    expect(shown).toEqual(['BAD_COMMAND']);
  });
});

/** Ends while a reader takes nothing, by a clock that stands still; the answer is whether the end has come. */
function quitUnread(exit: Promise<number>): () => boolean {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  let over = false;
  void exit.then(() => {
    over = true;
  });
  output.line(much);
  session.quit();
  return () => over;
}

describe('a reader that is slow', () => {
  test('gets final entries later, from the disk, without a gap or a repetition', async () => {
    await open();
    peer.onFinal(conversation.slice(0, 2));
    output.line(much);
    peer.stored = conversation.slice(0, 5);
    peer.onFinal(conversation.slice(2, 4));
    peer.onFinal(conversation.slice(4, 5));
    await turn();
    expect(shown).toEqual(['#1', '#2']);
    stream.resume();
    await vi.waitFor(() => expect(shown).toHaveLength(5));
    peer.onFinal(conversation.slice(5, 6));
    expect(shown).toEqual(['#1', '#2', '#3', '#4', '#5', '#6']);
  });

  test('is not shown again what was final at the start', async () => {
    await open();
    peer.stored = conversation;
    peer.tell({ kind: 'ready', id: 1, host: '', port: 0, group: '', invite: '', commit: 8 });
    peer.onFinal(conversation.slice(8, 9));
    await turn();
    expect(shown).toEqual(['ready', '#9']);
  });

  test('gets no entry after one that it was not shown', async () => {
    await open();
    peer.onFinal(conversation.slice(0, 1));
    // The disk cannot tell what is between.
    peer.onFinal(conversation.slice(2, 3));
    await turn();
    peer.onFinal(conversation.slice(3, 4));
    expect(shown).toEqual(['#1']);
  });

  test('gets the last words, and holds up the end no longer than a leave may last', async () => {
    const { exit } = await open();
    const isOver = quitUnread(exit);
    await vi.advanceTimersByTimeAsync(2_899);
    expect(isOver()).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver()).toBe(true);
  });

  test('has a moment for them even after a leave that took all its time', async () => {
    const { exit } = await open();
    let hasLeft: () => void = () => undefined;
    peer.leaving = new Promise((resolve) => {
      hasLeft = resolve;
    });
    const isOver = quitUnread(exit);
    await vi.advanceTimersByTimeAsync(3_000);
    hasLeft();
    await vi.advanceTimersByTimeAsync(199);
    expect(isOver()).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver()).toBe(true);
  });

  test('gets an answer that was begun before the peer leaves, as long as it takes something', async () => {
    const { exit } = await open();
    let goOn: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    output.longLine(async function* () {
      await answered;
      yield (bytes) => bytes.ascii('\n');
    });
    session.quit();
    await turn();
    expect(peer.left).toBe(0);
    goOn();
    expect(await exit).toBe(0);
    expect(peer.left).toBe(1);
  });

  test('is not waited for once it has taken them, and nothing more is read for it', async () => {
    const { exit } = await open();
    output.line(much);
    peer.stored = conversation;
    peer.onFinal(conversation);
    session.quit();
    let taken = 0;
    stream.on('data', (bytes: Buffer) => {
      taken += bytes.length;
    });
    await exit;
    expect(taken).toBe(much.length + 1);
    await turn();
    // What it was waiting for when it was told to end, and not all that there is.
    expect(shown).toHaveLength(500);
  });
});
