/**
 * The packaged program, started by its own file: that what people download opens and shows its first
 * card. It packs the app when that was not done since the last build, and never tests dist/ itself.
 * The package's inspector is off, so the window is watched through the debugging port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from '@playwright/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDisplay } from '../../scripts/lib/display.mjs';
import { projectNode, root } from '../../scripts/lib/paths.mjs';
import { capture } from '../../scripts/lib/processes.mjs';
import { fingerprint, targets } from '../../scripts/lib/freshness.mjs';
import { findElectron } from '../../scripts/set-up/electron-runtime.mjs';

const packLimitMs = 180_000;
const patienceMs = 20_000;
const output = join(root, 'release', findElectron()?.kind === 'fallback' ? 'not-for-release' : '');

let folder: string;
let program: ChildProcess | null = null;
let display: Awaited<ReturnType<typeof openDisplay>>;
let browser: Browser | null = null;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-packed-'));
  display = await openDisplay();
  await packIfStale();
}, packLimitMs + patienceMs);

afterAll(async () => {
  await browser?.close();
  if (program !== null && program.exitCode === null && program.signalCode === null) {
    const ended = new Promise((resolve) => program?.once('exit', resolve));
    program.kill('SIGKILL');
    await ended;
  }
  await display.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

test('the packaged program opens and offers to join a group', async () => {
  const page = await openPacked();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  const tab = page.getByRole('tab', { name: 'Join a group' });
  await tab.waitFor({ timeout: patienceMs });
  await tab.click();
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor({ timeout: patienceMs });
  expect({ errors, title: await page.title(), address: new URL(page.url()).protocol }).toEqual({
    errors: [],
    title: expect.stringContaining('Lockstep'),
    address: expect.not.stringMatching(/^(?:file|https?):/),
  });
  // The SQLite addon loads from the package: a group can be started on it.
  await page.getByRole('tab', { name: 'Start a group' }).click();
  await page.getByLabel('Your name').fill('Ada');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('textbox', { name: /message/i }).waitFor({ timeout: patienceMs });
});

async function packIfStale(): Promise<void> {
  const stamp = join(output, '.packed-from');
  const wanted = targets.map(fingerprint).join('\n');
  if (existsSync(executable()) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    return;
  }
  rmSync(stamp, { force: true });
  const packed = await capture(projectNode, [join(root, 'scripts', 'pack.mjs'), '--dir'], {
    limitMs: packLimitMs,
  });
  expect(packed.code, packed.output).toBe(0);
  writeFileSync(stamp, wanted);
}

/** The file that a person would double-click. */
function executable(): string {
  if (process.platform === 'darwin') {
    const arch = process.arch === 'arm64' ? 'mac-arm64' : 'mac';
    return join(output, arch, 'Lockstep.app', 'Contents', 'MacOS', 'Lockstep');
  }
  if (process.platform === 'win32') return join(output, 'win-unpacked', 'Lockstep.exe');
  return join(output, 'linux-unpacked', 'lockstep');
}

async function openPacked(): Promise<Page> {
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  program = spawn(
    executable(),
    [...asRoot, '--remote-debugging-port=0', '--data', join(folder, 'data')],
    {
      env: { ...process.env, ...display.env, LOCKSTEP_HOME: join(folder, 'home') },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  browser = await chromium.connectOverCDP(await debuggingAddress(program));
  const [context] = browser.contexts();
  if (context === undefined) throw new Error('The program has no browser context.');
  return context.pages()[0] ?? (await context.waitForEvent('page', { timeout: patienceMs }));
}

/** Chromium says on stderr where it can be watched. */
function debuggingAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`No debugging port:\n${text}`)), patienceMs);
    child.stderr?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const address = /DevTools listening on (\S+)/.exec(text)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`The program ended with ${code}:\n${text}`));
    });
  });
}
