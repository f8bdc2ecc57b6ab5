/** Any split of the bytes gives the same lines. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineCutter } from './lines.ts';

function cut(chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const cutter = new LineCutter(
    (line) => lines.push(line),
    (why) => lines.push(`!! ${why}`),
  );
  for (const chunk of chunks) cutter.take(chunk);
  cutter.end();
  return lines;
}

test('lines, their last one without an end, and Windows line ends', () => {
  expect(cut([Buffer.from('one\ntwo\r\n\nthr'), Buffer.from('ee')])).toEqual([
    'one',
    'two',
    '',
    'three',
  ]);
});

test('any split is the same, also within a character', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ü', '🙂', '\n') });
  const property = fc.property(text, fc.array(fc.nat()), (whole, cuts) => {
    const bytes = Buffer.from(whole);
    const places = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b)];
    const chunks = places.map((at, i) => bytes.subarray(at, places[i + 1] ?? bytes.length));
    expect(cut(chunks)).toEqual(cut([bytes]));
  });
  fc.assert(property);
});

test('a line that is too long is reported once and skipped to its end', () => {
  const long = Buffer.alloc(3 * 1024 * 1024, 'x');
  expect(cut([Buffer.from('a\n'), long, long, long, Buffer.from('\nb\n')])).toEqual([
    'a',
    '!! the line is too long',
    'b',
  ]);
  expect(cut([Buffer.concat([long, long, Buffer.from('\nb')])])).toEqual([
    '!! the line is too long',
    'b',
  ]);
});

test('a line that is no text is left out, and the ones around it are not', () => {
  const half = Buffer.from('ü').subarray(0, 1);
  const lines = [Buffer.from('a\nb'), half, Buffer.from('\nü\n'), half];
  expect(cut(lines)).toEqual(['a', '!! the line is not UTF-8', 'ü', '!! the line is not UTF-8']);
});
