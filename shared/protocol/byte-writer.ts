/**
 * Appends numbers and bytes to a buffer that grows and is used again. It decides the byte order (big
 * endian) and nothing of the layout. Values out of range are our bugs and are asserted: what a peer
 * sends wrong is found by byte-reader.ts.
 */
import { assert } from '../assert.ts';
import { PEER_ID_MAX } from '../model.ts';
import { UUID_BYTES, writeUuid } from './uuid.ts';

/** First capacity, bytes: most frames fit, and growing is by doubling. */
const FIRST_CAPACITY = 16 * 1024;
/** A buffer that grew beyond this is not kept for the next frame, bytes. */
const KEPT_CAPACITY = 1024 * 1024;

/** One frame or field list being laid out. `reset` starts the next in the same memory. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Starts again, with `headroom` zero bytes in front that the caller fills in. */
  reset(headroom = 0): void {
    if (this.#bytes.length > KEPT_CAPACITY) this.#replace(new Uint8Array(FIRST_CAPACITY));
    this.#at = 0;
    this.#reserve(headroom);
    this.#bytes.fill(0, 0, headroom);
    this.#at = headroom;
  }

  /** A copy of what was written, which the caller owns. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  /** What was written, without a copy: valid until the next call of any method. */
  peek(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  u16(value: number): void {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffff, 'u16 out of range');
    this.#reserve(2);
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
  }

  u32(value: number): void {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff, 'u32 out of range');
    this.#reserve(4);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  /** A count, sequence number or time: an integer from 0 to 2^53-1, in 8 bytes. */
  u53(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'integer out of range');
    this.#reserve(8);
    this.#view.setUint32(this.#at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(this.#at + 4, value >>> 0);
    this.#at += 8;
  }

  /** A finite number from 0. */
  f64(value: number): void {
    assert(value >= 0 && value < Infinity, 'number out of range');
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
  }

  /** A peer id, 1 … 2^31-1. */
  peer(id: number): void {
    assert(id !== 0, 'peer id out of range');
    this.peerOrZero(id);
  }

  /** A peer id, or 0 for none. */
  peerOrZero(id: number): void {
    assert(Number.isInteger(id) && id >= 0 && id <= PEER_ID_MAX, 'peer id out of range');
    this.#reserve(4);
    this.#view.setUint32(this.#at, id);
    this.#at += 4;
  }

  /** A message id: UUID text in memory, 16 bytes here. */
  uuid(text: string): void {
    this.#reserve(UUID_BYTES);
    assert(writeUuid(text, this.#bytes, this.#at), 'a message id is not a version 7 UUID');
    this.#at += UUID_BYTES;
  }

  /** Raw bytes; their length is the layout's business. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#replace(grown);
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
