/** A page that died is loaded again, for the node lives in the main process and has lost nothing by it. */
import type { BrowserWindow } from 'electron';
import type { Logger } from '../log.ts';

/** A page that dies more often than this in a minute is broken, and is not loaded again. */
const reloadsMax = 3;
const reloadWindowMs = 60_000;

/** Loads the page of this window again whenever it has died, within reason. */
export function reloadAfterCrash(window: BrowserWindow, log: Logger): void {
  let crashes: number[] = [];
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return;
    log.error('page-crashed', { reason });
    const now = Date.now();
    crashes = [...crashes.filter((at) => now - at < reloadWindowMs), now];
    if (crashes.length <= reloadsMax) window.webContents.reload();
  });
}
