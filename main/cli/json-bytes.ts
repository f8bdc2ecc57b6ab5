/**
 * Lines of JSON as bytes, in memory that is used again. A busy peer prints a line for every final entry;
 * put together as strings those lines were more than half of what the process allocated. It knows JSON
 * and UTF-8, and nothing of what a line means.
 */

/** First capacity, bytes: a few hundred lines. */
const FIRST_CAPACITY = 64 * 1024;
/** Memory that grew beyond this is not kept for the next lines, bytes. */
const KEPT_CAPACITY = 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const ZERO = 0x30;

/** Character codes of the two hex digits of each byte, one after the other. */
const HEX = Buffer.from(
  Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''),
);

/** Bytes that are collected and taken. */
export class JsonBytes {
  #bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #at = 0;

  /** Bytes collected and not taken. */
  get length(): number {
    return this.#at;
  }

  /** Takes everything collected so far; the caller owns it. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    if (this.#bytes.length > KEPT_CAPACITY) {
      this.#bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
    }
    return taken;
  }

  /** Text as it is, in UTF-8. */
  raw(text: string): void {
    this.#reserve(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at, 'utf8');
  }

  /** Short text of ASCII characters as it is: names of fields, ids. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#at = at;
  }

  /** An integer from 0 to 2^53-1. */
  integer(value: number): void {
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9);
      this.integer(high);
      this.#digits(value - high * 1e9, 9);
      return;
    }
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    this.#digits(value, digits);
  }

  /** Bytes as lower-case hex digits, without quotes. */
  hex(value: Uint8Array): void {
    this.#reserve(value.length * 2);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < value.length; i++) {
      const place = 2 * (value[i] as number);
      bytes[at++] = HEX[place] as number;
      bytes[at++] = HEX[place + 1] as number;
    }
    this.#at = at;
  }

  /** The UTF-8 text in `utf8` as a string with quotes; what is not UTF-8 becomes U+FFFD. */
  string(utf8: Uint8Array): void {
    this.#reserve(utf8.length + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let i = 0; i < utf8.length; i++) {
      const byte = utf8[i] as number;
      if (byte < SPACE || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) {
        // Anything but the plainest text is left to those who know all of JSON.
        this.raw(JSON.stringify(Buffer.from(utf8).toString('utf8')));
        return;
      }
      bytes[at++] = byte;
    }
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  #digits(value: number, count: number): void {
    this.#reserve(count);
    let rest = value;
    for (let at = this.#at + count - 1; at >= this.#at; at--) {
      this.#bytes[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#at += count;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}
