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

/** A reader that takes one piece whenever it is told to. */
function slowReader(): { stream: Writable; taken: () => string; take: () => void } {
  let text = '';
  let wake: () => void = () => {};
  const stream = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      wake = done;
    },
  });
  const take = (): void => {
    const done = wake;
    wake = () => {};
    done();
  };
  return { stream, taken: () => text, take };
}

/** Takes whatever comes until `work` is done. */
async function takeUntil(work: Promise<unknown>, take: () => void): Promise<void> {
  let over = false;
  void work.then(() => {
    over = true;
  });
  while (!over) {
    take();
    await turn();
  }
}

test('a long line is fetched as it is taken, and other lines wait for its end', async () => {
  const { stream, taken, take } = slowReader();
  const output = new Output(stream, () => {});
  const told: number[] = [];
  output.line('before');
  output.longLine(() => parts(50, told));
  output.longLine(() => parts(1, told));
  for (let i = 0; i < 20; i++) await turn();
  // The reader has taken nothing but the first piece.
  expect(told.length).toBeLessThan(4);
  output.line('between');
  await takeUntil(output.flushed(10_000), take);
  const lines = taken()
    .split('\n')
    .map((line) => `${line.slice(0, 7)} ${line.length}`);
  expect(lines).toEqual(['before 6', '0xxxxxx 3500090', 'between 7', '0xxxxxx 70001', ' 0']);
});

test('whoever waits for a free output gets its turn between long lines', async () => {
  const { stream, taken, take } = slowReader();
  const output = new Output(stream, () => {});
  for (let i = 0; i < 10; i++) output.longLine(() => parts(2, []));
  await turn();
  const drained = output.drained().then(() => taken().split('\n').length - 1);
  await takeUntil(drained, take);
  expect(await drained).toBe(1);
  await takeUntil(output.flushed(10_000), take);
  expect(taken().split('\n').length - 1).toBe(10);
});

test('too much that waits makes it overfull', async () => {
  const stream = new PassThrough();
  const output = new Output(stream, () => {});
  for (let i = 0; i < 1_002; i++) output.longLine(() => parts(0, []));
  expect(output.overfull).toBe(true);
  stream.resume();
  await output.roomAgain();
  expect(output.overfull).toBe(false);
  for (let i = 0; i < 65; i++) output.line('x'.repeat(1024 * 1024));
  expect(output.overfull).toBe(true);
  await output.roomAgain();
  expect(output.overfull).toBe(false);
});
