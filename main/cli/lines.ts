/**
 * Cuts standard input into lines. A line that is too long is reported and skipped to its end, so that
 * input without newlines cannot fill memory.
 */
import { StringDecoder } from 'node:string_decoder';

/**
 * Longest line, characters. The longest text that can be sent takes 384 KiB with every character of it
 * escaped; a longer line is read all the same, so that its command is answered by name.
 */
const LINE_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Collects chunks, gives lines. */
export class LineCutter {
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: () => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #skipping = false;

  constructor(onLine: (line: string) => void, onTooLong: () => void) {
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
  }

  /** Takes the next bytes. */
  take(bytes: Buffer): void {
    this.#cut(this.#decoder.write(bytes));
  }

  /** The input has ended: what is left is the last line. */
  end(): void {
    this.#cut(this.#decoder.end());
    if (this.#rest !== '') this.#give(this.#rest);
    this.#rest = '';
  }

  #cut(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#give(line);
    if (this.#rest.length <= LINE_CHARACTERS_MAX) return;
    this.#rest = '';
    if (!this.#skipping) this.#onTooLong();
    this.#skipping = true;
  }

  #give(line: string): void {
    if (this.#skipping) {
      this.#skipping = false;
    } else if (line.length > LINE_CHARACTERS_MAX) {
      this.#onTooLong();
    } else {
      this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
  }
}
