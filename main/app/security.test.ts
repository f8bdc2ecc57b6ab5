/** What the page may not do, by what Electron is told to answer for it. */
import { beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../log.ts';
import {
  denyNavigation,
  denyNetwork,
  denyNewWindows,
  denyPermissions,
  denyWebviews,
  PAGE_URL,
} from './security.ts';

/** What Electron was told, by the name of the method or event. */
const told = vi.hoisted(() => new Map<string, (...args: unknown[]) => unknown>());
const opened = vi.hoisted((): string[] => []);

vi.mock('electron', () => {
  const keeps = (name: string) => (handler: (...args: unknown[]) => unknown) =>
    told.set(name, handler);
  return {
    app: {},
    protocol: {},
    session: {
      defaultSession: {
        setPermissionRequestHandler: keeps('permission-request'),
        setPermissionCheckHandler: keeps('permission-check'),
        setDevicePermissionHandler: keeps('device-permission'),
        webRequest: { onBeforeRequest: keeps('before-request') },
      },
    },
    shell: {
      openExternal: (url: string) => {
        opened.push(url);
        return Promise.resolve();
      },
    },
  };
});

const log = createLogger({ level: 'silent' });
const contents = {
  on: (name: string, handler: (...args: unknown[]) => unknown) => told.set(name, handler),
  setWindowOpenHandler: (handler: (...args: unknown[]) => unknown) =>
    told.set('window-open', handler),
} as unknown as Parameters<typeof denyNavigation>[0];

beforeEach(() => {
  told.clear();
  opened.length = 0;
});

test.each(['media', 'notifications', 'clipboard-read', 'anything to come'])(
  'the page is not granted %s, neither when it asks nor when it looks',
  (permission) => {
    denyPermissions();
    const answers: unknown[] = [];
    told.get('permission-request')?.({}, permission, (answer: unknown) => answers.push(answer));
    answers.push(told.get('permission-check')?.({}, permission));
    answers.push(told.get('device-permission')?.({ deviceType: 'usb' }));
    expect(answers).toEqual([false, false, false]);
  },
);

test.each([
  [PAGE_URL, true],
  ['lockstep-app://app/assets/index.js', true],
  ['data:image/png;base64,AAAA', true],
  ['devtools://devtools/bundled/inspector.html', true],
  ['https://example.org/', false],
  ['http://127.0.0.1:6001/', false],
  ['ws://127.0.0.1:6001/', false],
  ['file:///etc/passwd', false],
  ['lockstep-app://application/index.html', false],
  ['lockstep-app://app.example/index.html', false],
])('whether the page may ask for %s: %s', (url, may) => {
  denyNetwork(log);
  const answers: unknown[] = [];
  told.get('before-request')?.({ url }, (answer: unknown) => answers.push(answer));
  expect(answers).toEqual([may ? {} : { cancel: true }]);
});

test.each(['will-navigate', 'will-redirect', 'will-frame-navigate'])(
  'the page stays where it is at %s, but may load itself again',
  (name) => {
    denyNavigation(contents, log);
    const prevented: string[] = [];
    for (const url of [PAGE_URL, `${PAGE_URL}?x`, 'https://example.org/', 'about:blank']) {
      told.get(name)?.({ url, preventDefault: () => prevented.push(url) });
    }
    expect(prevented).toEqual([`${PAGE_URL}?x`, 'https://example.org/', 'about:blank']);
  },
);

test('no window opens, and only a link that may be opened goes to the system', () => {
  denyNewWindows(contents, log);
  const answers = ['https://example.org/', 'file:///etc/passwd'].map((url) =>
    told.get('window-open')?.({ url }),
  );
  expect(answers).toEqual([{ action: 'deny' }, { action: 'deny' }]);
  expect(opened).toEqual(['https://example.org/']);
});

test('no webview is attached', () => {
  denyWebviews(contents);
  let prevented = 0;
  const preventDefault = (): void => {
    prevented += 1;
  };
  told.get('will-attach-webview')?.({ preventDefault });
  expect(prevented).toBe(1);
});
