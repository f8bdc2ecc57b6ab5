/**
 * Changes to the machine that must not outlive the test: namespaces, mounts. A small shell waits for
 * the end of this process, however it ends (SIGKILL too), or for `now`, and then undoes them, the
 * newest first. Whoever changes something says how to undo it *before* changing it, and undoing what
 * never happened must do no harm.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

// Signals go to the whole group of a terminal; the shell must outlive whoever they end. Its input
// ends with the last process that can write to it, which is the one it cleans up after.
const script = `trap '' INT TERM HUP
undo=:
while IFS= read -r line; do undo="$line
$undo"; done
eval "$undo"`;

/** A list of things to undo. */
export class Undo {
  readonly #shell = spawn('sh', ['-c', script], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  readonly #ended = once(this.#shell, 'close');

  constructor() {
    // A process that has nothing else to do may end; that is when the shell does its work.
    this.#shell.unref();
    (this.#shell.stdin as Socket).unref();
  }

  /** Adds one command. Its words must not hold quotes. */
  add(...words: readonly string[]): void {
    this.#shell.stdin.write(`${words.map((word) => `'${word}'`).join(' ')}\n`);
  }

  /** Undoes everything now; resolves when it is done. */
  async now(): Promise<void> {
    if (this.#shell.exitCode !== null) return;
    this.#shell.ref();
    (this.#shell.stdin as Socket).ref();
    this.#shell.stdin.end();
    await this.#ended;
  }
}
