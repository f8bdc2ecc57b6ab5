/**
 * The simulator's agenda: what happens next, and in which order. Each actor (a link's direction, a
 * host's timer, a disk) stands in it at most once and is moved in place, so that nothing stale is ever
 * popped and nothing is allocated. Equal times are served in the order in which they were scheduled,
 * which keeps a run reproducible. It decides order only; it never runs anything.
 */

/** Something that happens at a time. Only the queue writes these fields. */
export interface Timed {
  /** Simulated milliseconds. */
  at: number;
  /** Breaks ties of `at`. */
  order: number;
  /** Place in the heap, -1 while it is not scheduled. */
  slot: number;
}

/** A binary heap in which every item knows its place. */
export class EventQueue<T extends Timed> {
  readonly #heap: T[] = [];
  #orders = 0;

  /** Number of scheduled items. */
  get size(): number {
    return this.#heap.length;
  }

  /** The next item, which stays scheduled; undefined when there is none. */
  peek(): T | undefined {
    return this.#heap[0];
  }

  /** Schedules `item` at `at`, or moves it there. */
  schedule(item: T, at: number): void {
    item.at = at;
    item.order = this.#orders++;
    if (item.slot < 0) {
      item.slot = this.#heap.length;
      this.#heap.push(item);
      this.#up(item);
      return;
    }
    this.#up(item);
    this.#down(item);
  }

  /** Takes `item` off the agenda, if it is on it. */
  cancel(item: T): void {
    const { slot } = item;
    if (slot < 0) return;
    item.slot = -1;
    const last = this.#heap.pop() as T;
    if (last === item) return;
    this.#put(last, slot);
    this.#up(last);
    this.#down(last);
  }

  /** Removes and returns the next item. */
  pop(): T | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.cancel(first);
    return first;
  }

  #put(item: T, slot: number): void {
    this.#heap[slot] = item;
    item.slot = slot;
  }

  #up(item: T): void {
    let { slot } = item;
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const other = this.#heap[above] as T;
      if (!isBefore(item, other)) break;
      this.#put(other, slot);
      slot = above;
    }
    this.#put(item, slot);
  }

  #down(item: T): void {
    const heap = this.#heap;
    let { slot } = item;
    for (;;) {
      let below = 2 * slot + 1;
      if (below >= heap.length) break;
      const right = below + 1;
      if (right < heap.length && isBefore(heap[right] as T, heap[below] as T)) below = right;
      const other = heap[below] as T;
      if (!isBefore(other, item)) break;
      this.#put(other, slot);
      slot = below;
    }
    this.#put(item, slot);
  }
}

function isBefore(a: Timed, b: Timed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
