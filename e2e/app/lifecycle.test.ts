/**
 * How an app comes and goes: by a command line that names everything, by a signal, by a page that dies.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
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

/** The words that start this peer, through a seed or as the first of its group. */
function words(id: number, port: number, seed: number | null): readonly string[] {
  const through = seed === null ? ['--start-group'] : ['--seed', `1:127.0.0.1:${seed}`];
  const listen = ['--host', '127.0.0.1', '--port', String(port)];
  return ['--id', String(id), '--name', `Peer ${id}`, ...listen, ...through];
}

async function openTwo(): Promise<{ first: App; second: App; again: readonly string[] }> {
  const [port, other] = [await freePort(), await freePort()];
  const first = await desk.open({ args: words(1, port, null) });
  await first.untilOpen();
  const again = words(2, other, port);
  const second = await desk.open({ args: again });
  await second.untilOpen();
  for (const app of [first, second]) await expect.poll(() => app.leader(), patient).toBe(2);
  return { first, second, again };
}

test('a command line joins without the form, and resumes when it is given again', async () => {
  const { first, second, again } = await openTwo();
  await second.say('joined by words');
  await expect.poll(() => first.messages('final'), patient).toEqual(['joined by words']);
  await second.closeWindow();
  await expect.poll(() => first.leader(), patient).toBe(1);
  const back = await desk.open({ data: second.data, args: again });
  await back.untilOpen();
  await expect.poll(() => back.messages('final'), patient).toEqual(['joined by words']);
  await expect.poll(() => first.leader(), patient).toBe(2);
});

test('Switch Group leaves the group, and opens it again from the card', async () => {
  const { first, second } = await openTwo();
  await second.page.getByRole('textbox', { name: 'Message' }).fill('not sent yet');
  await second.chooseInMenu('File', 'Switch Group…');
  const card = second.page.getByRole('region', { name: 'Groups on this computer' });
  await card.waitFor();
  await second.photograph('groups-known');
  await expect.poll(() => first.leader(), patient).toBe(1);
  await card.getByRole('button', { name: /Peer 2 · peer 2/ }).click();
  await second.untilOpen();
  await expect.poll(() => first.leader(), patient).toBe(2);
  const composer = second.page.getByRole('textbox', { name: 'Message' });
  await expect.poll(() => composer.inputValue(), patient).toBe('not sent yet');
});

test('SIGTERM leaves the group before the process ends', async () => {
  const { first, second } = await openTwo();
  const code = await second.terminate();
  expect(code).toBe(0);
  const notes = async () => (await first.rows()).map((row) => row.text);
  await expect.poll(notes, patient).toContain('Peer 2 is away');
});

test('a page that dies is drawn again, and the peer has never been away', async () => {
  const [port, debugging] = [await freePort(), await freePort()];
  // A debugger that is attached when the page dies would keep it from coming back.
  const app = await desk.openDetached(debugging, words(1, port, null));
  await expect.poll(() => app.text(), patient).toContain('Everything is final.');
  const renderer = await app.rendererPid();
  process.kill(renderer, 'SIGKILL');
  await expect.poll(() => app.rendererPid(), patient).not.toBe(renderer);
  await expect.poll(() => app.text(), patient).toContain('Peer 1 leads · epoch 1');
  expect(await app.text()).not.toContain('epoch 2');
});
