/**
 * What people do, from the first card to a conversation that outlives its leader: three windows, each an
 * app of its own with its own data, over real sockets.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type App, Desk, freePort, PATIENCE_MS } from './electron-app.ts';

const patient = { timeout: PATIENCE_MS };

let desk: Desk;

beforeEach(() => {
  desk = new Desk();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await desk.keepTraces(task.name);
  await desk.close();
});

/** Ada (1) starts a group; Ben (2) and Cleo (3) join by her address, all by the form. */
async function openThree(): Promise<readonly [App, App, App]> {
  const [ada, ben, cleo] = await Promise.all([desk.open(), desk.open(), desk.open()]);
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  await ada.startGroup({ id: 1, name: 'Ada', port: ports[0] });
  await ada.untilOpen();
  const seed = `127.0.0.1:${ports[0]}`;
  await ben.joinGroup({ id: 2, name: 'Ben', port: ports[1] }, seed);
  await ben.untilOpen();
  await cleo.joinGroup({ id: 3, name: 'Cleo', port: ports[2] }, seed);
  await cleo.untilOpen();
  for (const app of [ada, ben, cleo]) {
    await expect.poll(() => app.leader(), patient).toBe(3);
    await expect.poll(() => app.situation(), patient).toContain('3 of 3 connected');
  }
  return [ada, ben, cleo];
}

/** Waits until all windows show these messages as final, in one order with the same numbers. */
async function expectSameConversation(
  apps: readonly App[],
  texts: readonly string[],
): Promise<void> {
  for (const app of apps) {
    const final = async () => (await app.messages('final')).toSorted();
    await expect.poll(final, patient).toEqual(texts.toSorted());
  }
  // What stands behind the last message may be on one screen a moment before it is on the other.
  const differing = async () => {
    const [first = [], ...others] = await Promise.all(apps.map((app) => app.rows()));
    return others
      .filter((rows) => !isDeepStrictEqual(rows, first))
      .flatMap((rows) => [first, rows]);
  };
  await expect.poll(differing, patient).toEqual([]);
  const numbers = ((await apps[0]?.rows()) ?? []).map((row) => row.seq);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
}

describe('three people', () => {
  test('join by the form, and read the same list with the same numbers', async () => {
    const [ada, ben, cleo] = await openThree();
    const begun = ['Good morning! Are we all reading the same list?', 'Same numbers here.'];
    await ada.say('Good morning! Are we **all** reading the same list?');
    await expectSameConversation([ada, ben, cleo], begun.slice(0, 1));
    await ben.say('Same numbers here.');
    await expectSameConversation([ada, ben, cleo], begun);
    const atOnce = ['I write first', 'No, I do', 'And I give the numbers'];
    await Promise.all([ada.say('I write first'), ben.say('No, I do'), cleo.say(atOnce[2] ?? '')]);
    await expectSameConversation([ada, ben, cleo], [...begun, ...atOnce]);
    const plan = 'Then it is settled:\nnobody writes first,\nthe list does.';
    await ada.say(plan);
    const all = [...begun, ...atOnce, plan];
    await expectSameConversation([ada, ben, cleo], all);
    for (const app of [ada, ben, cleo]) {
      await expect.poll(() => app.situation(), patient).toContain('Everything is final.');
    }
    const fingerprints = await Promise.all([ada, ben, cleo].map((app) => app.fingerprint()));
    expect(new Set(fingerprints).size).toBe(1);
    await ada.photograph('conversation');
    expect([ada, ben, cleo].flatMap((app) => app.complaints)).toEqual([]);
  });

  test('go on when the leader closes the window', async () => {
    const [ada, ben, cleo] = await openThree();
    await ben.say('before');
    await expectSameConversation([ada, ben, cleo], ['before']);
    await cleo.closeWindow();
    for (const app of [ada, ben]) await expect.poll(() => app.leader(), patient).toBe(2);
    await ada.say('after');
    await expectSameConversation([ada, ben], ['before', 'after']);
    await ada.photograph('leader-left');
  });

  test('go on when the leader dies, and it leads again when it is back', async () => {
    const [ada, ben, cleo] = await openThree();
    await cleo.say('first words');
    await expectSameConversation([ada, ben, cleo], ['first words']);
    await cleo.kill();
    for (const app of [ada, ben]) await expect.poll(() => app.leader(), patient).toBe(2);
    await ben.say('while Cleo is gone');
    await expectSameConversation([ada, ben], ['first words', 'while Cleo is gone']);
    await ada.photograph('leader-died');

    const back = await desk.open({ data: cleo.data });
    await back.untilOpen();
    await expectSameConversation([ada, ben, back], ['first words', 'while Cleo is gone']);
    for (const app of [ada, ben, back]) await expect.poll(() => app.leader(), patient).toBe(3);
    await back.say('Cleo again');
    await expectSameConversation(
      [ada, ben, back],
      ['first words', 'while Cleo is gone', 'Cleo again'],
    );
  });

  test('may write without a quorum; it becomes final when somebody is back', async () => {
    const [ada, ben, cleo] = await openThree();
    await ada.say('all here');
    await expectSameConversation([ada, ben, cleo], ['all here']);
    await Promise.all([ben.kill(), cleo.kill()]);
    await expect.poll(() => ada.situation(), patient).toMatch(/^No quorum: 1 of 3/);
    await ada.say('anybody?');
    await expect.poll(() => ada.messages('provisional'), patient).toEqual(['anybody?']);
    expect(await ada.messages('final')).toEqual(['all here']);
    await ada.photograph('no-quorum');

    const back = await desk.open({ data: ben.data });
    await back.untilOpen();
    await expectSameConversation([ada, back], ['all here', 'anybody?']);
    await expect
      .poll(() => ada.situation(), patient)
      .toMatch(/2 of 3 connected. Everything is final/);
  });
});

describe('one person', () => {
  test('finds the group, the settings and the unsent words again', async () => {
    const app = await desk.open({
      args: ['--start-group', '--host', '127.0.0.1', '--name', 'Ada'],
    });
    await app.untilOpen();
    await app.say('to myself');
    await expect.poll(() => app.messages('final'), patient).toEqual(['to myself']);
    await app.page.getByRole('button', { name: 'Theme: system' }).click();
    await app.page.getByRole('button', { name: 'Theme: light' }).click();
    await app.page.getByRole('textbox', { name: 'Message' }).fill('not sent yet');
    await app.closeWindow();

    const again = await desk.open({ data: app.data });
    await again.untilOpen();
    await expect.poll(() => again.messages('final'), patient).toEqual(['to myself']);
    const composer = again.page.getByRole('textbox', { name: 'Message' });
    await expect.poll(() => composer.inputValue(), patient).toBe('not sent yet');
    await again.page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    const dark = await again.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await again.page.getByRole('button', { name: 'Theme: dark' }).click();
    await again.page.getByRole('button', { name: 'Theme: system' }).click();
    const light = await again.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(dark).not.toBe(light);
  });

  test('copies, pastes and copies links by right click', async () => {
    const app = await desk.open({
      args: ['--start-group', '--host', '127.0.0.1', '--name', 'Ada'],
    });
    await app.untilOpen();
    await app.say('see https://a.example/x');
    await expect.poll(() => app.messages('final'), patient).toHaveLength(1);
    // A native menu takes every key and click until it is closed: what it would show is enough.
    await app.electron.evaluate(({ Menu }) => {
      Menu.prototype.popup = function popup(this: Electron.Menu): void {
        const labels = this.items.filter(({ type }) => type !== 'separator').map((i) => i.label);
        (globalThis as { shown?: readonly string[] }).shown = labels;
        this.items.find(({ label }) => label === 'Copy Link')?.click();
      };
    });
    const shown = () =>
      app.electron.evaluate(() => (globalThis as { shown?: readonly string[] }).shown);
    await app.page.getByRole('textbox', { name: 'Message' }).click({ button: 'right' });
    await expect.poll(shown, patient).toEqual(['Cut', 'Copy', 'Paste', 'Select All']);
    await app.page.getByRole('link', { name: 'https://a.example/x' }).click({ button: 'right' });
    await expect.poll(shown, patient).toEqual(['Copy Link', 'Copy', 'Select All']);
    const copied = () => app.electron.evaluate(({ clipboard }) => clipboard.readText());
    await expect.poll(copied, patient).toBe('https://a.example/x');
  });

  test('cannot send 70 KiB in one message, and keeps the text', async () => {
    const app = await desk.open({
      args: ['--start-group', '--host', '127.0.0.1', '--name', 'Ada'],
    });
    await app.untilOpen();
    const text = 'long '.repeat(14 * 1024);
    await app.say(text);
    const composer = app.page.getByRole('textbox', { name: 'Message' });
    await app.page.getByRole('alert').filter({ hasText: 'bytes' }).waitFor();
    expect(await composer.inputValue()).toBe(text);
    expect(await app.messages('final')).toEqual([]);
    await app.photograph('too-long');
    await app.say('short again');
    await expect.poll(() => app.messages('final'), patient).toEqual(['short again']);
  });
});
