/**
 * UTF-8 for the few short texts inside frames (names, addresses), where no platform encoder may be
 * used. Decoding is strict (RFC 3629): overlong forms, surrogates and cut sequences are refused, so one
 * text has one encoding. Message bodies never pass here; they stay bytes.
 */

/** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (code < 0x80) {
      bytes[at++] = code;
    } else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else {
      if (code < 0x10000) {
        bytes[at++] = 0xe0 | (code >> 12);
      } else {
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      }
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    }
  }
  return bytes.slice(0, at);
}

/** The text of `bytes`, or null if they are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const code = length === 1 ? lead : sequenceAt(bytes, at, length);
    if (code < 0) return null;
    text += String.fromCodePoint(code);
    at += length;
  }
  return text;
}

/** Smallest code point that needs so many bytes. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000] as const;

function sequenceAt(bytes: Uint8Array, at: number, length: number): number {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.length) return -1;
  let code = lead & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] as number;
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 0x3f);
  }
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  return surrogate || code > 0x10ffff || code < (LEAST[length] as number) ? -1 : code;
}
