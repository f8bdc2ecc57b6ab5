/** Who may ask the main process, with what, and what a bug in it gives away. */
import { beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../log.ts';
import { type Handlers, sendEvent, serveRequests } from './ipc-server.ts';
import { PAGE_URL } from './security.ts';

type Listener = (event: unknown, args: unknown) => Promise<unknown>;

const served = vi.hoisted(() => new Map<string, Listener>());

vi.mock('electron', () => ({
  app: {},
  protocol: {},
  session: {},
  shell: {},
  ipcMain: { handle: (name: string, listener: Listener) => served.set(name, listener) },
}));

/** Links that the handlers were asked to open. */
let opened: string[];
let logged: string[];

beforeEach(() => {
  opened = [];
  logged = [];
  served.clear();
  const handlers = {
    'open-link': ({ url }: { url: string }) => {
      if (url.endsWith('broken')) throw new Error('/home/ada/secret');
      opened.push(url);
      return null;
    },
  } as unknown as Handlers;
  serveRequests(handlers, createLogger({ level: 'debug', write: (line) => logged.push(line) }));
});

/** Asks as a frame of a page whose top frame is at `top`. */
function ask(frame: unknown, args: unknown, mainFrame: unknown = frame): Promise<unknown> {
  const listener = served.get('open-link') as Listener;
  return listener({ senderFrame: frame, sender: { mainFrame } }, args);
}

const page = { url: PAGE_URL };
const link = { url: 'https://example.org/' };

test('the top frame of the page is answered', async () => {
  expect(await ask(page, link)).toBeNull();
  expect(opened).toEqual([link.url]);
});

test.each<[string, unknown, unknown]>([
  ['a frame within the page', { url: PAGE_URL }, page],
  ['another origin', { url: 'https://example.org/index.html' }, undefined],
  ['an origin that begins alike', { url: 'lockstep-app://app.example/index.html' }, undefined],
  ['a file', { url: 'file:///index.html' }, undefined],
  ['a frame that is gone', null, null],
])('%s is not', async (_what, frame, mainFrame) => {
  const asked = ask(frame, link, mainFrame === undefined ? frame : mainFrame);
  await expect(asked).rejects.toThrow('Lockstep could not do that. The log says why.');
  expect(opened).toEqual([]);
  expect(logged.join()).toContain('request-from-stranger');
});

test.each([
  ['what the contract does not know', { url: 7 }, 'request-refused'],
  ['what the handler cannot stand', { url: 'https://example.org/broken' }, 'request-failed'],
])('%s is answered without a reason, which the log has', async (_what, args, event) => {
  const asked = ask(page, args);
  await expect(asked).rejects.toThrow(/^Lockstep could not do that. The log says why.$/);
  expect(opened).toEqual([]);
  expect(logged.join()).toContain(event);
});

test.each([
  ['is there', false, false, 1],
  ['is gone', true, false, 0],
  ['has lost its page', false, true, 0],
])('an event goes to a window that %s', (_what, gone, pageGone, count) => {
  let sent = 0;
  const window = {
    isDestroyed: () => gone,
    webContents: {
      isDestroyed: () => pageGone,
      send: () => {
        sent += 1;
      },
    },
  } as unknown as Parameters<typeof sendEvent>[0];
  sendEvent(window, 'phase-changed', { kind: 'ended', error: null });
  expect(sent).toBe(count);
});
