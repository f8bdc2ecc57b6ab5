/** One write a turn, never blocked by a slow reader, never failed by one that is gone. */
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JsonBytes } from './json-bytes.ts';
import { Output } from './output.ts';

test('the lines of one turn leave in one write', async () => {
  const writes: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(chunk.toString());
      done();
    },
  });
  const output = new Output(stream, () => {});
  output.line('one');
  output.line('two');
  await turn();
  output.line('three');
  await output.drained();
  expect(writes).toEqual(['one\ntwo\n', 'three\n']);
});

test('a slow reader makes it congested until everything is taken', async () => {
  const stream = new PassThrough();
  const output = new Output(stream, () => {});
  output.line('x'.repeat(5 * 1024 * 1024));
  await turn();
  expect(output.congested).toBe(true);
  stream.resume();
  await output.drained();
  expect(output.congested).toBe(false);
});

test('a reader that is gone is told once, and nobody waits for it', async () => {
  let gone = 0;
  const stream = new PassThrough();
  const output = new Output(stream, () => {
    gone += 1;
  });
  output.line('x'.repeat(1024 * 1024));
  const drained = output.drained();
  stream.destroy(new Error('EPIPE'));
  await drained;
  output.line('nobody hears this');
  await output.drained();
  expect(gone).toBe(1);
});

async function* parts(count: number, told: number[]): AsyncGenerator<(bytes: JsonBytes) => void> {
  for (let i = 0; i < count; i++) {
    await turn();
    told.push(i);
    yield (bytes) => bytes.ascii(`${i}${'x'.repeat(70_000)}`);
  }
  yield (bytes) => bytes.ascii('\n');
}

test('a long line is fetched as it is taken, and other lines wait behind it', async () => {
  let taken = '';
  let wake: () => void = () => {};
  const stream = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      taken += chunk.toString();
      wake = done;
    },
  });
  const output = new Output(stream, () => {});
  const told: number[] = [];
  output.line('before');
  output.longLine(() => parts(50, told));
  output.longLine(() => parts(1, told));
  output.line('behind');
  expect(output.congested).toBe(true);
  for (let i = 0; i < 20; i++) await turn();
  // The reader has taken nothing but the first piece.
  expect(told.length).toBeLessThan(4);
  const drained = output.drained();
  let over = false;
  void drained.then(() => {
    over = true;
  });
  while (!over) {
    wake();
    await turn();
  }
  const lines = taken.split('\n').map((line) => `${line.slice(0, 6)} ${line.length}`);
  expect(lines).toEqual(['before 6', '0xxxxx 3500090', '0xxxxx 70001', 'behind 6', ' 0']);
  expect(output.congested).toBe(false);
});

test('too much that waits makes it overfull', async () => {
  const stream = new PassThrough();
  const output = new Output(stream, () => {});
  for (let i = 0; i < 1_002; i++) output.longLine(() => parts(0, []));
  expect(output.overfull).toBe(true);
  stream.resume();
  await output.drained();
  expect(output.overfull).toBe(false);
  for (let i = 0; i < 65; i++) output.line('x'.repeat(1024 * 1024));
  expect(output.overfull).toBe(true);
  await output.drained();
  expect(output.overfull).toBe(false);
});
