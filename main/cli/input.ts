/**
 * Where lines come from: a pipe or file, or a person at a terminal whose half-typed line must survive
 * what is printed meanwhile.
 */
import { fstatSync, statSync } from 'node:fs';
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { LineCutter } from './lines.ts';

/** What is done with input. */
export interface InputHandlers {
  readonly line: (line: string) => void;
  /** A line that was left out, and why. */
  readonly unreadable: (why: string) => void;
  /** Nothing more comes. */
  readonly end: () => void;
}

/** A source of lines. */
export interface Input {
  readonly start: (handlers: InputHandlers) => void;
  /** Stops reading for a while. */
  readonly pause: () => void;
  readonly resume: () => void;
}

/** Standard input as it fits its kind; null where there is nothing to read. */
export function pipeInput(): Input | null {
  if (!isReadable()) return null;
  const { stdin } = process;
  return {
    start: (handlers) => {
      const cutter = new LineCutter(handlers.line, handlers.unreadable);
      stdin.on('data', (bytes: Buffer) => cutter.take(bytes));
      stdin.on('end', () => {
        cutter.end();
        handlers.end();
      });
      // Whoever wrote to us is gone: the same as the end.
      stdin.on('error', handlers.end);
    },
    pause: () => void stdin.pause(),
    resume: () => void stdin.resume(),
  };
}

/** A service has /dev/null as its input, which ends at once: that is nobody who says goodbye. */
function isReadable(): boolean {
  try {
    const input = fstatSync(0);
    return !(input.isCharacterDevice() && input.rdev === statSync('/dev/null').rdev);
  } catch {
    // No input at all, or a system that has no /dev/null to compare with.
    return process.platform === 'win32';
  }
}

/** A person's terminal: line editing below, what happens above. */
export class Terminal implements Input {
  readonly #editor: Interface;
  readonly #onInterrupt: () => void;
  #closed = false;

  /** `onInterrupt`: Ctrl-C, which the editor takes from the system. */
  constructor(onInterrupt: () => void) {
    this.#onInterrupt = onInterrupt;
    const { stdin: input, stdout: output } = process;
    this.#editor = createInterface({ input, output, prompt: '> ' });
  }

  start(handlers: InputHandlers): void {
    this.#editor.on('line', (line) => {
      handlers.line(line);
      if (!this.#closed) this.#editor.prompt();
    });
    this.#editor.on('SIGINT', this.#onInterrupt);
    this.#editor.on('close', () => {
      this.#closed = true;
      handlers.end();
    });
    this.#editor.prompt();
  }

  pause(): void {
    this.#editor.pause();
  }

  resume(): void {
    this.#editor.resume();
  }

  /** Prints a line above the one that is being typed. */
  print(line: string): void {
    cursorTo(process.stdout, 0);
    clearLine(process.stdout, 0);
    process.stdout.write(`${line}\n`);
    // After Ctrl-D there is nothing to go on typing.
    if (!this.#closed) this.#editor.prompt(true);
  }
}
