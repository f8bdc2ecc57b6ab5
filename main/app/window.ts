/**
 * The window: where it stands, what its page may reach, what its title says. The page is untrusted: it
 * runs in a sandbox, in its own world, without Node. It decides nothing about the conversation.
 */
import { app, BrowserWindow, clipboard, Menu, nativeTheme, screen } from 'electron';
import type { Logger } from '../log.ts';
import { contextMenu } from './context-menu.ts';
import type { Groups } from './groups.ts';
import { leastSize, usablePlace } from './place.ts';
import { reloadAfterCrash } from './reload.ts';
import { denyNavigation, denyNewWindows, denyWebviews, PAGE_URL } from './security.ts';

/** Room for the first card with its errors, and for roster, conversation and status side by side. */
const firstSize = { width: 1160, height: 820 } as const;
/** What stands behind the page until it has painted: the page's own background colours. */
const background = { light: '#f5f6f8', dark: '#1b1e23' } as const;

/** What a window needs. */
export interface WindowOptions {
  readonly groups: Groups;
  /** Path of the bundled preload script. */
  readonly preload: string;
  readonly icon: string | null;
  readonly log: Logger;
}

/** Opens the app's window; it shows itself once there is something to see. */
export function openWindow({ groups, preload, icon, log }: WindowOptions): BrowserWindow {
  const place = usablePlace(
    groups.place(),
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const window = new BrowserWindow({
    ...(place ?? firstSize),
    minWidth: leastSize.width,
    minHeight: leastSize.height,
    show: false,
    title: 'Lockstep',
    backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
    ...(icon === null ? {} : { icon }),
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      webSecurity: true,
      spellcheck: true,
    },
  });
  denyNavigation(window.webContents, log);
  denyNewWindows(window.webContents, log);
  denyWebviews(window.webContents);
  offerContextMenu(window);
  rememberPlace(window, groups);
  reloadAfterCrash(window, log);
  window.on('page-title-updated', (_event, title) => app.setBadgeCount(unreadIn(title)));
  window.once('ready-to-show', () => {
    if (groups.place()?.maximized === true) window.maximize();
    window.show();
  });
  window.loadURL(PAGE_URL).catch((error: Error) => {
    log.error('page-not-loaded', { reason: error.message });
  });
  return window;
}

/** Brings the window to the person. */
export function focusWindow(window: BrowserWindow): void {
  if (window.isDestroyed()) return;
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

function offerContextMenu(window: BrowserWindow): void {
  const page = window.webContents;
  page.on('context-menu', (_event, click) => {
    const items = contextMenu(click, {
      copy: (text) => void clipboard.writeText(text),
      replaceWord: (word) => page.replaceMisspelling(word),
      learnWord: (word) => page.session.addWordToSpellCheckerDictionary(word),
    });
    Menu.buildFromTemplate(items).popup({ window });
  });
}

/** The page knows what was looked at; its title begins with how many messages were not: `(3) …`. */
function unreadIn(title: string): number {
  return Number(/^\((\d{1,6})\)/.exec(title)?.[1] ?? 0);
}

function rememberPlace(window: BrowserWindow, groups: Groups): void {
  const remember = (): void => {
    if (window.isMinimized() || window.isFullScreen()) return;
    groups.savePlace({ ...window.getNormalBounds(), maximized: window.isMaximized() });
  };
  window.on('resized', remember);
  window.on('moved', remember);
  window.on('maximize', remember);
  window.on('unmaximize', remember);
  window.on('close', remember);
}
