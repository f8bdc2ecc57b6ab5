/**
 * Standard output: lines are collected and leave in one write per turn of the event loop. It never
 * blocks: a reader that is slow makes it `congested`, and whoever produces much then waits for
 * `drained` instead of filling memory.
 */
import type { Writable } from 'node:stream';
import { JsonBytes } from './json-bytes.ts';

/** Bytes that may wait for the reader before the output counts as congested. */
const CONGESTED_BYTES = 4 * 1024 * 1024;

/** A stream of lines. */
export class Output {
  readonly #stream: Writable;
  readonly #lines = new JsonBytes();
  #scheduled = false;
  #gone = false;
  #waiting: (() => void)[] = [];

  /** `onGone`: nobody reads any more. */
  constructor(stream: Writable, onGone: () => void) {
    this.#stream = stream;
    stream.on('drain', () => this.#release());
    stream.on('error', () => {
      if (this.#gone) return;
      this.#gone = true;
      this.#release();
      onGone();
    });
  }

  /** Adds one line, without its newline. */
  line(text: string): void {
    this.lines((bytes) => {
      bytes.raw(text);
      bytes.ascii('\n');
    });
  }

  /** Adds whole lines, newlines included, in bytes. */
  lines(write: (bytes: JsonBytes) => void): void {
    write(this.#lines);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  /** More waits for the reader than is good. */
  get congested(): boolean {
    return !this.#gone && this.#stream.writableLength > CONGESTED_BYTES;
  }

  /** Resolves once the reader has taken everything, or is gone. */
  async drained(): Promise<void> {
    this.#flush();
    if (this.#gone || !this.#stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#lines.length === 0) return;
    const bytes = this.#lines.take();
    if (!this.#gone) this.#stream.write(bytes);
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
