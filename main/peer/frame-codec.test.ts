/** Any split of a stream gives the same frames, and a bad header ends it. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameDecoder, HEADER_BYTES, sealFrame } from './frame-codec.ts';
import { FRAME_BYTES_MAX } from './limits.ts';

function frameOf(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame.set(payload, HEADER_BYTES);
  return sealFrame(frame);
}

/** All payloads of the stream, copied, when it arrives cut at these places. */
function decode(stream: Uint8Array, cuts: readonly number[], limit = 1_000): string[] {
  const decoder = new FrameDecoder(limit);
  const places = [0, ...cuts.map((c) => c % (stream.length + 1)).sort((a, b) => a - b)];
  const payloads: string[] = [];
  for (const [i, from] of places.entries()) {
    decoder.push(stream.subarray(from, places[i + 1] ?? stream.length));
    for (let p = decoder.next(); p !== null; p = decoder.next()) {
      payloads.push(Buffer.from(p).toString('hex'));
    }
  }
  return decoder.error === null ? payloads : [...payloads, decoder.error];
}

test('any split of the bytes decodes the same', () => {
  const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 12 });
  fc.assert(
    fc.property(payloads, fc.array(fc.nat(), { maxLength: 30 }), (list, cuts) => {
      const stream = Buffer.concat(list.map(frameOf));
      expect(decode(stream, cuts)).toEqual(list.map((p) => Buffer.from(p).toString('hex')));
    }),
    { numRuns: 2_000 },
  );
});

test('one byte at a time is a split like any other', () => {
  const stream = Buffer.concat([frameOf(new Uint8Array(300).fill(1)), frameOf(Uint8Array.of(2))]);
  const everywhere = Array.from({ length: stream.length }, (_, i) => i);
  expect(decode(stream, everywhere)).toEqual(['01'.repeat(300), '02']);
});

test('a frame over the limit ends the stream, wherever the header was cut', () => {
  const stream = Buffer.concat([frameOf(Uint8Array.of(7)), frameOf(new Uint8Array(11))]);
  for (let cut = 0; cut <= stream.length; cut++) {
    expect(decode(stream, [cut], 10)).toEqual(['07', 'frame of 11 bytes']);
  }
});

test('an empty frame ends the stream', () => {
  expect(decode(new Uint8Array(8), [])).toEqual(['empty frame']);
});

test('a limit that is raised holds for the next header', () => {
  const decoder = new FrameDecoder(1);
  decoder.push(Buffer.concat([frameOf(Uint8Array.of(1)), frameOf(new Uint8Array(9))]));
  expect(decoder.next()).toEqual(Buffer.of(1));
  decoder.setLimit(9);
  expect(decoder.next()?.length).toBe(9);
});

test('a frame that we could not read ourselves is never sent', () => {
  expect(() => sealFrame(new Uint8Array(HEADER_BYTES))).toThrow('0 bytes');
  expect(() => sealFrame(new Uint8Array(HEADER_BYTES + FRAME_BYTES_MAX + 1))).toThrow('bytes');
});
