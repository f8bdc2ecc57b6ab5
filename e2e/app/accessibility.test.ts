/**
 * The main states under axe, in both themes: what it finds is a failure. The keyboard reaches everything
 * that a person needs to join and to write.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type App, Desk, freePort, PATIENCE_MS } from './electron-app.ts';

const patient = { timeout: PATIENCE_MS };
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let desk: Desk;

beforeEach(() => {
  desk = new Desk();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await desk.keepTraces(task.name);
  await desk.close();
});

/** What axe finds in both themes, each finding as one line. */
async function findings(app: App): Promise<readonly string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await app.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page: app.page })
      // Electron has no second page to run in, which the modern mode needs.
      .setLegacyMode(true)
      .withTags(rules)
      .analyze();
    for (const { id, nodes } of violations) {
      for (const node of nodes) found.push(`${colorScheme} ${id}: ${node.html.slice(0, 160)}`);
    }
  }
  return found;
}

describe('axe finds nothing', () => {
  test('on the first card, on either side, with an error', async () => {
    const app = await desk.open();
    await app.page.getByRole('tab', { name: 'Join a group' }).waitFor();
    await app.photograph('first-card');
    expect(await findings(app)).toEqual([]);
    await app.page.getByRole('tab', { name: 'Start a group' }).click();
    await app.photograph('first-card-start');
    await app.page.getByRole('button', { name: 'Advanced' }).click();
    await app.page.getByLabel('Peer id').fill('0');
    await app.page.getByRole('button', { name: 'Start', exact: true }).click();
    await app.page.getByRole('alert').waitFor();
    expect(await findings(app)).toEqual([]);
  });

  test('while joining', async () => {
    const app = await desk.open();
    const nobody = `127.0.0.1:${await freePort()}`;
    await app.joinGroup({ id: 2, name: 'Ben', port: await freePort() }, nobody);
    await app.page.getByRole('button', { name: 'Cancel' }).waitFor();
    expect(await findings(app)).toEqual([]);
  });

  test('in a conversation, empty and not, and with the invite open', async () => {
    const app = await desk.open({
      args: ['--start-group', '--host', '127.0.0.1', '--name', 'Ada'],
    });
    await app.untilOpen();
    await expect.poll(() => app.situation(), patient).toContain('You lead');
    await app.photograph('empty');
    expect(await findings(app)).toEqual([]);
    await app.say('Some **light** `markdown` and https://example.org/a-link');
    await expect.poll(async () => (await app.messages('final')).length, patient).toBe(1);
    expect(await findings(app)).toEqual([]);
    await app.page.getByRole('button', { name: 'Invite', exact: true }).click();
    await app.page.getByRole('dialog').waitFor();
    expect(await findings(app)).toEqual([]);
  });
});

test('a group can be started and written to with the keyboard alone', async () => {
  const port = String(await freePort());
  const app = await desk.open({ args: ['--host', '127.0.0.1', '--port', port] });
  const { keyboard } = app.page;
  await app.page.getByRole('tab', { name: 'Join a group' }).waitFor();
  await app.page.getByRole('tab', { name: 'Join a group' }).focus();
  await keyboard.press('ArrowRight');
  await keyboard.press('Tab');
  await keyboard.type('Ada');
  await keyboard.press('Enter');
  await app.untilOpen();
  await keyboard.type('typed without a mouse');
  await keyboard.press('Enter');
  await expect.poll(() => app.messages('final'), patient).toEqual(['typed without a mouse']);
});
