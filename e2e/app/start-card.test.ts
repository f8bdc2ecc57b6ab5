/**
 * The first card: what stands at which field when an attempt fails, and the ways in that need no typing.
 */
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Locator } from '@playwright/test';
import { type App, Desk, freePort, PATIENCE_MS } from './electron-app.ts';

const patient = { timeout: PATIENCE_MS };

let desk: Desk;
const servers: Server[] = [];

beforeEach(() => {
  desk = new Desk();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await desk.keepTraces(task.name);
  await desk.close();
  for (const server of servers.splice(0)) {
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A group of one, and the address it listens on. */
async function openGroup(id = 1): Promise<{ app: App; address: string; port: number }> {
  const port = await freePort();
  const words = ['--id', String(id), '--host', '127.0.0.1', '--port', String(port)];
  const app = await desk.open({ args: ['--start-group', '--name', 'Ada', ...words] });
  await app.untilOpen();
  return { app, address: `127.0.0.1:${port}`, port };
}

/** A port on which something listens that never answers. */
async function silentPort(): Promise<number> {
  const port = await freePort();
  const server = createServer((socket) => socket.on('error', () => socket.destroy()));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return port;
}

/** The error that a screen reader would read out at this field. */
async function errorAt(field: Locator): Promise<string> {
  const ids = (await field.getAttribute('aria-describedby'))?.split(' ') ?? [];
  const id = ids.find((each) => each.endsWith('-error'));
  if (id === undefined || (await field.getAttribute('aria-invalid')) !== 'true') return '';
  return field.page().locator(`[id="${id}"]`).innerText();
}

describe('an error stands at its field', () => {
  test('a port in use, with a free one to take instead', async () => {
    const taken = await silentPort();
    const app = await desk.open();
    await app.startGroup({ id: 1, name: 'Ada', port: taken });
    const field = app.page.getByLabel('Listen port');
    await expect.poll(() => errorAt(field), patient).toContain(String(taken));
    await app.photograph('port-in-use');
    await app.page.getByRole('button', { name: /^Use port \d+$/ }).click();
    await expect.poll(() => field.inputValue(), patient).not.toBe(String(taken));
    await app.page.getByRole('button', { name: 'Start', exact: true }).click();
    await app.untilOpen();
  });

  test('a wrong key', async () => {
    const { address } = await openGroup();
    const app = await desk.open();
    const key = Buffer.alloc(32, 7).toString('base64url');
    await app.joinGroup({ id: 2, name: 'Ben', port: await freePort() }, address, key);
    await expect.poll(() => errorAt(app.page.getByLabel('Group key')), patient).not.toBe('');
    await app.photograph('wrong-key');
    // What was typed is still there to be mended; the right key is in this user's key store.
    expect(await app.page.getByLabel('Seed address').inputValue()).toBe(address);
    await app.page.getByLabel('Group key').fill('');
    await app.page.getByRole('button', { name: 'Join', exact: true }).click();
    await app.untilOpen();
  });

  test('an id that somebody else has', async () => {
    const { address } = await openGroup(5);
    const app = await desk.open();
    await app.joinGroup({ id: 5, name: 'Ben', port: await freePort() }, address);
    await expect.poll(() => errorAt(app.page.getByLabel('Peer id')), patient).not.toBe('');
    await app.photograph('id-taken');
    await app.page.getByLabel('Peer id').fill('6');
    await app.page.getByRole('button', { name: 'Join', exact: true }).click();
    await app.untilOpen();
  });

  test('what no address could be', async () => {
    const app = await desk.open();
    await app.joinGroup({ id: 2, name: 'Ben', port: await freePort() }, 'not an address');
    await expect
      .poll(() => errorAt(app.page.getByLabel('Seed address')), patient)
      .toContain('192.168.1.20:6001');
  });
});

test('a seed that does not answer is named, and the way back keeps what was typed', async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  const app = await desk.open();
  await app.joinGroup({ id: 2, name: 'Ben', port: await freePort() }, nobody);
  await app.page.getByRole('heading', { name: `Joining through ${nobody}` }).waitFor();
  await app.page.getByRole('status').filter({ hasText: nobody }).waitFor();
  await app.photograph('joining');
  await app.page.getByRole('button', { name: 'Cancel' }).click();
  await app.page.getByRole('heading', { name: 'Lockstep' }).waitFor();
  expect(await app.page.getByLabel('Seed address').inputValue()).toBe(nobody);
  expect(await app.page.getByLabel('Your name').inputValue()).toBe('Ben');
});

test('a seed that comes up later is joined without another click', async () => {
  const port = await freePort();
  const ben = await desk.open();
  await ben.joinGroup({ id: 2, name: 'Ben', port: await freePort() }, `127.0.0.1:${port}`);
  await ben.page.getByRole('button', { name: 'Cancel' }).waitFor();
  const words = ['--start-group', '--id', '1', '--host', '127.0.0.1', '--port', String(port)];
  const ada = await desk.open({ args: words });
  await ada.untilOpen();
  await ben.untilOpen();
  await expect.poll(() => ben.leader(), patient).toBe(2);
});

test('an invite link fills the form, and is enough to join', async () => {
  const { app: ada, address } = await openGroup();
  await ada.page.getByRole('button', { name: 'Invite', exact: true }).click();
  const dialog = ada.page.getByRole('dialog', { name: 'Invite to this group' });
  const link = await dialog.getByLabel('Invite link', { exact: true }).inputValue();
  await ada.photograph('invite');
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByText('Copied.').waitFor();
  expect(await ada.electron.evaluate(({ clipboard }) => clipboard.readText())).toBe(link);

  const port = String(await freePort());
  const ben = await desk.open({
    args: [link, '--id', '2', '--name', 'Ben', '--host', '127.0.0.1', '--port', port],
  });
  await expect
    .poll(() => ben.page.getByLabel('Seed address').inputValue(), patient)
    .toContain(address);
  await ben.photograph('invited');
  await ben.page.getByRole('button', { name: 'Join', exact: true }).click();
  await ben.untilOpen();
  await expect.poll(() => ada.leader(), patient).toBe(2);
});

test('a second start of the same folder hands over its link and leaves', async () => {
  const { app: ada } = await openGroup();
  const invite = await ada.page.evaluate(async () => {
    const bridge = (
      window as unknown as {
        lockstep: { getSnapshot: (args: object) => Promise<{ phase: { invite: string } }> };
      }
    ).lockstep;
    return (await bridge.getSnapshot({})).phase.invite;
  });
  const ben = await desk.open();
  await ben.page.getByRole('heading', { name: 'Lockstep' }).waitFor();
  expect(await desk.startAgain(ben, [invite])).toBe(0);
  await expect.poll(() => ben.page.getByLabel('Invite link').inputValue(), patient).toBe(invite);
});
