/** The agenda against a dumb twin: a list that is sorted for every question. */
import { describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import { EventQueue, type Timed } from './event-queue.ts';

interface Item extends Timed {
  readonly name: number;
}

function item(name: number): Item {
  return { name, at: 0, order: 0, slot: -1 };
}

describe('EventQueue', () => {
  test('serves by time, and equal times in the order of scheduling', () => {
    const queue = new EventQueue<Item>();
    const [a, b, c] = [item(1), item(2), item(3)];
    queue.schedule(a, 5);
    queue.schedule(b, 3);
    queue.schedule(c, 5);
    expect([queue.pop(), queue.pop(), queue.pop(), queue.pop()]).toEqual([b, a, c, undefined]);
  });

  test('agrees with sorting after any mix of scheduling, moving, cancelling and serving', () => {
    const random = new Random(7);
    const queue = new EventQueue<Item>();
    const items = Array.from({ length: 40 }, (_, name) => item(name));
    const twin = new Map<Item, { at: number; order: number }>();
    const first = (): Item | undefined =>
      [...twin].sort(([, a], [, b]) => a.at - b.at || a.order - b.order)[0]?.[0];
    for (let step = 0; step < 5_000; step++) {
      const each = random.pick(items);
      if (random.chance(0.6)) {
        const at = random.below(50);
        queue.schedule(each, at);
        twin.set(each, { at, order: step });
      } else if (random.chance(0.3)) {
        queue.cancel(each);
        twin.delete(each);
      } else {
        const served = queue.pop();
        expect(served).toBe(first());
        if (served !== undefined) twin.delete(served);
      }
      expect(queue.size).toBe(twin.size);
      expect(queue.peek()).toBe(first());
    }
  });
});
