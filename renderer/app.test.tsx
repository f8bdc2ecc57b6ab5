/** The window as a person meets it: found by role and name, on the fake bridge. */
import { act, cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test } from 'vitest';
import { TEXT_BYTES_MAX } from '../shared/model.ts';
import { err } from '../shared/result.ts';
import { createFakeBridge } from './testing/fake-bridge.ts';
import type { FakeAnswers, FakeBridge } from './testing/fake-bridge.ts';
import { renderApp } from './testing/render-app.tsx';
import {
  leaderEntry,
  membersEntry,
  messageEntry,
  openPhase,
  peer,
  snapshot,
  startView,
  status,
} from './testing/samples.ts';

afterEach(cleanup);

function show(
  given: Partial<FakeAnswers> & Pick<FakeAnswers, 'snapshot'>,
  width?: number,
): FakeBridge {
  const fake = createFakeBridge(given);
  renderApp(fake, width);
  return fake;
}

function asked(fake: FakeBridge, name: string): readonly unknown[] {
  return fake.requests.filter((request) => request.name === name).map((request) => request.args);
}

function firstCard(part: Parameters<typeof startView>[0] = {}) {
  return snapshot({ phase: { kind: 'start', start: startView(part), error: null }, status: null });
}

const talk = [
  membersEntry(1, [1, 2, 3]),
  leaderEntry(2, 3, 4),
  messageEntry(3, { text: 'see **this** https://a.example/x' }),
  messageEntry(4, { text: 'and that' }),
];

function conversation(part: Parameters<typeof status>[0] = {}) {
  return snapshot({ entries: talk, status: status({ commit: 4, ...part }) });
}

describe('the first card', () => {
  test('starts a group with what is proposed', async () => {
    const fake = show({ snapshot: firstCard() });
    await userEvent.click(await screen.findByRole('tab', { name: 'Start a group' }));
    expect(screen.queryByRole('textbox', { name: 'Seed address' })).toBeNull();
    await userEvent.clear(screen.getByRole('textbox', { name: 'Your name' }));
    await userEvent.type(screen.getByRole('textbox', { name: 'Your name' }), 'Zoe');
    await userEvent.click(screen.getByRole('button', { name: 'Start' }));
    expect(asked(fake, 'start-group')).toEqual([
      { id: 4711, name: 'Zoe', host: '0.0.0.0', port: 6001 },
    ]);
  });

  test('says what is missing at its field, and joins once it is there', async () => {
    const fake = show({ snapshot: firstCard() });
    await userEvent.click(await screen.findByRole('button', { name: 'Join' }));
    const seed = screen.getByRole('textbox', { name: 'Seed address' });
    expect(screen.getByRole('alert').textContent).toMatch(/invite link/);
    expect(seed.getAttribute('aria-invalid')).toBe('true');
    expect(document.activeElement).toBe(seed);
    await userEvent.type(seed, '10.0.0.1:6001');
    expect(screen.queryByRole('alert')).toBeNull();
    await userEvent.type(screen.getByRole('textbox', { name: 'Group key' }), 'abc');
    await userEvent.click(screen.getByRole('button', { name: 'Join' }));
    expect(asked(fake, 'join-group')).toEqual([
      {
        id: 4711,
        name: 'Ann',
        host: '0.0.0.0',
        port: 6001,
        seed: '10.0.0.1:6001',
        invite: '',
        key: 'abc',
      },
    ]);
  });

  test('begins where one would paste a link, or at the groups of this computer', async () => {
    show({ snapshot: firstCard() });
    const link = await screen.findByRole('textbox', { name: 'Invite link' });
    expect(document.activeElement).toBe(link);
    cleanup();
    const group = { group: '9d41c7e20b8a', id: 1, name: 'Ann', data: '/d/1', openedAt: 0 };
    show({ snapshot: firstCard({ groups: [{ ...group, diverged: false }] }) });
    const known = await screen.findByRole('button', { name: /^Ann · peer 1/ });
    expect(document.activeElement).toBe(known);
  });

  test('an invite link is taken where the address belongs, too', async () => {
    show({ snapshot: firstCard() });
    const seed = await screen.findByRole('textbox', { name: 'Seed address' });
    await userEvent.click(seed);
    await userEvent.paste('lockstep://join/x');
    expect(screen.getByDisplayValue('lockstep://join/x')).toBe(
      screen.getByRole('textbox', { name: 'Invite link' }),
    );
    expect(await screen.findByDisplayValue('192.168.1.20:6001')).toBe(seed);
  });

  test('an invite to a known group opens that group', async () => {
    const group = { group: 'c0ffee00c0ffee00', id: 1, name: 'Ann', data: '/d/1', openedAt: 0 };
    const known = { ...group, diverged: false };
    show({ snapshot: firstCard({ groups: [known], invite: 'lockstep://join/x' }) });
    expect(await screen.findByText(/You are in this group already, as Ann/)).toBeDefined();
    cleanup();
    // One that has stopped is joined anew.
    show({
      snapshot: firstCard({ groups: [{ ...known, diverged: true }], invite: 'lockstep://x' }),
    });
    expect(await screen.findByText(/^Invite to group c0ffee00/)).toBeDefined();
    expect(screen.getByRole('button', { name: /history differs/ })).toBeDefined();
  });

  test('offers a free port where the port is taken', async () => {
    const fake = show({
      snapshot: firstCard(),
      start: err({
        field: 'port',
        code: 'PORT_IN_USE',
        message: 'Port 6001 is taken.',
        freePort: 6004,
      }),
    });
    await userEvent.click(await screen.findByRole('tab', { name: 'Start a group' }));
    await userEvent.click(screen.getByRole('button', { name: 'Start' }));
    const port = await screen.findByRole('textbox', { name: 'Listen port' });
    expect(port.getAttribute('aria-invalid')).toBe('true');
    await userEvent.click(screen.getByRole('button', { name: 'Use port 6004' }));
    expect((port as HTMLInputElement).value).toBe('6004');
    await userEvent.click(screen.getByRole('button', { name: 'Start' }));
    expect(asked(fake, 'start-group')).toMatchObject([{ port: 6001 }, { port: 6004 }]);
  });

  test('an invite link says the rest', async () => {
    const fake = show({ snapshot: firstCard({ invite: 'lockstep://join/x' }) });
    const seed = await screen.findByDisplayValue('192.168.1.20:6001');
    expect((seed as HTMLInputElement).disabled).toBe(true);
    await userEvent.click(screen.getByRole('button', { name: 'Join' }));
    expect(asked(fake, 'join-group')).toMatchObject([{ seed: '', invite: 'lockstep://join/x' }]);
  });

  test('known groups open with one click', async () => {
    const group = { group: '9d41c7e20b8a', id: 1, name: 'Ann', data: '/d/1', openedAt: 0 };
    const fake = show({ snapshot: firstCard({ groups: [{ ...group, diverged: false }] }) });
    await userEvent.click(
      await screen.findByRole('button', { name: /^Ann · peer 1 Group 9d41c7e2/ }),
    );
    expect(asked(fake, 'open-group')).toEqual([{ data: '/d/1' }]);
  });

  test('the tabs are worked with arrow keys', async () => {
    show({ snapshot: firstCard() });
    const join = await screen.findByRole('tab', { name: 'Join a group' });
    join.focus();
    await userEvent.keyboard('{ArrowRight}');
    const start = screen.getByRole('tab', { name: 'Start a group' });
    expect([start.getAttribute('aria-selected'), document.activeElement]).toEqual(['true', start]);
  });

  test('joining says what does not answer, and the form is as it was after Cancel', async () => {
    const fake = show({ snapshot: firstCard() });
    await userEvent.type(await screen.findByRole('textbox', { name: 'Seed address' }), 'h:1');
    const notice = 'Nothing answers yet at h:1; still trying.';
    act(() => fake.emit('phase-changed', { kind: 'joining', target: 'h:1', notice }));
    expect(screen.getByRole('status').textContent).toBe(notice);
    await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(asked(fake, 'cancel-join')).toEqual([{}]);
    act(() => fake.emit('phase-changed', { kind: 'start', start: startView(), error: null }));
    expect(screen.getByDisplayValue('h:1')).toBeDefined();
  });
});

describe('the conversation', () => {
  test('shows messages, slim lines and their states', async () => {
    show({ snapshot: conversation() });
    const log = await screen.findByRole('log', { name: 'Conversation' });
    const note = within(log).getByRole('note', { name: '#2 Peer 3 leads · epoch 4' });
    expect(note.dataset).toMatchObject({ seq: '2', kind: 'leader', state: 'final' });
    expect(within(log).getByText('Ann, Ben Okafor and Chiara started the group')).toBeDefined();
    const [first, second] = within(log).getAllByRole('article');
    expect(first?.dataset).toMatchObject({ seq: '3', state: 'final', message: 'm3', author: '2' });
    expect(first?.getAttribute('aria-label')).toMatch(/^Ben Okafor, .*, number 3, final$/);
    expect([first?.dataset['first'], second?.dataset['first']]).toEqual(['true', 'false']);
    expect(within(log).getByText('this').tagName).toBe('STRONG');
  });

  test('links go through the bridge', async () => {
    const fake = show({ snapshot: conversation() });
    await userEvent.click(await screen.findByRole('link', { name: 'https://a.example/x' }));
    expect(asked(fake, 'open-link')).toEqual([{ url: 'https://a.example/x' }]);
  });

  test('a sent message is pending, and the same element becomes final', async () => {
    const fake = show({ snapshot: conversation() });
    const composer = await screen.findByRole('textbox', { name: 'Message' });
    await userEvent.type(composer, 'hello{Shift>}{Enter}{/Shift}world{Enter}');
    expect(asked(fake, 'send-message')).toEqual([{ text: 'hello\nworld' }]);
    expect((composer as HTMLTextAreaElement).value).toBe('');
    const row = (await screen.findByText(/world/)).closest('article');
    expect(row?.dataset['state']).toBe('pending');
    const message = row?.dataset['message'] ?? '';
    act(() =>
      fake.emit('entries-finalized', [
        messageEntry(5, { message, author: 1, text: 'hello\nworld' }),
      ]),
    );
    expect(row?.dataset).toMatchObject({ state: 'final', seq: '5' });
    expect(screen.getAllByText(/world/)).toHaveLength(1);
  });

  test('without a quorum the composer says what messages wait for, and sends all the same', async () => {
    const gone = [peer(2, { connected: false }), peer(3, { connected: false })];
    const fake = show({ snapshot: conversation({ established: false, leader: 1, peers: gone }) });
    expect(
      await screen.findByText(
        /messages wait for their final place until Ben Okafor \(2\) or Chiara \(3\)/,
      ),
    ).toBeDefined();
    await userEvent.type(screen.getByRole('textbox', { name: 'Message' }), 'still{Enter}');
    expect(asked(fake, 'send-message')).toEqual([{ text: 'still' }]);
  });

  test('a text that is not accepted yet stays in sight, and returns when it is refused', async () => {
    let refuse: (answer: Awaited<ReturnType<FakeBridge['bridge']['sendMessage']>>) => void = () =>
      undefined;
    const fake = createFakeBridge({ snapshot: conversation() });
    const sendMessage = () =>
      new Promise<Parameters<typeof refuse>[0]>((resolve) => {
        refuse = resolve;
      });
    renderApp({ ...fake, bridge: { ...fake.bridge, sendMessage } });
    const composer = await screen.findByRole('textbox', { name: 'Message' });
    await userEvent.type(composer, 'hello{Enter}and');
    const region = await screen.findByRole('region', { name: 'Not sent yet' });
    expect(within(region).getByRole('listitem').textContent).toBe('hello');
    const error = { code: 'NOT_READY', message: 'It was not sent.', fatal: false } as const;
    await act(async () => refuse(err(error)));
    expect(screen.queryByRole('region', { name: 'Not sent yet' })).toBeNull();
    expect((composer as HTMLTextAreaElement).value).toBe('hello\nand');
  });

  test('a refused message comes back with the reason', async () => {
    const refusal = { code: 'TOO_LONG', message: 'Too long by far.', fatal: false } as const;
    show({ snapshot: conversation(), refusal });
    const composer = await screen.findByRole('textbox', { name: 'Message' });
    await userEvent.type(composer, 'words{Enter}');
    expect((await screen.findByRole('alert')).textContent).toBe('Too long by far.');
    expect((composer as HTMLTextAreaElement).value).toBe('words');
  });

  test('a text that is too long is not even sent', async () => {
    const fake = show({
      snapshot: { ...conversation(), draft: 'ä'.repeat(TEXT_BYTES_MAX / 2 + 1) },
    });
    await screen.findByText(/^65,538 of 65,536 bytes/);
    await userEvent.click(screen.getByRole('button', { name: 'Send' }));
    expect(screen.getByRole('alert').textContent).toMatch(/65,538 bytes; 65,536 are the most/);
    expect(asked(fake, 'send-message')).toEqual([]);
  });

  test('the draft of the group is there, and what is typed is kept', async () => {
    const fake = show({ snapshot: { ...conversation(), draft: 'half' } });
    await userEvent.type(await screen.findByDisplayValue('half'), ' a word');
    await waitFor(() => expect(asked(fake, 'save-draft')).not.toEqual([]));
  });

  test('an empty conversation invites to write', async () => {
    show({ snapshot: snapshot({ entries: talk.slice(0, 2), status: status({ commit: 2 }) }) });
    expect(await screen.findByText(/Nothing has been said yet/)).toBeDefined();
  });

  test('who has not been let in yet is told so', async () => {
    show({ snapshot: snapshot({ status: status({ role: 'joining', members: [], commit: 0 }) }) });
    expect(await screen.findByText('The history comes once you are let in.')).toBeDefined();
    expect(screen.queryByText(/Nothing has been said yet/)).toBeNull();
  });

  test('many elections in a row are one line, which the keyboard unfolds', async () => {
    const elections = [5, 6, 7].map((seq) => leaderEntry(seq, 3, seq));
    const entries = [...talk, ...elections, messageEntry(8)];
    show({ snapshot: snapshot({ entries, status: status({ commit: 8 }) }) });
    const fold = await screen.findByRole('button', {
      name: '3 elections · Peer 3 leads · epoch 7',
    });
    const notes = () => screen.getAllByRole('note').map((note) => note.getAttribute('aria-label'));
    const others = ['#1 Ann, Ben Okafor and Chiara started the group', '#2 Peer 3 leads · epoch 4'];
    expect([fold.getAttribute('aria-expanded'), notes()]).toEqual(['false', others]);
    fold.focus();
    await userEvent.keyboard('{Enter}');
    expect(notes()).toEqual([
      ...others,
      ...[5, 6, 7].map((n) => `#${n} Peer 3 leads · epoch ${n}`),
    ]);
    expect([fold.getAttribute('aria-expanded'), document.activeElement]).toEqual(['true', fold]);
    await userEvent.keyboard('{Enter}');
    expect(notes()).toEqual(others);
  });

  test('a long message is folded until somebody asks for the rest, and again', async () => {
    const long = messageEntry(1, { text: `${'word '.repeat(1000)}end` });
    show({ snapshot: snapshot({ entries: [long], status: status({ commit: 1 }) }) });
    const more = await screen.findByRole('button', { name: /^Show all/ });
    expect(screen.queryByText(/end$/)).toBeNull();
    more.focus();
    await userEvent.keyboard('{Enter}');
    expect(screen.getByText(/end$/)).toBeDefined();
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Show less' }));
    await userEvent.keyboard('{Enter}');
    expect(screen.queryByText(/end$/)).toBeNull();
    expect(document.activeElement).toBe(screen.getByRole('button', { name: /^Show all/ }));
  });
});

describe('roster and status', () => {
  test('members show leader, presence, id and latency; the others are away', async () => {
    const members = [1, 2, 3];
    const roster = [...members, 6].map((id) => ({
      id,
      name: `P${id}`,
      address: 'h:1',
      listed: id !== 6,
    }));
    show({ snapshot: conversation({ roster, peers: [peer(2, { suspected: true }), peer(3)] }) });
    const list = within(await screen.findByRole('complementary', { name: 'Members' }));
    const rows = list.getAllByRole('listitem').map((item) => item.textContent);
    expect(rows).toEqual([
      expect.stringMatching(/P1.*peer 1 · you/),
      expect.stringMatching(/P3.*leader.*peer 3 · connected 5 ms/),
      expect.stringMatching(/P2.*peer 2 · does not answer/),
      expect.stringMatching(/P6.*peer 6 · away/),
    ]);
    expect(list.getByRole('list', { name: /Away/ }).childElementCount).toBe(1);
  });

  test('the panel tells the situation in a sentence and in its parts, and can be hidden', async () => {
    const fake = show({ snapshot: conversation() });
    const panel = within(await screen.findByRole('complementary', { name: 'Status' }));
    expect(panel.getByRole('status').textContent).toBe(
      'Chiara (3) leads. 3 of 3 connected. Everything is final.',
    );
    const dots = within(panel.getByRole('region', { name: 'Quorum' })).getAllByRole('listitem');
    expect(dots.map((dot) => dot.textContent)).toEqual([
      'Peer 1 is there',
      'Peer 2 is there',
      'Peer 3 is there',
    ]);
    const print = panel.getByRole('region', { name: 'History fingerprint' });
    expect(print.textContent).toMatch(/3fa9c 1d27b at #4/);
    await userEvent.click(screen.getByRole('button', { name: 'Status panel' }));
    expect(screen.queryByRole('complementary', { name: 'Status' })).toBeNull();
    expect(asked(fake, 'save-settings')).toEqual([{ theme: 'system', statusPanel: false }]);
  });

  test('a message on its way to its number does not make the sentence flicker', async () => {
    const fake = show({ snapshot: conversation() });
    const panel = within(await screen.findByRole('complementary', { name: 'Status' }));
    const said: (string | null)[] = [];
    const region = panel.getByRole('status');
    const observer = new MutationObserver(() => said.push(region.textContent));
    observer.observe(region, { subtree: true, childList: true, characterData: true });
    act(() => fake.emit('status-changed', status({ commit: 4, pending: 1 })));
    act(() => fake.emit('status-changed', status({ commit: 5 })));
    act(() => fake.emit('status-changed', status({ commit: 5, pending: 1 })));
    await waitFor(() => expect(region.textContent).toMatch(/1 message waits/));
    expect(said).toHaveLength(1);
    observer.disconnect();
  });

  test('the dots show who is needed, also when one is not enough', async () => {
    const members = [1, 2, 3, 4, 5];
    const peers = members.slice(1).map((id) => peer(id, { connected: false }));
    show({ snapshot: conversation({ established: false, leader: 1, members, peers }) });
    const quorum = within(await screen.findByRole('region', { name: 'Quorum' }));
    expect(quorum.getAllByRole('listitem').map((dot) => dot.textContent)).toEqual([
      'Peer 1 is there',
      ...[2, 3, 4, 5].map((id) => `Peer ${id} is one of those needed`),
    ]);
  });

  test('in a narrow window both open over the conversation, one at a time', async () => {
    const fake = show({ snapshot: conversation() }, 640);
    await screen.findByRole('log');
    const sides = () =>
      screen.queryAllByRole('complementary').map((side) => side.getAttribute('aria-label'));
    expect(sides()).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: 'Members panel' }));
    expect(sides()).toEqual(['Members']);
    await userEvent.click(screen.getByRole('button', { name: 'Status panel' }));
    expect(sides()).toEqual(['Status']);
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Status');
    await userEvent.keyboard('{Escape}');
    expect(sides()).toEqual([]);
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Status panel' }));
    await userEvent.click(screen.getByRole('button', { name: 'Members panel' }));
    await userEvent.click(screen.getByRole('textbox', { name: 'Message' }));
    expect(sides()).toEqual([]);
    expect(document.activeElement).toBe(screen.getByRole('textbox', { name: 'Message' }));
    expect(asked(fake, 'save-settings')).toEqual([]);
  });

  test('catching up shows how far', async () => {
    show({ snapshot: conversation({ progress: { at: 12_400, target: 80_000 } }) });
    const bar = await screen.findByRole('progressbar', { name: 'Catching up' });
    expect([bar.getAttribute('value'), bar.getAttribute('max')]).toEqual(['12400', '80000']);
  });

  test('a history that differs is loud, and shows the way out', async () => {
    const fake = show({ snapshot: conversation({ diverged: true }) });
    const alarm = await screen.findByRole('alert');
    expect(alarm.textContent).toMatch(/history differs/);
    await userEvent.click(within(alarm).getByRole('button', { name: 'Join again…' }));
    expect(asked(fake, 'join-again')).toEqual([{}]);
    const message = screen.getAllByRole('article')[0];
    expect(message?.dataset['state']).toBe('doubtful');
    expect(message?.getAttribute('aria-label')).toMatch(/number 3 here, perhaps not in the group$/);
    expect(screen.queryByText('final')).toBeNull();
  });

  test('the invite dialog has the link, copies it, and closes', async () => {
    const fake = show({ snapshot: conversation() });
    await userEvent.click(await screen.findByRole('button', { name: 'Invite' }));
    const dialog = within(screen.getByRole('dialog', { name: 'Invite to this group' }));
    const { invite } = openPhase();
    expect((dialog.getByRole('textbox', { name: 'Invite link' }) as HTMLInputElement).value).toBe(
      invite,
    );
    expect(dialog.getByRole('img', { name: 'QR code of the invite link' })).toBeDefined();
    await userEvent.click(dialog.getByRole('button', { name: 'Copy' }));
    expect(await dialog.findByText('Copied.')).toBeDefined();
    expect(asked(fake, 'copy-text')).toEqual([{ text: invite }]);
    await userEvent.click(dialog.getByRole('button', { name: 'Close' }));
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  test('the invite dialog says when the link works on this computer only', async () => {
    const words = /works on this computer only/;
    const invite = `${openPhase().invite.split('&seed')[0]}&seed=1%3A127.0.0.1%3A6001`;
    const fake = show({ snapshot: { ...conversation(), phase: { ...openPhase(), invite } } });
    await userEvent.click(await screen.findByRole('button', { name: 'Invite' }));
    expect(screen.getByText(words)).toBeDefined();
    const wider = `${invite}&seed=2%3A192.168.1.12%3A6001`;
    act(() => fake.emit('phase-changed', { ...openPhase(), invite: wider }));
    expect(screen.queryByText(words)).toBeNull();
  });

  test('the theme goes round and is kept', async () => {
    const fake = show({ snapshot: conversation() });
    await userEvent.click(await screen.findByRole('button', { name: 'Theme: system' }));
    expect(document.documentElement.dataset['theme']).toBe('light');
    await userEvent.click(screen.getByRole('button', { name: 'Theme: light' }));
    expect(asked(fake, 'save-settings')).toMatchObject([{ theme: 'light' }, { theme: 'dark' }]);
  });

  test('an error stands until it is dismissed', async () => {
    const fake = show({ snapshot: conversation() });
    await screen.findByRole('log');
    const error = { code: 'UNREACHABLE', message: 'h:1 does not answer.', fatal: false } as const;
    act(() => fake.emit('error-reported', error));
    expect(screen.getByRole('alert').textContent).toBe('h:1 does not answer.');
    await userEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(screen.queryByRole('alert')).toBeNull();
  });
});

test('the end is told with what to do', async () => {
  const error = { code: 'DISK', message: 'The disk is full. Make room.', fatal: true } as const;
  const fake = show({ snapshot: snapshot({ phase: { kind: 'ended', error } }) });
  expect((await screen.findByRole('alert')).textContent).toBe('The disk is full. Make room.');
  await userEvent.click(screen.getByRole('button', { name: 'Copy details' }));
  expect(asked(fake, 'copy-text')).toEqual([{ text: 'DISK: The disk is full. Make room.' }]);
});
