/**
 * The headless peer: the same node as in the app, in a terminal or driven by a program. Wiring only:
 * options, signals, input, output, exit code.
 */
import type { Writable } from 'node:stream';
import { pipeInput, Terminal } from './cli/input.ts';
import { MachineInterface } from './cli/machine-interface.ts';
import { boundHeap } from './cli/memory.ts';
import { Output } from './cli/output.ts';
import { Session } from './cli/session.ts';
import { TerminalInterface } from './cli/terminal-interface.ts';
import { parseCommandLine, USAGE, wantsJson } from './config.ts';
import { createLogger } from './log.ts';

/** Exit codes: a wrong option, and a bug as in sysexits(3). */
const EXIT_BAD_OPTION = 2;
const EXIT_SOFTWARE = 70;

/** How long a second signal waits for a disk, milliseconds. */
const DISK_MS = 300;

/** Signals that mean what `/quit` means, with their numbers. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(argv);
  if (!parsed.ok) return refuse(argv, parsed.error);
  if (parsed.value === 'help') {
    await say(process.stdout, USAGE);
    return 0;
  }
  const options = parsed.value;
  boundHeap();
  const log = createLogger({ level: options.logLevel });
  process.on('uncaughtException', (error) => {
    if (isHangUp(error)) {
      session.quit();
      return;
    }
    log.error('bug', { why: error.stack ?? error.message });
    process.exit(EXIT_SOFTWARE);
  });
  let signals = 0;
  const stop = (number: number): void => {
    signals += 1;
    if (signals === 1) session.quit();
    else endNow(session, number);
  };
  const atTerminal = !options.json && process.stdin.isTTY && process.stdout.isTTY;
  const terminal = atTerminal ? new Terminal(() => stop(SIGNALS.SIGINT)) : null;
  const output = new Output(process.stdout, ({ code }) => session.outputGone(isReaderGone(code)));
  const session = new Session({ options, output, input: terminal ?? pipeInput(), log });
  for (const [signal, number] of Object.entries(SIGNALS)) process.on(signal, () => stop(number));
  const actions = { peer: () => session.peer(), quit: () => session.quit() };
  if (options.json) return session.run(new MachineInterface(output, actions));
  const print = (line: string): void => (terminal ?? { print: (l) => output.line(l) }).print(line);
  return session.run(new TerminalInterface(print, actions));
}

/** A pipe, a socket, and a pipe on Windows say it differently. */
function isReaderGone(code: string | undefined): boolean {
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'EOF';
}

/**
 * A second signal: no more waiting. An exit waits for the storage thread, and that for a disk that hangs;
 * then the process kills itself.
 */
function endNow(session: Session, signal: number): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), DISK_MS);
  void session.abandon().then(() => process.exit(128 + signal));
}

/** The terminal was closed: the line editor wants to give it back and cannot. SIGHUP says the same. */
function isHangUp({ code, syscall }: NodeJS.ErrnoException): boolean {
  return code === 'EIO' && syscall === 'setRawMode';
}

async function refuse(argv: readonly string[], message: string): Promise<number> {
  if (wantsJson(argv)) {
    const event = { event: 'error', code: 'BAD_OPTION', message };
    await say(process.stdout, `${JSON.stringify(event)}\n`);
  } else {
    await say(process.stderr, `${message} [BAD_OPTION]\nRun with --help for all options.\n`);
  }
  return EXIT_BAD_OPTION;
}

/** Writes and waits until it is on its way: an exit would cut it off. */
function say(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}

process.exit(await main(process.argv.slice(2)));
