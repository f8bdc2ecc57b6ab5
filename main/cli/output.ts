/**
 * Standard output: lines are collected and leave once per turn of the event loop, in pieces, one after
 * the other. It never blocks: a reader that is slow makes it `congested`, and whoever produces much then
 * waits for `drained` instead of filling memory. A line that is too long to be held whole is written as
 * its parts come; other lines wait behind it.
 */
import type { Writable } from 'node:stream';
import { JsonBytes } from './json-bytes.ts';

/** Bytes that may wait for the reader before the output counts as congested. */
const CONGESTED_BYTES = 4 * 1024 * 1024;

/** Bytes and long lines that may wait before nothing more should be asked for. */
const OVERFULL_BYTES = 64 * 1024 * 1024;
const OVERFULL_LONG_LINES = 1_000;

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
  /** Long lines that are not written whole; the first may be under way. */
  #longLines = 0;
  #lastLongLine: Promise<void> = Promise.resolve();
  #inLongLine = false;
  /** How many wait until everything is taken. */
  #drainers = 0;
  /** Called whenever the reader has taken something, or is gone. */
  #watchers = new Set<() => void>();

  /** `onGone`: nothing can be written any more, and why. */
  constructor(stream: Writable, onGone: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream;
    stream.on('error', (error) => {
      if (this.#gone) return;
      this.#gone = true;
      this.#pieces = [];
      this.#waitingBytes = 0;
      this.#wake();
      onGone(error);
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

  /**
   * Adds one line in parts, newline included: the next is asked for once the reader has taken most of
   * those before. Long lines leave one after the other; other lines wait behind the one under way.
   */
  longLine(parts: () => AsyncIterable<(bytes: JsonBytes) => void>): void {
    this.#longLines += 1;
    this.#lastLongLine = this.#lastLongLine.then(() => this.#writeLongLine(parts()));
  }

  async #writeLongLine(parts: AsyncIterable<(bytes: JsonBytes) => void>): Promise<void> {
    await this.#serveDrainers();
    this.#inLongLine = true;
    const bytes = new JsonBytes();
    for await (const write of parts) {
      write(bytes);
      if (bytes.length < PIECE_BYTES) continue;
      this.#push(bytes.take());
      while (this.#waitingBytes > PIECE_BYTES) await this.#moved(null);
    }
    this.#push(bytes.take());
    this.#inLongLine = false;
    this.#longLines -= 1;
    this.#flush();
    this.#wake();
  }

  /** Between two long lines whoever waits for a free output gets its turn, or it might wait for ever. */
  async #serveDrainers(): Promise<void> {
    this.#flush();
    while (this.#drainers > 0) {
      if (this.#waitingBytes > 0) await this.#moved(null);
      this.#wake();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** More waits for the reader than is good. */
  get congested(): boolean {
    return this.#waitingBytes + this.#lines.length > CONGESTED_BYTES;
  }

  /** So much waits that whoever asks for more has to wait, too. */
  get overfull(): boolean {
    const bytes = this.#waitingBytes + this.#lines.length;
    return bytes > OVERFULL_BYTES || this.#longLines > OVERFULL_LONG_LINES;
  }

  /** Resolves once the reader has taken everything but long lines that were not begun, or is gone. */
  async drained(): Promise<void> {
    this.#drainers += 1;
    this.#flush();
    while (this.#waitingBytes > 0 || this.#inLongLine) await this.#moved(null);
    this.#drainers -= 1;
  }

  /** Resolves once it is not overfull any more, or the reader is gone. */
  async roomAgain(): Promise<void> {
    while (this.overfull && !this.#gone) await this.#moved(null);
  }

  /** Resolves once every long line was written, or the reader has taken nothing for `idleMs` milliseconds. */
  async longLinesWritten(idleMs: number): Promise<void> {
    while (this.#longLines > 0 && (await this.#moved(idleMs))) {
      // The reader is alive.
    }
  }

  /**
   * Resolves once the reader has taken everything, is gone, or has taken nothing for `idleMs`
   * milliseconds: for the last words before an exit, which would cut a line in two.
   */
  async flushed(idleMs: number): Promise<void> {
    this.#flush();
    while ((this.#waitingBytes > 0 || this.#longLines > 0) && (await this.#moved(idleMs))) {
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
    if (this.#lines.length > 0 && !this.#inLongLine) this.#push(this.#lines.take());
  }

  #push(bytes: Buffer): void {
    if (this.#gone || bytes.length === 0) return;
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
