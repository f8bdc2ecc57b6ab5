/**
 * The conversation as it lies on screen: what only a laid-out page can tell. Alone in its group, a window
 * has its own quorum.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Locator, Page } from '@playwright/test';
import { type App, Desk, PATIENCE_MS } from './electron-app.ts';

const patient = { timeout: PATIENCE_MS };

let desk: Desk;

beforeEach(() => {
  desk = new Desk();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await desk.keepTraces(task.name);
  await desk.close();
});

async function openAlone(): Promise<App> {
  const app = await desk.open({ args: ['--start-group', '--host', '127.0.0.1', '--name', 'Ada'] });
  await app.untilOpen();
  await expect.poll(() => app.situation(), patient).toContain('You lead');
  return app;
}

async function resize(app: App, width: number, height: number): Promise<void> {
  await app.electron.evaluate(
    ({ BrowserWindow }, [w, h]) => BrowserWindow.getAllWindows()[0]?.setContentSize(w ?? 0, h ?? 0),
    [width, height],
  );
  await expect.poll(() => app.page.evaluate(() => window.innerHeight), patient).toBe(height);
}

test('the words of an empty conversation cover nothing in a small window', async () => {
  const app = await openAlone();
  await resize(app, 640, 480);
  const note = app.page.getByRole('note').last();
  const words = app.page.getByRole('button', { name: 'Invite others' });
  const [below, above] = [await note.boundingBox(), await words.boundingBox()];
  expect((above?.y ?? 0) + (above?.height ?? 0)).toBeLessThan(below?.y ?? 0);
});

test('who writes while reading further up sees what they have written', async () => {
  const app = await openAlone();
  for (let i = 1; i <= 8; i += 1) await app.say(`${i}\n`.repeat(12));
  await expect.poll(async () => (await app.messages('final')).length, patient).toBe(8);
  await app.page.getByRole('log', { name: 'Conversation' }).press('Home');
  const jump = app.page.getByRole('button', { name: 'Jump to latest' });
  await jump.waitFor();
  await app.say('here I am');
  await expect.poll(() => jump.count(), patient).toBe(0);
  const text = app.page.getByText('here I am');
  const composer = app.page.getByRole('textbox', { name: 'Message' });
  const bottom = async () => {
    const box = await text.boundingBox();
    return box === null ? Infinity : box.y + box.height;
  };
  await expect.poll(bottom, patient).toBeLessThan((await composer.boundingBox())?.y ?? 0);
});

test('what is copied is who said what', async () => {
  const app = await openAlone();
  await app.say('one **two**');
  await app.say('  three\n\n\nfour');
  await expect.poll(async () => (await app.messages('final')).length, patient).toBe(2);
  await app.page.evaluate(() => {
    const rows = document.querySelectorAll('article');
    const [first, last] = [rows[0], rows[1]];
    if (first === undefined || last === undefined) return;
    window.getSelection()?.setBaseAndExtent(first, 0, last, last.childNodes.length);
    document.execCommand('copy');
  });
  const copied = await app.electron.evaluate(({ clipboard }) => clipboard.readText());
  expect(copied.replaceAll(/\n+/g, '\n').trim()).toBe('Ada\none two\n  three\nfour');
  expect(copied).toContain('  three\n\n\nfour');
});

/** A long message and two below it, with the list at its end. */
async function openWithLongMessage(): Promise<{ readonly page: Page; readonly list: Locator }> {
  const app = await openAlone();
  const lines = Array.from({ length: 120 }, (_, i) => `line ${i + 1}`);
  await app.say(lines.join('\n'));
  for (const text of ['after', 'after that']) await app.say(text);
  await expect.poll(async () => (await app.messages('final')).length, patient).toBe(3);
  const list = app.page.getByRole('log', { name: 'Conversation' });
  const below = () =>
    list.evaluate((e) => Math.round(e.scrollHeight - e.clientHeight - e.scrollTop));
  await expect.poll(below, patient).toBe(0);
  return { page: app.page, list };
}

test('a long message is unfolded where it begins, and folded without losing it', async () => {
  const { list, page } = await openWithLongMessage();
  const top = () => list.evaluate((element) => element.scrollTop);
  const before = await top();
  await page.getByRole('button', { name: 'Show all' }).press('Enter');
  await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
  expect(await top()).toBe(before);
  const less = page.getByRole('button', { name: 'Show less' });
  await less.press('Enter');
  const all = page.getByRole('button', { name: 'Show all' });
  await expect.poll(() => all.evaluate((e) => document.activeElement === e), patient).toBe(true);
  const [button, frame] = [await all.boundingBox(), await list.boundingBox()];
  expect(button?.y).toBeGreaterThanOrEqual(frame?.y ?? Infinity);
  expect(button?.y).toBeLessThan((frame?.y ?? 0) + (frame?.height ?? 0));
});

test('a long message unfolds where it begins while the list is on its way to the end', async () => {
  const { list, page } = await openWithLongMessage();
  await list.press('Home');
  await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
  // Both in one frame: no hand is that quick, but a message that arrives starts the same way to the end.
  const [landed, later] = await list.evaluate(async (element) => {
    const press = async (name: string) => {
      const buttons = [...document.querySelectorAll('button')];
      buttons.find((button) => button.textContent.startsWith(name))?.click();
      await Promise.resolve();
    };
    const frame = () => new Promise(requestAnimationFrame);
    await press('Jump to latest');
    const top = element.scrollTop;
    await press('Show all');
    for (let i = 0; i < 10; i += 1) await frame();
    return [top, element.scrollTop];
  });
  expect(landed).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Show less' }).waitFor();
  expect(later).toBe(landed);
});
