/**
 * Standard output: lines are collected and leave once per turn of the event loop, in pieces, one after
 * the other. It never blocks: a reader that is slow makes it `congested`, and whoever produces much then
 * waits for `drained` instead of filling memory.
 */
import type { Writable } from 'node:stream';
import { JsonBytes } from './json-bytes.ts';

/** Bytes that may wait for the reader before the output counts as congested. */
const CONGESTED_BYTES = 4 * 1024 * 1024;

/** Bytes of one write: a reader that takes so much is alive, however slow. */
const PIECE_BYTES = 64 * 1024;

/** A stream of lines. */
export class Output {
  readonly #stream: Writable;
  readonly #lines = new JsonBytes();
  #scheduled = false;
  #gone = false;
  /** What has left `#lines` and not this process, and how much of it that is; the first is under way. */
  #pieces: Buffer[] = [];
  #waitingBytes = 0;
  /** Called whenever the reader has taken something, or is gone. */
  #watchers = new Set<() => void>();

  /** `onGone`: nobody reads any more. */
  constructor(stream: Writable, onGone: () => void) {
    this.#stream = stream;
    stream.on('error', () => {
      if (this.#gone) return;
      this.#gone = true;
      this.#pieces = [];
      this.#waitingBytes = 0;
      this.#wake();
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
    return this.#waitingBytes > CONGESTED_BYTES;
  }

  /** Resolves once the reader has taken everything, or is gone. */
  async drained(): Promise<void> {
    this.#flush();
    while (this.#waitingBytes > 0) await this.#moved(null);
  }

  /**
   * The same, at the latest when the reader has taken nothing for `idleMs` milliseconds: for the last
   * words before an exit, which would cut a line in two.
   */
  async flushed(idleMs: number): Promise<void> {
    this.#flush();
    while (this.#waitingBytes > 0 && (await this.#moved(idleMs))) {
      // The reader is alive.
    }
  }

  /** Resolves when the reader has taken a piece or is gone; with false if it did not within `ms`. */
  async #moved(ms: number | null): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(() => done(false), ms);
      const done = (moved: boolean): void => {
        clearTimeout(timer);
        this.#watchers.delete(moves);
        resolve(moved);
      };
      const moves = (): void => done(true);
      this.#watchers.add(moves);
    });
  }

  #wake(): void {
    for (const moves of this.#watchers) moves();
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#lines.length === 0) return;
    const bytes = this.#lines.take();
    if (this.#gone) return;
    const idle = this.#pieces.length === 0;
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.#pieces.push(bytes.subarray(at, at + PIECE_BYTES));
    }
    this.#waitingBytes += bytes.length;
    if (idle) this.#writeNext();
  }

  /** One piece at a time: a stream joins what waits in it, and tells of all of it together. */
  #writeNext(): void {
    const [piece] = this.#pieces;
    if (piece === undefined) return;
    this.#stream.write(piece, (error) => {
      if (error || this.#gone) return;
      this.#pieces.shift();
      this.#waitingBytes -= piece.length;
      this.#writeNext();
      this.#wake();
    });
  }
}
