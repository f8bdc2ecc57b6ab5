/**
 * Takes numbers and bytes off a frame that somebody else laid out. The first thing that is wrong is
 * remembered and everything after it reads as zero or empty, so that a decoder is straight-line code
 * that looks at `error` once. It never throws, never reads outside the frame, and what it gives away
 * never refers to the frame's own memory.
 */
import { PEER_ID_MAX } from '../model.ts';
import { readUuid, UUID_BYTES } from './uuid.ts';

const NOTHING = new Uint8Array(0);

/**
 * The frame is copied in blocks of this many bytes, to which what is given away refers: small enough that
 * one message kept from a full frame does not hold the frame (or the socket's buffer) in memory, large
 * enough that a block is rare.
 */
const BLOCK_BYTES = 8 * 1024;

/** 2^21: the high half of an integer of at most 53 bits stays below. */
const HIGH_LIMIT = 0x20_0000;

/** One pass over one frame. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #error: string | null = null;
  /** A copy of the part of the frame that begins at `#blockFrom`. */
  #block = NOTHING;
  #blockFrom = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The first thing that was wrong; null while all is well. */
  get error(): string | null {
    return this.#error;
  }

  /** Bytes not read yet; 0 after an error. */
  get remaining(): number {
    return this.#error === null ? this.#bytes.length - this.#at : 0;
  }

  /** Remembers what is wrong, unless something was already. */
  fail(error: string): void {
    this.#error ??= error;
  }

  /** Ends the pass: nothing may be left over. */
  end(): void {
    if (this.remaining > 0) this.fail('trailing bytes');
  }

  u8(): number {
    return this.#has(1) ? (this.#bytes[this.#at++] as number) : 0;
  }

  u16(): number {
    if (!this.#has(2)) return 0;
    const value = this.#view.getUint16(this.#at);
    this.#at += 2;
    return value;
  }

  u32(): number {
    if (!this.#has(4)) return 0;
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }

  /** An integer from 0 to 2^53-1, in 8 bytes. */
  u53(): number {
    if (!this.#has(8)) return 0;
    const high = this.#view.getUint32(this.#at);
    const low = this.#view.getUint32(this.#at + 4);
    this.#at += 8;
    if (high >= HIGH_LIMIT) this.fail('integer beyond 2^53');
    return high * 0x1_0000_0000 + low;
  }

  /** A finite number from 0. */
  f64(): number {
    if (!this.#has(8)) return 0;
    const value = this.#view.getFloat64(this.#at);
    this.#at += 8;
    if (value >= 0 && value < Infinity) return value;
    this.fail('number out of range');
    return 0;
  }

  /** 0 or 1. */
  flag(): boolean {
    const value = this.u8();
    if (value > 1) this.fail('flag is neither 0 nor 1');
    return value === 1;
  }

  /** A peer id, 1 … 2^31-1. */
  peer(): number {
    const id = this.u32();
    if (id < 1 || id > PEER_ID_MAX) this.fail('peer id out of range');
    return id;
  }

  /** A peer id, or 0. */
  peerOrZero(): number {
    const id = this.u32();
    if (id > PEER_ID_MAX) this.fail('peer id out of range');
    return id;
  }

  /** A message id as text. */
  uuid(): string {
    if (!this.#has(UUID_BYTES)) return '';
    const text = readUuid(this.#bytes, this.#at);
    this.#at += UUID_BYTES;
    if (text === null) this.fail('message id is not a version 7 UUID');
    return text ?? '';
  }

  /** The next `length` bytes, in a copy that they share with their neighbours. */
  bytes(length: number): Uint8Array {
    if (!this.#has(length)) return NOTHING;
    if (this.#at + length > this.#blockFrom + this.#block.length) this.#nextBlock(length);
    const from = this.#at - this.#blockFrom;
    this.#at += length;
    return this.#block.subarray(from, from + length);
  }

  /**
   * Checks a count against what is left before anything is allocated for it: `each` is the least number
   * of bytes that one item takes. Returns 0 after an error.
   */
  count(items: number, each: number): number {
    if (items * each > this.remaining) this.fail('count exceeds the frame');
    return this.#error === null ? items : 0;
  }

  /** Has the usual size, or less at the end of the frame, or as much as one large field needs. */
  #nextBlock(length: number): void {
    this.#blockFrom = this.#at;
    // `slice` of a Buffer would not copy.
    this.#block = new Uint8Array(
      this.#bytes.subarray(this.#at, this.#at + Math.max(length, BLOCK_BYTES)),
    );
  }

  #has(length: number): boolean {
    if (this.#error !== null) return false;
    if (this.#at + length <= this.#bytes.length) return true;
    this.#error = 'frame too short';
    return false;
  }
}
