/**
 * Cuts standard input into lines. A line that is too long, or is no text, is reported and skipped, so that
 * input without newlines cannot fill memory, and nothing is sent that its author did not write.
 */
import { isUtf8 } from 'node:buffer';

/**
 * Longest line, bytes. The longest text that can be sent takes 384 KiB with every character of it
 * escaped; a longer line is read all the same, so that its command is answered by name.
 */
const LINE_BYTES_MAX = 4 * 1024 * 1024;

/** Never part of another character in UTF-8. */
const NEWLINE = 0x0a;

const EMPTY = Buffer.alloc(0);

/** Collects chunks, gives lines. */
export class LineCutter {
  readonly #onLine: (line: string) => void;
  readonly #onUnreadable: (why: string) => void;
  #parts: Buffer[] = [];
  #size = 0;
  #skipping = false;

  /** `onUnreadable` gets a reason in words, once for each line that is left out. */
  constructor(onLine: (line: string) => void, onUnreadable: (why: string) => void) {
    this.#onLine = onLine;
    this.#onUnreadable = onUnreadable;
  }

  /** Takes the next bytes. */
  take(bytes: Buffer): void {
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      this.#keep(bytes.subarray(from, at));
      this.#give();
      from = at + 1;
    }
    this.#keep(bytes.subarray(from));
  }

  /** The input has ended: what is left is the last line. */
  end(): void {
    if (this.#size > 0) this.#give();
  }

  #keep(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size <= LINE_BYTES_MAX) return;
    this.#clear();
    this.#skipping = true;
    this.#onUnreadable('the line is too long');
  }

  #give(): void {
    const [part = EMPTY, ...more] = this.#parts;
    const line = more.length === 0 ? part : Buffer.concat(this.#parts, this.#size);
    this.#clear();
    if (this.#skipping) {
      this.#skipping = false;
    } else if (isUtf8(line)) {
      const text = line.toString('utf8');
      this.#onLine(text.endsWith('\r') ? text.slice(0, -1) : text);
    } else {
      this.#onUnreadable('the line is not UTF-8');
    }
  }

  #clear(): void {
    this.#parts = [];
    this.#size = 0;
  }
}
