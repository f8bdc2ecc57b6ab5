/**
 * Where a desktop app's log goes: a file in the data folder that a person can send, and stderr for
 * whoever started it from a terminal. Two files of bounded size; the older one is the run before.
 */
import { appendFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../folders.ts';
import { createLogger, isLogLevel, LOG_LEVELS, type Logger } from '../log.ts';

/** A log file is set aside at start when it is larger than this, bytes. */
const logBytesMax = 1024 * 1024;

/** The log of one data root. A `level` that is none means `info`, and the log says so. */
export function openLogFile(root: string, level: string): { log: Logger; file: string } {
  const folder = join(root, 'logs');
  const file = join(folder, 'lockstep.log');
  makePrivateFolder(folder);
  if (sizeOf(file) > logBytesMax) renameSync(file, join(folder, 'lockstep.old.log'));
  const write = (line: string): void => {
    unlessImpossible(() => writeSync(2, line));
    unlessImpossible(() => appendFileSync(file, line, { mode: 0o600 }));
  };
  const log = createLogger({ level: isLogLevel(level) ? level : 'info', write });
  if (!isLogLevel(level)) log.warn('log-level-unknown', { level, known: LOG_LEVELS.join(', ') });
  return { log, file };
}

/** Nobody reads stderr, or the disk is full: a log line is never worth an exception. */
function unlessImpossible(write: () => void): void {
  try {
    write();
  } catch {
    // The other of the two places may still have it.
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
