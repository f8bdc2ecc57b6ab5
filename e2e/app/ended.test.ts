/**
 * When the node cannot go on: the window says why in words, and the other groups stay within reach.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { projectNode, root } from '../../scripts/lib/paths.mjs';
import { type App, Desk, freePort, PATIENCE_MS } from './electron-app.ts';

const patient = { timeout: PATIENCE_MS };

let desk: Desk;
let holder: ChildProcess | null = null;

beforeEach(() => {
  desk = new Desk();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await desk.keepTraces(task.name);
  holder?.kill('SIGKILL');
  holder = null;
  await desk.close();
});

/** A closed app with a group of its own that holds a few messages. */
async function closedGroup(): Promise<{ app: App; folder: string }> {
  const app = await desk.open({ args: ['--start-group', '--host', '127.0.0.1', '--name', 'Ada'] });
  await app.untilOpen();
  await app.say('worth keeping');
  await expect.poll(() => app.messages('final'), patient).toEqual(['worth keeping']);
  await app.closeWindow();
  const groups = join(app.data, 'groups');
  const [name = ''] = readdirSync(groups);
  return { app, folder: join(groups, name) };
}

test('a damaged database ends the group in words, and the first card is a step away', async () => {
  const { app, folder } = await closedGroup();
  damage(databaseIn(folder));
  const again = await desk.open({ data: app.data });
  const alert = again.page.getByRole('alert');
  await expect.poll(() => alert.innerText(), patient).toMatch(/damaged/i);
  await again.photograph('damaged');
  await again.page.getByRole('button', { name: 'Back', exact: true }).click();
  await again.page.getByRole('tab', { name: 'Start a group' }).waitFor();
});

test('a group that another process has open is left to it', async () => {
  const { app, folder } = await closedGroup();
  const port = String(await freePort());
  holder = spawn(projectNode, [
    join(root, 'dist', 'main', 'cli.js'),
    ...['--data', folder, '--host', '127.0.0.1', '--port', port, '--json'],
  ]);
  await said(holder, '"ready"');
  const again = await desk.open({ data: app.data });
  await expect
    .poll(() => again.page.getByRole('alert').innerText(), patient)
    .toMatch(/another process/i);
  await again.photograph('data-in-use');
});

/** Waits until the process has printed this. */
function said(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.once('exit', (code) => reject(new Error(`ended with ${String(code)}: ${printed}`)));
    child.stderr?.on('data', (more: Buffer) => {
      printed += more.toString();
    });
    child.stdout?.on('data', (more: Buffer) => {
      printed += more.toString();
      if (printed.includes(text)) resolve();
    });
  });
}

function databaseIn(folder: string): string {
  const isDatabase = (name: string): boolean => {
    const path = join(folder, name);
    return statSync(path).isFile() && readFileSync(path).subarray(0, 6).toString() === 'SQLite';
  };
  const name = readdirSync(folder).find(isDatabase);
  if (name === undefined) throw new Error(`no database in ${folder}`);
  return join(folder, name);
}

/** Overwrites everything after the first page, as a failing disk might. */
function damage(path: string): void {
  const { size } = statSync(path);
  const file = openSync(path, 'r+');
  const noise = Buffer.alloc(1024, 0x5a);
  for (let at = 4096; at < size; at += noise.length) writeSync(file, noise, 0, noise.length, at);
  closeSync(file);
}
