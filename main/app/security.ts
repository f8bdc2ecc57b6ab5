/**
 * What the page may do, one function per item of Electron's security checklist
 * (electronjs.org/docs/latest/tutorial/security). The page is served from our own scheme under a
 * strict policy, goes nowhere, opens nothing, and is asked for no permission. None of these may be
 * loosened for a test or for development.
 */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { app, protocol, session, shell, type WebContents } from 'electron';
import type { Logger } from '../log.ts';
import { externalLink, pageFile } from './addresses-allowed.ts';

const scheme = 'lockstep-app';

/** Origin of the page, and of every frame that may call the main process. */
export const PAGE_ORIGIN = `${scheme}://app`;

/** Address of the page. */
export const PAGE_URL = `${PAGE_ORIGIN}/index.html`;

/** Everything the page needs is beside it; it connects to nothing and evaluates no text. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'none'",
  "worker-src 'none'",
  "frame-src 'none'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Item 18, custom protocol instead of file://. Must run before the app is ready. */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: false } },
  ]);
}

/** Items 7 and 18: serves the built page, each file with its type and the policy; nothing else. */
export function servePage(folder: string, log: Logger): void {
  protocol.handle(scheme, async (request) => {
    const url = new URL(request.url);
    const path = pageFile(folder, url.pathname);
    const type = path === null ? undefined : contentTypes[extname(path)];
    if (url.host !== 'app' || request.method !== 'GET' || path === null || type === undefined) {
      log.warn('page-request-refused', { url: request.url });
      return plain(404, 'not found');
    }
    try {
      return new Response(await readFile(path), {
        headers: {
          'content-type': type,
          'content-security-policy': CONTENT_SECURITY_POLICY,
          'x-content-type-options': 'nosniff',
          'cache-control': 'no-cache',
        },
      });
    } catch {
      log.warn('page-file-missing', { path });
      return plain(404, 'not found');
    }
  });
}

/** Item 4, process sandboxing, for every page of the app. As root Chromium can't start one. */
export function enableSandbox(): void {
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
}

/** Item 5: the page is granted nothing, neither when it asks nor when it looks. */
export function denyPermissions(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => {
    answer(false);
  });
  session.defaultSession.setPermissionCheckHandler(() => false);
  session.defaultSession.setDevicePermissionHandler(() => false);
}

/** The page asks the network for nothing: what the policy should have stopped ends here. */
export function denyNetwork(log: Logger): void {
  session.defaultSession.webRequest.onBeforeRequest((details, answer) => {
    const own = details.url.startsWith(`${PAGE_ORIGIN}/`) || details.url.startsWith('devtools:');
    if (!own && !details.url.startsWith('data:')) {
      log.warn('page-network-refused', { url: details.url.slice(0, 200) });
      answer({ cancel: true });
      return;
    }
    answer({});
  });
}

/** Item 13: the page stays where it is; a reload of itself is no navigation away. */
export function denyNavigation(contents: WebContents, log: Logger): void {
  const stay = (event: { preventDefault: () => void }, url: string): void => {
    if (url === PAGE_URL) return;
    event.preventDefault();
    log.warn('navigation-refused', { url: url.slice(0, 200) });
  };
  contents.on('will-navigate', (event) => stay(event, event.url));
  contents.on('will-redirect', (event) => stay(event, event.url));
  contents.on('will-frame-navigate', (event) => stay(event, event.url));
}

/** Item 14: no new windows; a link that a person clicked goes to the system's browser. */
export function denyNewWindows(contents: WebContents, log: Logger): void {
  contents.setWindowOpenHandler(({ url }) => {
    void openExternalLink(url, log);
    return { action: 'deny' };
  });
}

/** Items 11 and 12: no webview is ever attached. */
export function denyWebviews(contents: WebContents): void {
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

/** Item 15: opens a link in the system's browser or mail program, if it is one that may be opened. */
export async function openExternalLink(text: string, log: Logger): Promise<void> {
  const link = externalLink(text);
  if (link === null) {
    log.warn('link-refused', { url: text.slice(0, 200) });
    return;
  }
  try {
    await shell.openExternal(link);
  } catch (error) {
    log.warn('link-not-opened', { reason: (error as Error).message });
  }
}

function plain(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: {
      'content-type': 'text/plain',
      'content-security-policy': CONTENT_SECURITY_POLICY,
    },
  });
}
