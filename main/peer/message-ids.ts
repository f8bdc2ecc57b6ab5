/**
 * Ids of own messages: UUIDv7 (RFC 9562), ascending within a process even if the wall clock goes back,
 * so that they sort by age and the database's index grows at its end.
 */
import { randomFillSync } from 'node:crypto';
import type { MessageId } from '../../shared/model.ts';
import { must } from '../../shared/assert.ts';
import { readUuid, UUID_BYTES } from '../../shared/protocol/uuid.ts';

/** Random bytes are drawn for this many ids at a time. */
const IDS_PER_DRAW = 256;
/** Bytes of randomness in one id: the rest is time, version and counter. */
const RANDOM_BYTES = 8;
/** The counter within a millisecond has 12 bits. */
const COUNTER_MAX = 0xfff;

/** Makes ids. */
export class MessageIds {
  readonly #bytes = new Uint8Array(UUID_BYTES);
  readonly #random = new Uint8Array(IDS_PER_DRAW * RANDOM_BYTES);
  #drawn = this.#random.length;
  #time = 0;
  #counter = 0;

  /** The next id at this wall clock time. */
  next(wall: number): MessageId {
    if (wall > this.#time) {
      this.#time = wall;
      this.#counter = 0;
    } else if (this.#counter < COUNTER_MAX) {
      this.#counter += 1;
    } else {
      // More than 4,096 in one millisecond: the ids run ahead of the clock for a moment.
      this.#time += 1;
      this.#counter = 0;
    }
    if (this.#drawn === this.#random.length) {
      randomFillSync(this.#random);
      this.#drawn = 0;
    }
    const bytes = this.#bytes;
    const high = Math.floor(this.#time / 0x1_0000);
    bytes[0] = high >>> 24;
    bytes[1] = high >>> 16;
    bytes[2] = high >>> 8;
    bytes[3] = high;
    bytes[4] = this.#time >>> 8;
    bytes[5] = this.#time;
    bytes[6] = 0x70 | (this.#counter >>> 8);
    bytes[7] = this.#counter;
    bytes.set(this.#random.subarray(this.#drawn, this.#drawn + RANDOM_BYTES), 8);
    this.#drawn += RANDOM_BYTES;
    bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
    return must(readUuid(bytes, 0), 'the bits of version 7 are set');
  }
}
