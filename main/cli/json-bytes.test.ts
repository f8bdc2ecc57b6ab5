/** The bytes are those that JSON.stringify gives, for every text and number. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonBytes } from './json-bytes.ts';

function written(write: (bytes: JsonBytes) => void): string {
  const bytes = new JsonBytes();
  write(bytes);
  return bytes.take().toString('utf8');
}

test('strings', () => {
  const texts = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }));
  fc.assert(
    fc.property(texts, (text) => {
      expect(written((bytes) => bytes.string(Buffer.from(text)))).toBe(JSON.stringify(text));
    }),
  );
});

test('bytes that are not UTF-8 become the replacement character', () => {
  expect(written((bytes) => bytes.string(new Uint8Array([0x61, 0xff, 0x62])))).toBe('"a\ufffdb"');
});

test('integers', () => {
  const numbers = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(0, 9, 10, 999_999_999, 1e9));
  fc.assert(
    fc.property(numbers, (value) => {
      expect(written((bytes) => bytes.integer(value))).toBe(String(value));
    }),
  );
});

test('hex', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (value) => {
      expect(written((bytes) => bytes.hex(value))).toBe(Buffer.from(value).toString('hex'));
    }),
  );
});

test('what was taken stays as it is while more is collected, beyond every capacity', () => {
  const bytes = new JsonBytes();
  bytes.ascii('first');
  const first = bytes.take();
  const long = 'ö'.repeat(2 * 1024 * 1024);
  bytes.raw(long);
  bytes.ascii('!');
  expect(bytes.length).toBe(Buffer.byteLength(long) + 1);
  expect(bytes.take().toString()).toBe(`${long}!`);
  bytes.ascii('last');
  expect([first.toString(), bytes.take().toString(), bytes.length]).toEqual(['first', 'last', 0]);
});
