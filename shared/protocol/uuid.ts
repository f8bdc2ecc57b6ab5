/**
 * Message ids between their two forms: lower-case UUIDv7 text in memory, 16 bytes in frames (RFC 9562).
 * Only version 7 of the standard variant has a form here, so one id is one text is one byte string.
 */

/** Length of an id in bytes. */
export const UUID_BYTES = 16;

const TEXT_LENGTH = 36;
const DASH = 0x2d;

/** Value of a lower-case hex digit by character code, 255 for everything else. */
const DIGIT = new Uint8Array(128).fill(255);
for (let i = 0; i < 16; i++) DIGIT[i.toString(16).charCodeAt(0)] = i;

/** Character codes of the two hex digits of each byte, one after the other. */
const HEX = new Uint8Array(512);
for (let i = 0; i < 512; i++) {
  HEX[i] = ((i & 1) === 0 ? i >> 5 : (i >> 1) & 15).toString(16).charCodeAt(0);
}

/** Where the digits of each byte stand in the text. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;

/** Writes the 16 bytes of `text` at `at`; false, with the bytes undefined, if it is no UUIDv7 text. */
export function writeUuid(text: string, bytes: Uint8Array, at: number): boolean {
  if (text.length !== TEXT_LENGTH) return false;
  if (text.charCodeAt(8) !== DASH || text.charCodeAt(13) !== DASH) return false;
  if (text.charCodeAt(18) !== DASH || text.charCodeAt(23) !== DASH) return false;
  for (let i = 0; i < UUID_BYTES; i++) {
    const place = PLACES[i] as number;
    const high = DIGIT[text.charCodeAt(place)] ?? 255;
    const low = DIGIT[text.charCodeAt(place + 1)] ?? 255;
    if ((high | low) > 15) return false;
    bytes[at + i] = (high << 4) | low;
  }
  return isVersion7(bytes, at);
}

/**
 * The text of the 16 bytes at `at`, or null if they are no UUIDv7. The bytes must be there. All 36
 * characters in one call, because a text put together from pieces is flattened later, for ten times
 * the price, by whoever compares or encodes it.
 */
export function readUuid(bytes: Uint8Array, at: number): string | null {
  if (!isVersion7(bytes, at)) return null;
  const x = bytes;
  // prettier-ignore
  return String.fromCharCode(
    hi(x[at]), lo(x[at]), hi(x[at + 1]), lo(x[at + 1]),
    hi(x[at + 2]), lo(x[at + 2]), hi(x[at + 3]), lo(x[at + 3]), DASH,
    hi(x[at + 4]), lo(x[at + 4]), hi(x[at + 5]), lo(x[at + 5]), DASH,
    hi(x[at + 6]), lo(x[at + 6]), hi(x[at + 7]), lo(x[at + 7]), DASH,
    hi(x[at + 8]), lo(x[at + 8]), hi(x[at + 9]), lo(x[at + 9]), DASH,
    hi(x[at + 10]), lo(x[at + 10]), hi(x[at + 11]), lo(x[at + 11]), hi(x[at + 12]), lo(x[at + 12]),
    hi(x[at + 13]), lo(x[at + 13]), hi(x[at + 14]), lo(x[at + 14]), hi(x[at + 15]), lo(x[at + 15]),
  );
}

function hi(byte: number | undefined): number {
  return HEX[2 * (byte as number)] as number;
}

function lo(byte: number | undefined): number {
  return HEX[2 * (byte as number) + 1] as number;
}

function isVersion7(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + 6] as number) & 0xf0) === 0x70 && ((bytes[at + 8] as number) & 0xc0) === 0x80;
}
