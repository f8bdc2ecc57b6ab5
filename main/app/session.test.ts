import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Identity } from '../../shared/ipc/contract.ts';
import type {
  FatalCode,
  FinalEntry,
  NodeError,
  NodeEvent,
  NodeStatus,
  SendOutcome,
} from '../../shared/model.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import { createLogger } from '../log.ts';
import { formatInvite } from '../peer/invite.ts';
import type { PeerOptions } from '../peer/peer.ts';
import { readCommandLine } from './command-line.ts';
import { takeFirstStep } from './first-step.ts';
import { openGroups, type Groups } from './groups.ts';
import type { OutgoingEvent } from './outbox.ts';
import { type Peer, Session } from './session.ts';

const log = createLogger({ level: 'silent' });
const ada: Identity = { id: 7, name: 'Ada', host: '127.0.0.1', port: 6001 };
const form = { ...ada, seed: '127.0.0.1:6009', invite: '', key: '' };
const ready = {
  kind: 'ready',
  id: 7,
  host: '127.0.0.1',
  port: 6001,
  group: 'aa',
  invite: 'lockstep://x',
  commit: 0,
} as const;

let root: string;
let groups: Groups;
let sent: OutgoingEvent[];
let node: FakeNode;
let session: Session;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-session-'));
  groups = openGroups(root, log);
  sent = [];
  node = new FakeNode();
  session = new Session({
    openPeer: (options, onEvent) => node.open(options, onEvent),
    groups,
    log,
    version: '0.0.0',
    prefill: {},
    send: (event) => sent.push(event),
  });
});

afterEach(async () => {
  vi.useRealTimers();
  await session.leave();
  groups.flush();
  rmSync(root, { recursive: true });
});

/** A node whose every word the test speaks. */
class FakeNode {
  options: PeerOptions | null = null;
  /** How often one was asked for. */
  opened = 0;
  /** Resolves when it has started, or failed to. */
  started: Promise<void> = Promise.resolve();
  refusal: FatalCode | null = null;
  stored: FinalEntry[] = [];
  /** What it tells while it starts. */
  early: NodeEvent[] = [];
  closed = 0;
  /** Resolves when it has left. */
  left: Promise<void> = Promise.resolve();
  invite: string = ready.invite;
  outcome: Promise<SendOutcome> = Promise.resolve(ok('01900000-0000-7000-8000-000000000009'));
  tell: (event: NodeEvent) => void = () => undefined;

  async open(
    options: PeerOptions,
    onEvent: (event: NodeEvent) => void,
  ): Promise<Result<Peer, NodeError>> {
    this.opened += 1;
    this.options = options;
    this.tell = onEvent;
    mkdirSync(options.data, { recursive: true });
    await this.started;
    if (this.refusal !== null) return err({ code: this.refusal, message: 'words', fatal: true });
    const end = async (): Promise<void> => {
      await this.left;
      this.closed += 1;
    };
    const peer: Peer = {
      sendMessage: () => this.outcome,
      status: () => status(this.stored.length),
      history: (from, limit) => Promise.resolve(this.stored.slice(from - 1, from - 1 + limit)),
      waiting: () => [],
      inviteLink: () => this.invite,
      leave: end,
      close: end,
    };
    for (const event of this.early) onEvent(event);
    return ok(peer);
  }

  fail(code: FatalCode): void {
    this.tell({ kind: 'error', error: { code, message: 'words', fatal: true } });
  }
}

function status(commit: number): NodeStatus {
  return {
    id: 7,
    role: 'leader',
    established: true,
    synchronising: false,
    leader: 7,
    epoch: [1, 7],
    members: [7],
    lists: [[7]],
    commit,
    hash: '',
    pending: 0,
    peers: [],
    roster: [],
    diverged: false,
    progress: null,
  };
}

function entry(seq: number): FinalEntry {
  const message = `01900000-0000-7000-8000-${String(seq).padStart(12, '0')}`;
  const base = { seq, epoch: [1, 7] as const, message, author: 7, sentAt: seq, hash: '' };
  return { ...base, kind: 'message', text: `text ${seq}` };
}

/** A promise, and what resolves it. */
function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

function phases(): string[] {
  return sent.flatMap((event) => (event.name === 'phase-changed' ? [event.payload.kind] : []));
}

async function openGroup(): Promise<void> {
  const started = session.startGroup(ada);
  await vi.waitFor(() => expect(node.options).not.toBeNull());
  node.tell(ready);
  expect(await started).toEqual(ok(null));
  await vi.waitFor(() => expect(session.phase().kind).toBe('open'));
}

describe('starting', () => {
  test('a new group opens in a folder of its own and is remembered', async () => {
    await openGroup();
    expect(session.phase()).toEqual({
      kind: 'open',
      self: ada,
      group: 'aa',
      invite: 'lockstep://x',
    });
    expect(groups.groups()).toMatchObject([{ ...ada, group: 'aa', data: node.options?.data }]);
  });

  test('a port in use comes back at its field, with a free one, and leaves no folder', async () => {
    node.refusal = 'PORT_IN_USE';
    const refused = await session.startGroup(ada);
    expect(refused).toMatchObject({ error: { field: 'port', freePort: expect.any(Number) } });
    expect(existsSync(node.options?.data ?? '')).toBe(false);
    node.refusal = null;
    await openGroup();
  });

  test('a second group is refused while the first one opens, and no node is made for it', async () => {
    const starting = gate();
    node.started = starting.passed;
    const first = session.startGroup(ada);
    expect(await session.joinGroup(form)).toMatchObject({ ok: false, error: { code: 'BUSY' } });
    expect(node.opened).toBe(1);
    starting.open();
    expect(await first).toEqual(ok(null));
  });

  test.each([null, 'DISK'] as const)(
    'what is cancelled while its node starts is not shown, whatever becomes of it: %s',
    async (refusal) => {
      const starting = gate();
      node.started = starting.passed;
      node.refusal = refusal;
      const joining = session.joinGroup(form);
      await session.backToStart();
      starting.open();
      await joining;
      expect(phases()).toEqual(['start']);
      expect(session.phase()).toMatchObject({ kind: 'start', error: null });
      expect(node.closed).toBe(refusal === null ? 1 : 0);
      expect(existsSync(node.options?.data ?? '')).toBe(false);
    },
  );

  test('a known group whose port is taken by now opens at another one', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, ada.host, resolve));
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const data = join(root, 'groups', 'known');
    groups.rememberGroup({ ...ada, port, group: 'aa', data, openedAt: 1, diverged: false });
    const [record] = groups.groups();
    await session.openKnown(record!);
    other.close();
    expect(node.options?.port).toBeGreaterThan(port);
  });

  test('a known group whose data is damaged ends in words, and the card is a step away', async () => {
    const data = join(root, 'groups', 'known');
    groups.rememberGroup({ ...ada, group: 'aa', data, openedAt: 1, diverged: false });
    node.refusal = 'CORRUPT';
    const [record] = groups.groups();
    await session.openKnown(record!);
    expect(session.phase()).toMatchObject({ kind: 'ended', error: { code: 'CORRUPT' } });
    expect(existsSync(data)).toBe(true);
    await session.backToStart();
    expect(session.phase()).toMatchObject({ kind: 'start', start: { groups: [{ group: 'aa' }] } });
  });
});

test('a known group is opened as it was, but for what the command line says', async () => {
  const data = join(root, 'groups', 'known');
  groups.rememberGroup({ ...ada, group: 'aa', data, openedAt: 1, diverged: false });
  await takeFirstStep(session, groups, readCommandLine(['--name', 'Ada L.', '--port', '6011']));
  const { host } = ada;
  expect(node.options).toMatchObject({ data, id: 7, name: 'Ada L.', host, port: 6011 });
  node.tell({ ...ready, port: 6011 });
  await vi.waitFor(() => expect(session.phase().kind).toBe('open'));
  expect(groups.groups()).toMatchObject([{ name: 'Ada L.', port: 6011 }]);
});

describe('joining', () => {
  test('says what does not answer, goes on trying, and opens when it does', async () => {
    expect(await session.joinGroup(form)).toEqual(ok(null));
    expect(session.phase()).toEqual({ kind: 'joining', target: form.seed, notice: null });
    const error = { code: 'UNREACHABLE', message: 'no answer', fatal: false } as const;
    node.tell({ kind: 'error', error });
    expect(session.phase()).toMatchObject({ kind: 'joining', notice: 'no answer' });
    node.tell(ready);
    await vi.waitFor(() => expect(session.phase().kind).toBe('open'));
  });

  test('says what did not answer while the node was starting, too', async () => {
    const error = { code: 'UNREACHABLE', message: 'no answer', fatal: false } as const;
    node.early = [{ kind: 'error', error }];
    expect(await session.joinGroup(form)).toEqual(ok(null));
    expect(session.phase()).toMatchObject({ kind: 'joining', notice: 'no answer' });
  });

  test('a node that fails while it starts goes back to the form', async () => {
    const error = { code: 'WRONG_KEY', message: 'words', fatal: true } as const;
    node.early = [{ kind: 'error', error }];
    await session.joinGroup(form);
    expect(session.phase()).toMatchObject({ kind: 'start', error: { code: 'WRONG_KEY' } });
    expect(node.closed).toBe(1);
    expect(existsSync(node.options?.data ?? '')).toBe(false);
  });

  test('the first reason why a node fails stays the reason', async () => {
    node.early = (['WRONG_KEY', 'DISK', 'ID_TAKEN'] as const).map((code) => {
      return { kind: 'error', error: { code, message: 'words', fatal: true } };
    });
    await session.joinGroup(form);
    expect(session.phase()).toMatchObject({ kind: 'start', error: { code: 'WRONG_KEY' } });
    expect(phases()).not.toContain('ended');
  });

  test('a cancelled join leaves nothing behind and is not heard again', async () => {
    await session.joinGroup(form);
    await session.backToStart();
    expect(session.phase()).toMatchObject({ kind: 'start', error: null, start: { proposed: ada } });
    expect(node.closed).toBe(1);
    expect(existsSync(node.options?.data ?? '')).toBe(false);
    node.tell(ready);
    node.fail('WRONG_KEY');
    expect(session.phase()).toMatchObject({ kind: 'start', error: null });
  });

  test('an invite to a group of this machine opens that group, unless it has stopped', async () => {
    const link = formatInvite({ id: Buffer.alloc(16, 0xaa), key: Buffer.alloc(32) }, ['h:1']);
    const group = 'aa'.repeat(16);
    const data = join(root, 'groups', 'known');
    groups.rememberGroup({ ...ada, group, data, openedAt: 1, diverged: false });
    await session.joinGroup({ ...form, id: 9, seed: '', invite: link });
    expect(node.options).toMatchObject({ data, id: 7, seeds: ['h:1'], invite: null });
    node.tell({ ...ready, group });
    await vi.waitFor(() => expect(session.phase().kind).toBe('open'));
    expect(session.isOpenGroupOf(link)).toBe(true);
    node.tell({ kind: 'status', status: { ...status(1), diverged: true } });
    expect(session.isOpenGroupOf(link)).toBe(false);
    await session.switchGroup();
    await session.joinGroup({ ...form, id: 9, seed: '', invite: link });
    expect(node.options).toMatchObject({ id: 9, invite: link });
    expect(node.options?.data).not.toBe(data);
  });

  test.each([
    ['WRONG_KEY', 'key'],
    ['ID_TAKEN', 'id'],
    ['WRONG_GROUP', 'seed'],
    ['VERSION', 'seed'],
  ] as const)('%s goes back to the form, at %s', async (code, field) => {
    await session.joinGroup(form);
    node.fail(code);
    await vi.waitFor(() => expect(session.phase().kind).toBe('start'));
    expect(session.phase()).toMatchObject({ error: { code, field }, start: { proposed: ada } });
    expect(existsSync(node.options?.data ?? '')).toBe(false);
  });
});

describe('an open group', () => {
  test('shows what was on disk, then what came since, without a gap or a repetition', async () => {
    node.stored = Array.from({ length: 300 }, (_, index) => entry(index + 1));
    const started = session.startGroup(ada);
    await vi.waitFor(() => expect(node.options).not.toBeNull());
    node.tell({ ...ready, commit: 300 });
    node.tell({ kind: 'final', entries: [entry(301)] });
    await started;
    await vi.waitFor(() => expect(session.phase().kind).toBe('open'));
    node.tell({ kind: 'final', entries: [entry(302)] });
    const { entries } = session.snapshot();
    expect(entries.map((each) => each.seq)).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 103),
    );
  });

  test('tells that a message was accepted before it tells that it is final', async () => {
    await openGroup();
    session.snapshot();
    sent.length = 0;
    const { message, author, sentAt } = entry(2);
    const waiting = { message, author, text: 'text 2', sentAt, n: null };
    node.tell({ kind: 'final', entries: [entry(1)] });
    node.tell({ kind: 'accepted', message: waiting, ref: null });
    expect(session.snapshot().waiting).toEqual([waiting]);
    node.tell({ kind: 'final', entries: [entry(2)] });
    node.tell({ kind: 'final', entries: [entry(3)] });
    expect(session.snapshot().waiting).toEqual([]);
    expect(
      sent.map((event) =>
        event.name === 'entries-finalized' ? event.payload.map(({ seq }) => seq) : event.name,
      ),
    ).toEqual([[1], 'message-accepted', [2, 3]]);
  });

  test('answers a message that became final at once with the time in its id', async () => {
    await openGroup();
    const outcome = await session.send('hi');
    expect(outcome).toMatchObject({ ok: true, value: { text: 'hi', author: 7, n: null } });
    if (outcome.ok) expect(outcome.value.sentAt).toBe(0x019000000000);
  });

  test('keeps a text that the node has not accepted as the draft, until it has', async () => {
    let settle: (outcome: SendOutcome) => void = () => undefined;
    node.outcome = new Promise((resolve) => {
      settle = resolve;
    });
    await openGroup();
    const data = node.options?.data ?? '';
    const sending = session.send('hello');
    session.saveDraft('');
    groups.flush();
    expect(openGroups(root, log).draft(data)).toBe('hello');
    expect(session.snapshot().draft).toBe('');
    settle(ok('01900000-0000-7000-8000-000000000009'));
    await sending;
    groups.flush();
    expect(openGroups(root, log).draft(data)).toBe('');
  });

  test('a fatal error ends it in the words of the node, once', async () => {
    await openGroup();
    node.fail('DISK');
    node.tell({ kind: 'closed' });
    expect(session.phase()).toMatchObject({ kind: 'ended', error: { code: 'DISK' } });
    expect(phases().filter((kind) => kind === 'ended')).toHaveLength(1);
  });

  test('renews the invite when the members change, and says nothing when it stays', async () => {
    await openGroup();
    node.invite = 'lockstep://y';
    node.tell({ kind: 'status', status: status(1) });
    node.tell({ kind: 'status', status: status(2) });
    expect(session.phase()).toMatchObject({ kind: 'open', invite: 'lockstep://y' });
    session.snapshot();
    const invites = sent.flatMap((event) =>
      event.name === 'phase-changed' && event.payload.kind === 'open' ? [event.payload.invite] : [],
    );
    expect(invites).toEqual(['lockstep://x', 'lockstep://y']);
  });

  test('switching leaves it, and shows the card with all groups', async () => {
    await openGroup();
    await session.switchGroup();
    expect(node.closed).toBe(1);
    expect(session.phase()).toMatchObject({
      kind: 'start',
      start: { groups: [{ group: 'aa' }], invite: '' },
    });
    await openGroup();
  });

  test('asks for its status again and again, for nobody tells of latencies', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await openGroup();
    session.snapshot();
    sent.length = 0;
    vi.advanceTimersByTime(1_000);
    session.snapshot();
    expect(sent).toEqual([]);
    node.stored = [entry(1)];
    vi.advanceTimersByTime(1_000);
    expect(session.snapshot().status).toEqual(status(1));
    expect(sent).toEqual([{ name: 'status-changed', payload: status(1) }]);
  });

  test('one that cannot be left in time is given up', async () => {
    const leaving = gate();
    node.left = leaving.passed;
    await openGroup();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let left = false;
    const leave = session.leave().then(() => {
      left = true;
    });
    await vi.advanceTimersByTimeAsync(3_499);
    expect(left).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(left).toBe(true);
    leaving.open();
    await leave;
  });

  test('a leave under way is waited for before the app may end', async () => {
    let end: () => void = () => undefined;
    node.left = new Promise((resolve) => {
      end = resolve;
    });
    await openGroup();
    const order: string[] = [];
    const switching = session.switchGroup();
    const leaving = session.leave().then(() => order.push('may end'));
    // Whatever does not wait for the node is through by then.
    await new Promise((resolve) => setImmediate(resolve));
    order.push('node has left');
    end();
    await Promise.all([switching, leaving]);
    expect(order).toEqual(['node has left', 'may end']);
  });

  test('one whose history differs offers its invite, and does not open by itself again', async () => {
    await openGroup();
    node.tell({ kind: 'status', status: { ...status(1), diverged: true } });
    expect(groups.groups()).toMatchObject([{ group: 'aa', diverged: true }]);
    await session.joinAgain();
    expect(session.phase()).toMatchObject({ kind: 'start', start: { invite: ready.invite } });
    await takeFirstStep(session, groups, readCommandLine([]));
    expect(session.phase().kind).toBe('start');
    await takeFirstStep(session, groups, readCommandLine(['--start-group']));
    node.tell(ready);
    await vi.waitFor(() => expect(session.phase().kind).toBe('open'));
  });

  test('leaving closes the node', async () => {
    await openGroup();
    expect(await session.leave()).toBe(true);
    expect(node.closed).toBe(1);
    expect(await session.leave()).toBe(false);
  });
});
