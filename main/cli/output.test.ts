/** One write a turn, never blocked by a slow reader, never failed by one that is gone. */
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
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
