/**
 * What the page may do, tried from inside the page: the policy, the bridge, navigation. A page that an
 * attacker had taken over would try the same.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EVENT_NAMES, REQUEST_NAMES } from '../../shared/ipc/contract.ts';
import { type App, Desk } from './electron-app.ts';

let desk: Desk;
let app: App;

beforeEach(async () => {
  desk = new Desk();
  app = await desk.open();
  await app.page.getByRole('heading', { name: 'Lockstep' }).waitFor();
});

afterEach(async () => {
  await desk.close();
});

test('the content security policy is in force', async () => {
  const violated = await app.page.evaluate(async () => {
    const directives: string[] = [];
    const two = new Promise<void>((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => {
        directives.push(event.effectiveDirective);
        if (directives.length === 2) resolve();
      });
    });
    await fetch('https://example.org/').catch(() => undefined);
    const image = new Image();
    image.src = 'https://example.org/pixel.png';
    await two;
    return directives;
  });
  expect(violated).toEqual(['connect-src', 'img-src']);
});

test('text never becomes markup or a script', async () => {
  const outcomes = await app.page.evaluate(() => {
    const attempts: Record<string, () => void> = {
      markup: () => {
        document.createElement('div').innerHTML = '<b>bold</b>';
      },
      script: () => {
        document.createElement('script').textContent = 'window.ran = true';
      },
    };
    return Object.entries(attempts).map(([name, attempt]) => {
      try {
        attempt();
        return `${name}: allowed`;
      } catch (error) {
        return `${name}: ${(error as Error).name}`;
      }
    });
  });
  expect(outcomes).toEqual(['markup: TypeError', 'script: TypeError']);
});

test('the page has the bridge and nothing else of Node or Electron', async () => {
  const seen = await app.page.evaluate(() => ({
    bridge: Object.keys((window as unknown as { lockstep: object }).lockstep),
    globals: ['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'].filter(
      (name) => name in window,
    ),
  }));
  const camel = (name: string): string =>
    name.replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  expect(seen.bridge.toSorted()).toEqual(
    [...REQUEST_NAMES.map(camel), ...EVENT_NAMES.map((name) => camel(`on-${name}`))].toSorted(),
  );
  expect(seen.globals).toEqual([]);
});

test('the page stays where it is and opens no other', async () => {
  const before = app.page.url();
  const opened = await app.page.evaluate(() => {
    const other = window.open('lockstep-app://app/index.html');
    location.href = 'lockstep-app://app/other.html';
    return other === null;
  });
  expect(opened).toBe(true);
  // A request that is answered after the navigation would have happened.
  await app.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  expect(app.page.url()).toBe(before);
  expect(app.electron.windows()).toHaveLength(1);
  expect(await app.page.getByRole('heading', { name: 'Lockstep' }).isVisible()).toBe(true);
});

test('a request with arguments that the contract does not know is refused without a reason', async () => {
  const refusal = await app.page.evaluate(async () => {
    const bridge = (
      window as unknown as { lockstep: { loadEntries: (args: unknown) => Promise<unknown> } }
    ).lockstep;
    return bridge.loadEntries({ from: 'one', limit: 1e9 }).catch((error: Error) => error.message);
  });
  expect(refusal).toContain('Lockstep could not do that');
  expect(refusal).not.toContain('from');
});

test('the process that draws is sandboxed from the rest', async () => {
  const preferences = await app.electron.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    if (window === undefined) throw new Error('There is no window.');
    return (
      window.webContents as unknown as {
        getLastWebPreferences: () => Record<string, unknown>;
      }
    ).getLastWebPreferences();
  });
  expect(preferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webviewTag: false,
    webSecurity: true,
  });
});
