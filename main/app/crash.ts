/**
 * The end of a process that has a bug. An exception that nobody expected, or a broken invariant, may
 * mean that what this node believes is no longer so: it says so, and ends before it can tell others.
 * The database is written in transactions, so the next start finds what was promised.
 */
import { app, dialog } from 'electron';
import type { Logger } from '../log.ts';

/** Exit code after a bug, told apart from one that a person caused. */
const bugExitCode = 70;

/** Ends the app on any unexpected exception. Call first. */
export function endOnBugs(log: () => Logger, logFile: () => string | null): void {
  let ending = false;
  const end = (error: unknown): void => {
    // A second exception while the dialog is up has nothing to add.
    if (ending) return;
    ending = true;
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log().error('bug', { reason: words });
    try {
      const file = logFile();
      const where = file === null ? '' : `\n\nThe log has the details:\n${file}`;
      dialog.showErrorBox(
        'Lockstep has to close',
        `Something went wrong inside Lockstep, and going on could harm your group. ` +
          `What you have sent is safe. Start it again to go on.${where}`,
      );
    } finally {
      app.exit(bugExitCode);
    }
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
