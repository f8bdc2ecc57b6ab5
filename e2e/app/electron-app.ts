/**
 * A person at a window: starts the built app with Electron, finds things by what a screen reader would
 * call them, and leaves nothing running. It knows the page's words and nothing of its structure, and it
 * waits for conditions only, never for a time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  _electron,
  type Browser,
  chromium,
  type ElectronApplication,
  type Page,
} from '@playwright/test';
import { openDisplay } from '../../scripts/lib/display.mjs';
import { findElectron } from '../../scripts/set-up/electron-runtime.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** Screenshots of every state go here, if anywhere. */
const screenshots = process.env['LOCKSTEP_SCREENSHOTS'] ?? null;
/** Longest wait for anything a window shows, milliseconds; a busy two-core machine needs seconds. */
export const PATIENCE_MS = 15_000;

/** Who somebody is, as typed into the form. */
export interface Person {
  readonly id: number;
  readonly name: string;
  readonly port: number;
}

/** One row of the conversation as the window shows it. */
export interface ShownRow {
  /** Final number; null while it has none. */
  readonly seq: number | null;
  readonly state: string;
  /** `message`, or what a slim line is about. */
  readonly kind: string;
  readonly text: string;
}

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
  readonly #display = openDisplay();
  readonly #detached: ChildProcess[] = [];
  #opened = 0;

  /** Starts an app and waits for its window. */
  async open({ data, args = [] }: AppOptions = {}): Promise<App> {
    if (!existsSync(join(repository, 'dist', 'main', 'index.js'))) {
      throw new Error('There is no dist/; run: npm run build');
    }
    this.#opened += 1;
    const root = data ?? join(this.folder, `app-${this.#opened}`);
    const electron = await _electron.launch({
      executablePath: executable(),
      args: [repository, '--data', root, ...args],
      cwd: repository,
      env: await this.#environment(),
      timeout: 30_000,
    });
    const app = new App(electron, root, await electron.firstWindow());
    this.#apps.push(app);
    return app;
  }

  /** Starts the program once more on the same folder; answers its exit code. */
  async startAgain(app: App, args: readonly string[]): Promise<number | null> {
    const second = spawn(executable(), ['--no-sandbox', repository, '--data', app.data, ...args], {
      env: await this.#environment(),
      stdio: 'ignore',
    });
    return new Promise((resolve) => second.once('exit', resolve));
  }

  /** Starts an app that no debugger is attached to but while something is asked of it. */
  async openDetached(debuggingPort: number, args: readonly string[]): Promise<DetachedApp> {
    this.#opened += 1;
    const data = join(this.folder, `app-${this.#opened}`);
    const debugging = `--remote-debugging-port=${debuggingPort}`;
    const words = ['--no-sandbox', debugging, repository, '--data', data, ...args];
    const started = spawn(executable(), words, {
      env: await this.#environment(),
      stdio: 'ignore',
    });
    this.#detached.push(started);
    return new DetachedApp(debuggingPort);
  }

  async #environment(): Promise<Record<string, string>> {
    const display = await this.#display;
    // This user's key store is the desk's own; what the machine's user has stays out of it.
    const own = { ...display.env, LOCKSTEP_HOME: join(this.folder, 'home') };
    return { ...environment(), ...own };
  }

  /** Ends everything; call after each test. */
  async close(): Promise<void> {
    for (const app of this.#apps) await app.kill();
    for (const app of this.#detached) await killed(app);
    await (await this.#display).close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Keeps a picture of every window of a test that failed, and what every app logged. */
  async keepTraces(name: string): Promise<void> {
    const folder = join(repository, 'test-results');
    mkdirSync(folder, { recursive: true });
    for (const [index, app] of this.#apps.entries()) {
      const path = join(folder, `${name.replaceAll(/[^\w]+/g, '-').slice(0, 80)}-${index + 1}`);
      copyFileSync(join(app.data, 'logs', 'lockstep.log'), `${path}.log`);
      if (app.isUp()) await app.page.screenshot({ path: `${path}.png` });
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

  /** Fills “Start a group” and presses the button; does not wait for the group. */
  async startGroup(person: Person): Promise<void> {
    await this.page.getByRole('tab', { name: 'Start a group' }).click();
    await this.#fillIdentity(person);
    await this.page.getByRole('button', { name: 'Start', exact: true }).click();
  }

  /** Fills “Join a group” and presses the button; does not wait for an answer. */
  async joinGroup(person: Person, seed: string, key = ''): Promise<void> {
    await this.page.getByRole('tab', { name: 'Join a group' }).click();
    await this.page.getByLabel('Seed address').fill(seed);
    await this.page.getByLabel('Group key').fill(key);
    await this.#fillIdentity(person);
    await this.page.getByRole('button', { name: 'Join', exact: true }).click();
  }

  async #fillIdentity({ id, name, port }: Person): Promise<void> {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByLabel('Peer id').fill(String(id));
    const advanced = this.page.getByRole('button', { name: 'Advanced' });
    if ((await advanced.getAttribute('aria-expanded')) !== 'true') await advanced.click();
    await this.page.getByLabel('Listen host').fill('127.0.0.1');
    await this.page.getByLabel('Listen port').fill(String(port));
  }

  /** Waits until the conversation is on screen. */
  async untilOpen(): Promise<void> {
    await this.page.getByRole('log', { name: 'Conversation' }).waitFor();
  }

  /** Types a message and presses Enter. */
  async say(text: string): Promise<void> {
    const composer = this.page.getByRole('textbox', { name: 'Message' });
    await composer.fill(text);
    await composer.press('Enter');
  }

  /** What stands in the conversation, from top to bottom. */
  async rows(): Promise<readonly ShownRow[]> {
    const rows = this.page.getByRole('log', { name: 'Conversation' }).locator('[data-message]');
    return rows.evaluateAll((elements) =>
      elements.map((element) => {
        const { seq, state = '', kind = 'message' } = (element as HTMLElement).dataset;
        const words = element.querySelector<HTMLElement>('.text, .row-note-text');
        const text = (words?.innerText ?? '').trim();
        return { seq: seq === undefined ? null : Number(seq), state, kind, text };
      }),
    );
  }

  /** Texts of the messages in this state, from top to bottom. */
  async messages(
    state: 'final' | 'doubtful' | 'provisional' | 'pending',
  ): Promise<readonly string[]> {
    const rows = await this.rows();
    return rows.filter((row) => row.kind === 'message' && row.state === state).map((r) => r.text);
  }

  /** Id of the peer that has the leader's badge; null while nobody has. */
  async leader(): Promise<number | null> {
    const members = this.page.getByRole('complementary', { name: 'Members' });
    const leading = members.getByRole('listitem').filter({ has: this.page.getByText('leader') });
    if ((await leading.count()) !== 1) return null;
    return Number(await leading.getAttribute('data-peer'));
  }

  /** The sentence of the status panel. */
  async situation(): Promise<string> {
    const panel = this.page.getByRole('complementary', { name: 'Status' });
    return (await panel.getByRole('status').first().innerText()).trim();
  }

  /** The history fingerprint as shown: hash and number. */
  async fingerprint(): Promise<string> {
    return (
      await this.page.getByRole('region', { name: 'History fingerprint' }).innerText()
    ).trim();
  }

  /** Chooses an item of the application menu; both labels as they are shown. */
  async chooseInMenu(menu: string, item: string): Promise<void> {
    await this.electron.evaluate(
      ({ Menu }, [inMenu, wanted]) => {
        const shown = (label: string): string => label.replace('&', '');
        const menus = Menu.getApplicationMenu()?.items ?? [];
        const found = menus
          .find(({ label }) => shown(label) === inMenu)
          ?.submenu?.items.find(({ label }) => shown(label) === wanted);
        if (found === undefined) throw new Error(`no “${String(wanted)}” in “${String(inMenu)}”`);
        found.click();
      },
      [menu, item],
    );
  }

  /** Closes the window as a person does and waits until the process has ended. */
  async closeWindow(): Promise<void> {
    const ended = this.#ended();
    await this.electron.evaluate(({ BrowserWindow }) => {
      for (const window of BrowserWindow.getAllWindows()) window.close();
    });
    await ended;
  }

  /** SIGTERM, as a session that ends sends it; answers the exit code. */
  async terminate(): Promise<number | null> {
    const ended = this.#ended();
    this.#process.kill('SIGTERM');
    await ended;
    return this.#process.exitCode;
  }

  /** SIGKILL: the process ends without a word to anybody. */
  async kill(): Promise<void> {
    await killed(this.#process);
  }

  /** Keeps a picture of this state, light and dark, if LOCKSTEP_SCREENSHOTS names a folder. */
  async photograph(name: string): Promise<void> {
    if (screenshots === null) return;
    mkdirSync(screenshots, { recursive: true });
    await this.page.mouse.move(0, 0);
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

/** An app that is asked through the DevTools protocol, a connection at a time. */
class DetachedApp {
  readonly #address: string;

  constructor(debuggingPort: number) {
    this.#address = `http://127.0.0.1:${debuggingPort}`;
  }

  /** What the page shows; empty while there is none to ask. */
  async text(): Promise<string> {
    return this.#ask('', async (browser) => {
      const page = browser.contexts().flatMap((context) => context.pages())[0];
      return page === undefined ? '' : page.innerText('body', { timeout: 1_000 });
    });
  }

  /** Process id of the page's renderer; 0 while there is none. */
  async rendererPid(): Promise<number> {
    return this.#ask(0, async (browser) => {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      return processInfo.find(({ type }) => type === 'renderer')?.id ?? 0;
    });
  }

  async #ask<T>(nothing: T, question: (browser: Browser) => Promise<T>): Promise<T> {
    let browser: Browser;
    try {
      browser = await chromium.connectOverCDP(this.#address, { timeout: 2_000 });
    } catch {
      // Not up yet, or in between: whoever asks will ask again.
      return nothing;
    }
    try {
      return await question(browser);
    } catch {
      return nothing;
    } finally {
      await browser.close();
    }
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Ports handed out so far: the system may offer one again that nobody listens on yet. */
const handedOut = new Set<number>();

/** A port that is free now; the tests' own, so that windows do not meet the machine's other programs. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  if (handedOut.has(port)) return freePort();
  handedOut.add(port);
  return port;
}

function executable(): string {
  const runtime = findElectron();
  if (runtime === null) throw new Error('No Electron is here; run: node scripts/set-up.mjs');
  return runtime.executable;
}

/** This process's environment without what would make Electron something else. */
function environment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (pair): pair is [string, string] =>
      pair[1] !== undefined && pair[0] !== 'ELECTRON_RUN_AS_NODE' && !pair[0].startsWith('VITEST'),
  );
  return Object.fromEntries(inherited);
}
