/**
 * How the app ends, and what reaches it from outside while it runs: closing leaves the group first, a
 * second start brings the window to the front, a `lockstep://` link goes to the first card. Closing
 * must never wait for longer than a graceful leave may take.
 */
import { app, dialog, Notification, type BrowserWindow } from 'electron';
import { isInviteLink } from './command-line.ts';
import type { Groups } from './groups.ts';
import type { Session } from './session.ts';
import { focusWindow } from './window.ts';

/** Longest wait for a page that is being closed, and for the system to show a notification, milliseconds. */
const lastWordsMs = 500;

/** Closing the window leaves the group for now, then quits. */
export function leaveOnClose(window: BrowserWindow, session: Session, groups: Groups): void {
  let leaving = false;
  window.on('close', (event) => {
    if (leaving) {
      // A second close, by somebody in a hurry, changes nothing: the leave is bounded.
      event.preventDefault();
      return;
    }
    event.preventDefault();
    leaving = true;
    void leaveAndQuit(window, session, groups);
  });
  app.on('window-all-closed', () => app.quit());
}

async function leaveAndQuit(
  window: BrowserWindow,
  session: Session,
  groups: Groups,
): Promise<void> {
  const isOpen = session.phase().kind === 'open';
  window.hide();
  const explained = isOpen ? explainClosing(groups) : null;
  await Promise.all([session.leave(), lastWords(window), explained]);
  groups.flush();
  window.destroy();
  app.quit();
}

/** Leaves the open group as closing does, and shows the groups of this machine instead of quitting. */
export async function switchGroup(window: BrowserWindow, session: Session): Promise<void> {
  focusWindow(window);
  await Promise.all([session.switchGroup(), lastWords(window)]);
}

/**
 * Tells the page that it is about to go, as unloading it would, while its requests are still answered:
 * what was typed last is handed over now. A page that hangs is not waited for.
 */
async function lastWords(window: BrowserWindow): Promise<void> {
  const page = window.webContents;
  if (page.isDestroyed() || page.isCrashed()) return;
  const answered = page
    .executeJavaScript(`dispatchEvent(new Event('pagehide')), 0`)
    .catch(() => undefined);
  await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, lastWordsMs))]);
}

/**
 * Said once: people used to servers expect to be reachable while the window is closed. It counts as said
 * when the system has shown it, which not every system can.
 */
async function explainClosing(groups: Groups): Promise<void> {
  if (groups.closingExplained() || !Notification.isSupported()) return;
  const notification = new Notification({
    title: 'You leave the group for now',
    body: 'Nothing reaches you until you open Lockstep again; then you get all that you missed.',
  });
  const shown = new Promise<void>((resolve) => {
    notification.once('show', () => {
      groups.noteClosingExplained();
      resolve();
    });
    setTimeout(resolve, lastWordsMs);
  });
  notification.show();
  await shown;
}

/** A second start and links of the system reach this window. */
export function followLinks(window: BrowserWindow, session: Session): void {
  app.on('second-instance', (_event, _words, _folder, data) => {
    focusWindow(window);
    const link = linkIn(data);
    if (link !== null) void offerInvite(window, session, link);
  });
  app.on('open-url', (event, url) => {
    event.preventDefault();
    focusWindow(window);
    if (isInviteLink(url)) void offerInvite(window, session, url);
  });
}

/** What a second start handed over; it is this very program, but of whatever version. */
function linkIn(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('link' in data)) return null;
  return typeof data.link === 'string' && isInviteLink(data.link) ? data.link : null;
}

async function offerInvite(window: BrowserWindow, session: Session, link: string): Promise<void> {
  // The group it leads to is in front already.
  if (session.isOpenGroupOf(link)) return;
  if (session.phase().kind === 'open' && !window.isDestroyed()) {
    const { response } = await dialog.showMessageBox(window, {
      type: 'question',
      message: 'Leave this group for now and join another?',
      detail: 'This group stays on this machine. You can open it again at any time.',
      buttons: ['Leave and Join', 'Stay Here'],
      defaultId: 1,
      cancelId: 1,
    });
    if (response !== 0) return;
  }
  await session.showInvite(link);
}
