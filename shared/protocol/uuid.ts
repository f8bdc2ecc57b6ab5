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

/** Two hex digits by byte. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

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

/** The text of the 16 bytes at `at`, or null if they are no UUIDv7. The bytes must be there. */
export function readUuid(bytes: Uint8Array, at: number): string | null {
  if (!isVersion7(bytes, at)) return null;
  const hex = (i: number): string => HEX[bytes[at + i] as number] as string;
  return (
    `${hex(0)}${hex(1)}${hex(2)}${hex(3)}-${hex(4)}${hex(5)}-${hex(6)}${hex(7)}-` +
    `${hex(8)}${hex(9)}-${hex(10)}${hex(11)}${hex(12)}${hex(13)}${hex(14)}${hex(15)}`
  );
}

function isVersion7(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + 6] as number) & 0xf0) === 0x70 && ((bytes[at + 8] as number) & 0xc0) === 0x80;
}
