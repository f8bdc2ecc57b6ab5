/**
 * The states that a person rarely sees, on a real window among real headless peers: messages without a
 * final place, catching up, a leader that synchronises first, a history that differs. What the window
 * says must be true, and must pass.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chainHashWith } from '../../shared/protocol/codec.ts';
import type { EntryKind } from '../../shared/protocol/types.ts';
import { readUuid } from '../../shared/protocol/uuid.ts';
import { ChaosProxy } from '../processes/chaos-proxy.ts';
import { Cluster } from '../processes/cluster.ts';
import type { PeerProcess } from '../processes/peer-process.ts';
import { type App, Desk, freePort, PATIENCE_MS } from './electron-app.ts';

const patient = { timeout: PATIENCE_MS };
/** For what takes a long history its time, milliseconds. */
const LONG_MS = 60_000;

let desk: Desk;
let cluster: Cluster;
let proxy: ChaosProxy | null = null;

beforeEach(() => {
  desk = new Desk();
  cluster = new Cluster();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await desk.keepTraces(task.name);
  await desk.close();
  await cluster.close();
  await proxy?.close();
  proxy = null;
});

/** Headless peers with these ids, the first of them the founder. */
async function startPeers(...ids: readonly number[]): Promise<readonly PeerProcess[]> {
  for (const id of ids) await cluster.startPeer(id);
  await cluster.settled();
  return ids.map((id) => cluster.peer(id));
}

/** A window that joins through this invite by its command line. */
async function joinAs(id: number, invite: string, port?: number): Promise<App> {
  const listen = ['--host', '127.0.0.1', '--port', String(port ?? (await freePort()))];
  const app = await desk.open({
    args: ['--id', String(id), '--name', 'Ada', ...listen, '--invite', invite],
  });
  await app.untilOpen();
  return app;
}

/** All of them are connected, and Ada is a member for good: whoever dies now is no part of her joining. */
async function untilJoined(app: App, members: number): Promise<void> {
  const notes = async () => (await app.rows()).map(({ text }) => text);
  await expect.poll(notes, patient).toContainEqual(expect.stringContaining('Ada joined'));
  await expect.poll(() => app.situation(), patient).toContain(`${members} of ${members} connected`);
}

async function inviteOf(peer: PeerProcess): Promise<string> {
  return (await peer.event('ready')).invite;
}

/** Text and number of every final message that a headless peer was told. */
function numbered(peer: PeerProcess): readonly (readonly [text: string | null, seq: number])[] {
  return peer.final.filter(({ kind }) => kind === 'message').map(({ seq, text }) => [text, seq]);
}

async function shownNumbered(app: App): Promise<readonly unknown[]> {
  const rows = await app.rows();
  return rows
    .filter(({ kind, state }) => kind === 'message' && state === 'final')
    .map(({ seq, text }) => [text, seq]);
}

test('without a quorum a message is provisional in every way, and becomes final with it', async () => {
  const [one, two] = await startPeers(1, 2);
  if (one === undefined || two === undefined) throw new Error('two peers were started');
  const app = await joinAs(3, await inviteOf(one));
  await untilJoined(app, 3);
  await Promise.all([one.kill(), two.kill()]);
  await expect
    .poll(() => app.situation(), patient)
    .toBe(
      'No quorum: 1 of 3. You can go on writing; messages become final when peer 1 or 2 is back.',
    );
  await app.say('Is anybody there?');
  const row = app.page.locator('article[data-state=provisional]');
  await row.waitFor();
  await expect
    .poll(() => row.getAttribute('aria-label'), patient)
    .toMatch(/^Ada, .*, provisional place 1$/);
  const tooltip = 'Provisional: place 1 for now; its number comes when the quorum is back';
  await expect.poll(() => row.getByTitle(tooltip).count(), patient).toBe(2);
  await expect.poll(() => row.locator('.row-gutter').innerText(), patient).toBe('~1');
  const composer = app.page.getByRole('form', { name: 'Write a message' });
  await expect.poll(() => composer.innerText(), patient).toContain('until peer 1 or 2 is back.');
  await app.photograph('provisional');

  const back = await Promise.all([cluster.startPeer(1), cluster.startPeer(2)]);
  await expect.poll(() => app.messages('final'), patient).toEqual(['Is anybody there?']);
  await expect
    .poll(() => app.situation(), patient)
    .toBe('You lead. 3 of 3 connected. Everything is final.');
  for (const peer of back) {
    await peer.until('the message is final', () => numbered(peer).length === 1);
    expect(numbered(peer)).toEqual(await shownNumbered(app));
  }
});

test('who comes back first is told for whom to wait', async () => {
  const ben = await cluster.startPeer(7, ['--name', 'Ben']);
  const app = await joinAs(1, await inviteOf(ben));
  await untilJoined(app, 2);
  await app.closeWindow();
  await ben.quit();

  const again = await desk.open({ data: app.data });
  await again.untilOpen();
  await expect
    .poll(() => again.situation(), patient)
    .toBe('Nobody of the group answers. Your messages go out when Ben (7) is back.');
  const members = again.page.getByRole('complementary', { name: 'Members' });
  await expect.poll(() => members.getByRole('list', { name: /Away/ }).count(), patient).toBe(0);
  await again.say('Is anybody up?');
  await again.photograph('first-one-up');
  await cluster.startPeer(7);
  await expect.poll(() => again.messages('final'), patient).toEqual(['Is anybody up?']);
});

test('the invite names everybody, also whom this window came to know later', async () => {
  const [one] = await startPeers(1);
  if (one === undefined) throw new Error('a peer was started');
  const app = await joinAs(2, await inviteOf(one));
  await app.page.getByRole('button', { name: 'Invite', exact: true }).click();
  const link = app.page.getByRole('dialog').getByLabel('Invite link', { exact: true });
  const invited = async (): Promise<readonly string[]> => {
    const seeds = new URLSearchParams((await link.inputValue()).split('?')[1]).getAll('seed');
    return seeds.map((seed) => seed.split(':')[0] ?? '').toSorted();
  };
  await expect.poll(invited, patient).toEqual(['1', '2']);
  await cluster.startPeer(3);
  await expect.poll(invited, patient).toEqual(['1', '2', '3']);
});

test('what somebody writes before being let in stays in sight, and outlives a kill', async () => {
  const [one, two] = await startPeers(1, 2);
  if (one === undefined || two === undefined) throw new Error('two peers were started');
  const invite = await inviteOf(one);
  await two.kill();
  // Without a quorum nobody can be let in.
  const app = await joinAs(3, invite);
  await app.say('Hello, I am new here.');
  const unsent = app.page.getByRole('region', { name: 'Not sent yet' });
  await expect.poll(() => unsent.innerText(), patient).toContain('Hello, I am new here.');
  await app.photograph('not-sent-yet');
  const draft = (): string => readFileSync(join(app.data, 'lockstep.json'), 'utf8');
  await expect.poll(draft, patient).toContain('Hello, I am new here.');
  await app.kill();

  const again = await desk.open({ data: app.data });
  await again.untilOpen();
  const composer = again.page.getByRole('textbox', { name: 'Message' });
  await expect.poll(() => composer.inputValue(), patient).toBe('Hello, I am new here.');
  await composer.press('Enter');
  await cluster.startPeer(2);
  await expect.poll(() => again.messages('final'), patient).toEqual(['Hello, I am new here.']);
  await expect.poll(() => composer.inputValue(), patient).toBe('');
});

/** Messages of the long history. */
const MANY = 60_000;
/** Sent in one go; the peer is not asked for more before these are final. */
const AT_ONCE = 5_000;

async function writeMany(peer: PeerProcess): Promise<void> {
  for (let from = 1; from <= MANY; from += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => from + index);
    peer.send(...numbers.map((n) => ({ cmd: 'send', text: `message ${n}` })));
    const until = from + AT_ONCE - 1;
    await peer.until(`${until} final`, () => numbered(peer).length >= until, LONG_MS);
  }
}

test('a long history arrives with its progress in sight', { timeout: 2 * LONG_MS }, async () => {
  const [peer] = await startPeers(7);
  if (peer === undefined) throw new Error('a peer was started');
  await writeMany(peer);
  const opened = await ChaosProxy.open(() => ({ host: '127.0.0.1', port: cluster.portOf(7) }));
  proxy = opened;
  // Every batch has to be asked for, so a slow link shows what a fast one would rush past.
  opened.treat('back', { delayMs: 250 });
  const seed = encodeURIComponent(`7:127.0.0.1:${opened.port}`);
  const app = await joinAs(1, (await inviteOf(peer)).replace(/seed=.*$/, `seed=${seed}`));
  const said = /([\d,]+) of (60,\d{3}) entries/;
  const arrived = async (): Promise<number> =>
    Number(said.exec(await app.situation())?.[1]?.replaceAll(',', '') ?? 0);
  await expect.poll(arrived, patient).toBeGreaterThan(0);
  const first = await arrived();
  await expect.poll(arrived, patient).toBeGreaterThan(first);
  const bar = app.page.getByRole('progressbar', { name: 'Catching up' });
  const { value, max } = await bar.evaluate((element: HTMLProgressElement) => ({
    value: element.value,
    max: element.max,
  }));
  expect(value).toBeGreaterThanOrEqual(first);
  expect(max).toBeGreaterThanOrEqual(MANY);
  await app.photograph('catching-up');

  opened.treat('back', { delayMs: 0 });
  await expect
    .poll(() => app.situation(), { timeout: LONG_MS })
    .toBe('Peer 7 leads. 2 of 2 connected. Everything is final.');
  await expect.poll(() => bar.count(), patient).toBe(0);
  const end = async () => (await app.messages('final')).at(-1);
  await expect.poll(end, patient).toBe(`message ${MANY}`);
  const rows = await shownNumbered(app);
  expect(numbered(peer).slice(-rows.length)).toEqual(rows);
});

/** Fewer than what makes a peer too far behind to lead at once, and long enough for many batches. */
const MISSED = Array.from({ length: 900 }, (_, index) =>
  `${index + 1} `.padEnd(4_096, 'and so on, '),
);

test('what was missed stands below a divider, however it comes', { timeout: LONG_MS }, async () => {
  const [two, three] = await startPeers(2, 3);
  if (two === undefined || three === undefined) throw new Error('two peers were started');
  const app = await joinAs(1, await inviteOf(two));
  await app.say('Good night.');
  await expect.poll(() => app.messages('final'), patient).toEqual(['Good night.']);
  await app.closeWindow();
  const missed = Array.from({ length: 300 }, (_, i) => ({ cmd: 'send', text: `missed ${i + 1}` }));
  two.send(...missed);
  await three.until('all are final', () => three.texts().includes('missed 300'));

  // More than a window is given at once.
  const again = await desk.open({ data: app.data });
  await again.untilOpen();
  const newest = async (): Promise<string | undefined> => (await again.messages('final')).at(-1);
  await expect.poll(newest, { timeout: LONG_MS }).toBe('missed 300');
  await again.page.getByRole('log', { name: 'Conversation' }).press('Home');
  const divider = again.page.getByRole('separator', { name: 'New since you looked' });
  await divider.waitFor();
  const below = divider.locator('xpath=following::article[1]');
  expect((await below.locator('.text').innerText()).trim()).toBe('missed 1');
});

test('a leader that has to fetch what it missed is said to do so', async () => {
  const [two, three] = await startPeers(2, 3);
  if (two === undefined || three === undefined) throw new Error('two peers were started');
  const port = await freePort();
  const app = await joinAs(1, await inviteOf(two), port);
  await untilJoined(app, 3);
  await three.kill();
  two.send(...MISSED.map((text) => ({ cmd: 'send', text })));
  const all = async () => (await app.messages('final')).at(-1)?.startsWith('900 ');
  await expect.poll(all, patient).toBe(true);
  await two.kill();
  await expect.poll(() => app.situation(), patient).toMatch(/^No quorum: 1 of 3/);

  // Only this window has what peer 3 missed, and peer 3 reaches it by a slow link; it has patience.
  const opened = await ChaosProxy.open(() => ({ host: '127.0.0.1', port }));
  proxy = opened;
  for (const way of ['out', 'back'] as const) opened.treat(way, { delayMs: 150 });
  const elsewhere = ['--port', String(await freePort())];
  const slowly = ['--dial', `1=127.0.0.1:${opened.port}`, '--heartbeat-ms', '1000'];
  await cluster.startPeer(3, [...elsewhere, ...slowly]);
  await expect
    .poll(() => app.situation(), patient)
    .toBe('The next leader is fetching what it lacks before it leads. You can go on writing.');
  await expect
    .poll(() => app.page.getByRole('banner').innerText(), patient)
    .toContain('Synchronising…');
  await app.photograph('synchronising');
  await expect
    .poll(() => app.situation(), { timeout: LONG_MS })
    .toBe('Peer 3 leads. 2 of 3 connected. Everything is final.');
  await expect.poll(() => app.leader(), patient).toBe(3);
});

test('a history that differs stops the window loudly, and nobody else', async () => {
  const [two, three] = await startPeers(2, 3);
  if (two === undefined || three === undefined) throw new Error('two peers were started');
  const app = await joinAs(1, await inviteOf(two));
  await app.say('We meet at noon.');
  await expect.poll(() => app.messages('final'), patient).toEqual(['We meet at noon.']);
  await app.kill();
  falsify(app.data, 'We meet at nine.');

  const again = await desk.open({ data: app.data });
  await again.untilOpen();
  const alarm = again.page.getByRole('alert').filter({ hasText: 'history differs' });
  await alarm.waitFor();
  await expect.poll(() => again.situation(), patient).toMatch(/^This peer’s history differs/);
  await expect
    .poll(() => again.page.getByRole('banner').innerText(), patient)
    .toContain('History differs');
  await expect.poll(() => again.messages('doubtful'), patient).toEqual(['We meet at nine.']);
  expect(await again.messages('final')).toEqual([]);
  await again.say('Did you not get this?');
  await again.page.locator('article[data-state=pending]').waitFor();
  await again.photograph('diverged');

  await two.event('error', ({ code }) => code === 'DIVERGED');
  two.send({ cmd: 'send', text: 'Noon it is.' });
  for (const peer of [two, three]) {
    await peer.until('the others go on', () => peer.texts().includes('Noon it is.'));
    expect(peer.texts()).not.toContain('Did you not get this?');
  }
  expect(await again.messages('doubtful')).toEqual(['We meet at nine.']);
  expect(await again.leader()).toBeNull();
  const status = again.page.getByRole('complementary', { name: 'Status' });
  await expect.poll(() => status.getByText('Stopped', { exact: true }).count(), patient).toBe(1);
  expect(await status.getByRole('region', { name: 'Quorum' }).count()).toBe(0);

  await alarm.getByRole('button', { name: 'Join again…' }).click();
  const link = again.page.getByLabel('Invite link');
  await expect.poll(() => link.inputValue(), patient).toContain('lockstep://join?');
  await again.page.getByRole('button', { name: 'Join', exact: true }).click();
  await again.untilOpen();
  await expect
    .poll(() => again.messages('final'), patient)
    .toEqual(['We meet at noon.', 'Noon it is.']);
});

const KINDS: readonly EntryKind[] = ['message', 'members', 'leader'];

interface StoredEntry {
  readonly seq: number;
  readonly epoch_number: number;
  readonly epoch_leader: number;
  readonly kind: number;
  readonly id: Buffer;
  readonly author: number;
  readonly after: Buffer | null;
  readonly sent_at: number;
  readonly body: Buffer;
  readonly hash: Buffer;
}

/** Gives the last message another text, and every entry from there the hash that it then has. */
function falsify(data: string, text: string): void {
  const groups = join(data, 'groups');
  const db = new SqliteDatabase(join(groups, readdirSync(groups)[0] ?? '', 'lockstep.db'));
  const trigger = db
    .prepare("SELECT sql FROM sqlite_master WHERE name = 'log_keeps_entries'")
    .pluck()
    .get() as string;
  db.exec('DROP TRIGGER log_keeps_entries');
  const from = db.prepare('SELECT max(seq) FROM log WHERE kind = 0').pluck().get() as number;
  db.prepare('UPDATE log SET body = ? WHERE seq = ?').run(Buffer.from(text), from);
  const chainHash = chainHashWith((bytes) => createHash('sha256').update(bytes).digest());
  const before = db.prepare('SELECT hash FROM log WHERE seq = ?').pluck();
  const entries = db.prepare('SELECT * FROM log WHERE seq >= ? ORDER BY seq').all(from);
  for (const entry of entries as readonly StoredEntry[]) {
    const hash = chainHash(before.get(entry.seq - 1) as Buffer, {
      seq: entry.seq,
      epoch: { number: entry.epoch_number, leader: entry.epoch_leader },
      kind: KINDS[entry.kind] ?? 'message',
      id: readUuid(entry.id, 0) ?? '',
      author: entry.author,
      after: entry.after === null ? null : readUuid(entry.after, 0),
      sentAt: entry.sent_at,
      body: entry.body,
    });
    db.prepare('UPDATE log SET hash = ? WHERE seq = ?').run(hash, entry.seq);
  }
  db.exec(trigger);
  db.close();
}
