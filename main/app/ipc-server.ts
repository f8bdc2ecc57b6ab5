/**
 * The main process's end of the contract: answers requests, sends events. It decides who may ask (the
 * page's own top frame) and with what (validate.ts). It must never let an exception cross: Electron
 * would pass on its message, which may name files, and nothing else of it.
 */
import { ipcMain, type BrowserWindow, type IpcMainInvokeEvent } from 'electron';
import {
  REQUEST_NAMES,
  type EventName,
  type Events,
  type RequestName,
  type Requests,
} from '../../shared/ipc/contract.ts';
import { decodeRequest } from '../../shared/ipc/validate.ts';
import type { Logger } from '../log.ts';
import { PAGE_ORIGIN } from './security.ts';

/** One function per request. Expected failures are part of its result; it throws only for bugs. */
export type Handlers = {
  readonly [Name in RequestName]: (
    args: Requests[Name]['args'],
  ) => Requests[Name]['result'] | Promise<Requests[Name]['result']>;
};

/** What the page is told when a handler has a bug; the log has the rest. */
const brokenText = 'Lockstep could not do that. The log says why.';

/** Serves every request of the contract. Call once, before the page is loaded. */
export function serveRequests(handlers: Handlers, log: Logger): void {
  for (const name of REQUEST_NAMES) serveRequest(name, handlers[name], log);
}

function serveRequest<Name extends RequestName>(
  name: Name,
  handle: Handlers[Name],
  log: Logger,
): void {
  ipcMain.handle(name, async (event, args: unknown) => {
    if (!isFromPage(event)) {
      log.warn('request-from-stranger', { name, url: event.senderFrame?.url ?? '' });
      throw new Error(brokenText);
    }
    const decoded = decodeRequest(name, args);
    if (!decoded.ok) {
      log.error('request-refused', { name, reason: decoded.error });
      throw new Error(brokenText);
    }
    try {
      return await handle(decoded.value);
    } catch (error) {
      log.error('request-failed', { name, reason: String((error as Error).stack ?? error) });
      throw new Error(brokenText, { cause: error });
    }
  });
}

/** Only the top frame of our own page may ask. */
function isFromPage(event: IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame;
  if (frame === null || frame !== event.sender.mainFrame) return false;
  return frame.url.startsWith(`${PAGE_ORIGIN}/`);
}

/** Sends one event to the window; a window that is gone needs none. */
export function sendEvent<Name extends EventName>(
  window: BrowserWindow,
  name: Name,
  payload: Events[Name],
): void {
  if (window.isDestroyed() || window.webContents.isDestroyed()) return;
  window.webContents.send(name, payload);
}
