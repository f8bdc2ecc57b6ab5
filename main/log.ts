/**
 * The structured logger: an event name in kebab-case and fields, one JSON object a line. It writes
 * to stderr only, because stdout belongs to the machine interface. It must never be given a group key,
 * a private key or the text of a message.
 */
import { writeSync } from 'node:fs';

/** From the most to the least talkative; `silent` writes nothing. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** How important an event is; also the least important one that is written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values that a field may have; bytes are the caller's to turn into hex. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes events that matter enough. */
export interface Logger {
  readonly debug: (event: string, fields?: LogFields) => void;
  readonly info: (event: string, fields?: LogFields) => void;
  readonly warn: (event: string, fields?: LogFields) => void;
  readonly error: (event: string, fields?: LogFields) => void;
  /** A logger whose events carry these fields too. */
  readonly with: (fields: LogFields) => Logger;
}

/** Where and what to log. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes one line with its newline; stderr unless a test wants it. */
  readonly write?: (line: string) => void;
  /** Milliseconds since 1970 for `time`. */
  readonly now?: () => number;
}

/** True for one of {@link LOG_LEVELS}. */
export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

/** Makes a logger. */
export function createLogger(options: LoggerOptions): Logger {
  return loggerWith(options, {});
}

function loggerWith(options: LoggerOptions, base: LogFields): Logger {
  const write = options.write ?? writeStderr;
  const now = options.now ?? Date.now;
  const least = LOG_LEVELS.indexOf(options.level);
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(level) < least) return;
      const time = new Date(now()).toISOString();
      write(`${JSON.stringify({ time, level, event, ...base, ...fields })}\n`);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => loggerWith(options, { ...base, ...fields }),
  };
}

/** Synchronous, so that the last words before an exit are not lost. */
function writeStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // Whoever read stderr is gone (EPIPE) or slow (EAGAIN): a log line is never worth a crash.
  }
}
