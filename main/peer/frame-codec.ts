/**
 * Frames in a stream of bytes: four bytes of length (big endian), then the payload. It decides where a
 * frame ends, however the stream was cut into reads, and nothing of what is inside. Touches no socket.
 */
import { assert } from '../../shared/assert.ts';
import { FRAME_BYTES_MAX } from './limits.ts';

/** Length of the header, bytes. */
export const HEADER_BYTES = 4;

/**
 * Fills in the header of `frame`, whose payload starts after {@link HEADER_BYTES}. A payload that is
 * empty or too long is a bug of ours.
 */
export function sealFrame(frame: Uint8Array): Uint8Array {
  const length = frame.length - HEADER_BYTES;
  assert(length > 0 && length <= FRAME_BYTES_MAX, `a frame of ${length} bytes`);
  frame[0] = length >>> 24;
  frame[1] = length >>> 16;
  frame[2] = length >>> 8;
  frame[3] = length;
  return frame;
}

/** Takes whole frames off a stream. Allocates only for bytes that have arrived. */
export class FrameDecoder {
  #limit: number;
  #chunk = new Uint8Array(0);
  #at = 0;
  /** The beginning of a frame whose end has not arrived, header included. */
  #parts: Uint8Array[] = [];
  #held = 0;
  #error: string | null = null;

  /** `limit`: largest payload, bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What was wrong with the stream; nothing can be read after that. */
  get error(): string | null {
    return this.#error;
  }

  /** Allows payloads up to `limit` from the next header on. */
  setLimit(limit: number): void {
    this.#limit = limit;
  }

  /** Adds what one read brought. Call when `next` has returned null; the chunk must not change. */
  push(chunk: Uint8Array): void {
    assert(
      this.#at === this.#chunk.length || this.#error !== null,
      'frames left in the last chunk',
    );
    this.#chunk = chunk as Uint8Array<ArrayBuffer>;
    this.#at = 0;
  }

  /** The payload of the next whole frame, a view of what was pushed; null when none is whole. */
  next(): Uint8Array | null {
    if (this.#error !== null) return null;
    if (this.#held > 0) return this.#nextAcross();
    const left = this.#chunk.length - this.#at;
    if (left >= HEADER_BYTES) {
      const length = this.#lengthIn(this.#chunk, this.#at);
      if (length === 0) return null;
      if (left - HEADER_BYTES >= length) {
        const from = this.#at + HEADER_BYTES;
        this.#at = from + length;
        return this.#chunk.subarray(from, this.#at);
      }
    }
    this.#hold(left);
    return null;
  }

  /** A frame that began in an earlier chunk. */
  #nextAcross(): Uint8Array | null {
    if (this.#held < HEADER_BYTES) {
      this.#hold(Math.min(HEADER_BYTES - this.#held, this.#chunk.length - this.#at));
      if (this.#held < HEADER_BYTES) return null;
      this.#parts = [concat(this.#parts, this.#held)];
    }
    const first = this.#parts[0] as Uint8Array;
    const header = first.length >= HEADER_BYTES ? first : concat(this.#parts, this.#held);
    const length = this.#lengthIn(header, 0);
    if (length === 0) return null;
    const missing = HEADER_BYTES + length - this.#held;
    this.#hold(Math.min(missing, this.#chunk.length - this.#at));
    if (this.#held < HEADER_BYTES + length) return null;
    const frame = concat(this.#parts, this.#held);
    this.#parts = [];
    this.#held = 0;
    return frame.subarray(HEADER_BYTES);
  }

  #hold(length: number): void {
    if (length === 0) return;
    this.#parts.push(this.#chunk.subarray(this.#at, this.#at + length));
    this.#at += length;
    this.#held += length;
  }

  /** The checked length in a header; 0 with the error set if it is not one. */
  #lengthIn(bytes: Uint8Array, at: number): number {
    const byte = (i: number): number => bytes[at + i] as number;
    const length = byte(0) * 0x100_0000 + ((byte(1) << 16) | (byte(2) << 8) | byte(3));
    if (length > 0 && length <= this.#limit) return length;
    this.#error = length === 0 ? 'empty frame' : `frame of ${length} bytes`;
    return 0;
  }
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
