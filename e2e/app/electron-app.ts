/**
 * A person at a window: starts the built app with Electron, finds things by what a screen reader would
 * call them, and leaves nothing running. It knows the page's words and nothing of its structure, and it
 * waits for conditions only, never for a time.
 */
import { type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';
import { openDisplay } from '../../scripts/lib/display.mjs';
import { findElectron } from '../../scripts/set-up/electron-runtime.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** Screenshots of every state go here, if anywhere. */
const screenshots = process.env['LOCKSTEP_SCREENSHOTS'] ?? null;
/** Longest wait for anything a window shows, milliseconds; a busy two-core machine needs seconds. */
export const PATIENCE_MS = 15_000;

/** How one app is started. */
export interface AppOptions {
  /** Its data root; a new one under the desk's folder unless given. */
  readonly data?: string;
  /** Further words of the command line. */
  readonly args?: readonly string[];
}

/** A desk with several windows, each an app of its own; one per test. */
export class Desk {
  /** Holds every app's data, and the home folder with this user's keys. */
  readonly folder = mkdtempSync(join(tmpdir(), 'lockstep-app-'));
  readonly #apps: App[] = [];
  #display: Awaited<ReturnType<typeof openDisplay>> | null = null;

  /** Starts an app and waits for its window. */
  async open({ data, args = [] }: AppOptions = {}): Promise<App> {
    const runtime = findElectron();
    if (runtime === null) throw new Error('No Electron is here; run: node scripts/set-up.mjs');
    if (!existsSync(join(repository, 'dist', 'main', 'index.js'))) {
      throw new Error('There is no dist/; run: npm run build');
    }
    this.#display ??= await openDisplay();
    const root = data ?? join(this.folder, `app-${this.#apps.length + 1}`);
    const electron = await _electron.launch({
      executablePath: runtime.executable,
      args: [repository, '--data', root, ...args],
      cwd: repository,
      // This user's key store is the desk's own; what the machine's user has stays out of it.
      env: { ...environment(), ...this.#display.env, LOCKSTEP_HOME: join(this.folder, 'home') },
      timeout: 30_000,
    });
    const app = new App(electron, root, await electron.firstWindow());
    this.#apps.push(app);
    return app;
  }

  /** Ends everything; call after each test. */
  async close(): Promise<void> {
    for (const app of this.#apps) await app.kill();
    await this.#display?.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Keeps a picture of every window of a test that failed. */
  async photographFailure(name: string): Promise<void> {
    const folder = join(repository, 'test-results');
    mkdirSync(folder, { recursive: true });
    for (const [index, app] of this.#apps.entries()) {
      if (!app.isUp()) continue;
      const path = join(folder, `${name.replaceAll(/[^\w]+/g, '-').slice(0, 80)}-${index + 1}.png`);
      await app.page.screenshot({ path });
    }
  }
}

/** One running app with its window. */
export class App {
  readonly electron: ElectronApplication;
  readonly data: string;
  readonly page: Page;
  /** What the page said that it should not have: errors, refused requests. */
  readonly complaints: string[] = [];
  readonly #process: ChildProcess;

  constructor(electron: ElectronApplication, data: string, page: Page) {
    this.electron = electron;
    this.data = data;
    this.page = page;
    this.#process = electron.process();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  isUp(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Closes the window as a person does and waits until the process has ended. */
  async closeWindow(): Promise<void> {
    const ended = this.#ended();
    await this.electron.evaluate(({ BrowserWindow }) => {
      for (const window of BrowserWindow.getAllWindows()) window.close();
    });
    await ended;
  }

  /** SIGKILL: the process ends without a word to anybody. */
  async kill(): Promise<void> {
    if (!this.isUp()) return;
    const ended = this.#ended();
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** Keeps a picture of this state, light and dark, if LOCKSTEP_SCREENSHOTS names a folder. */
  async photograph(name: string): Promise<void> {
    if (screenshots === null) return;
    mkdirSync(screenshots, { recursive: true });
    for (const scheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await this.page.screenshot({ path: join(screenshots, `${name}-${scheme}.png`) });
    }
    await this.page.emulateMedia({ colorScheme: null, reducedMotion: null });
  }

  async #ended(): Promise<void> {
    if (!this.isUp()) return;
    await new Promise((resolve) => this.#process.once('exit', resolve));
  }
}

/** A port that is free now; the tests' own, so that windows do not meet the machine's other programs. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** This process's environment without what would make Electron something else. */
function environment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (pair): pair is [string, string] =>
      pair[1] !== undefined && pair[0] !== 'ELECTRON_RUN_AS_NODE' && !pair[0].startsWith('VITEST'),
  );
  return Object.fromEntries(inherited);
}
