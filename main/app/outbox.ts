/**
 * What waits to be told to the window. A catch-up finalises tens of thousands of entries a second;
 * telling them one by one would keep both processes busy with envelopes. So events are gathered for
 * one frame and sent in order, entries next to each other as one. The first one after a quiet frame
 * goes at once: what a person has just sent must not wait for others. It must never let an entry become
 * final before the same message was accepted: only neighbours are joined.
 */
import type { EventName, Events } from '../../shared/ipc/contract.ts';

/** One event on its way. */
export type OutgoingEvent = {
  readonly [Name in EventName]: { readonly name: Name; readonly payload: Events[Name] };
}[EventName];

/** One frame of a 60 Hz screen, milliseconds: nobody can see more often. */
export const FRAME_MS = 16;

/** Gathers events and passes them on once a frame. */
export class Outbox {
  readonly #send: (event: OutgoingEvent) => void;
  #queue: OutgoingEvent[] = [];
  #timer: NodeJS.Timeout | null = null;
  #flushedAt = 0;

  constructor(send: (event: OutgoingEvent) => void) {
    this.#send = send;
  }

  /** Queues an event. A newer status takes the place of one that nobody has seen. */
  push(event: OutgoingEvent): void {
    if (event.name === 'status-changed') {
      this.#queue = this.#queue.filter((queued) => queued.name !== 'status-changed');
    }
    const last = this.#queue.at(-1);
    if (event.name === 'entries-finalized' && last?.name === 'entries-finalized') {
      const payload = last.payload.concat(event.payload);
      this.#queue[this.#queue.length - 1] = { name: 'entries-finalized', payload };
    } else {
      this.#queue.push(event);
    }
    const wait = Math.max(0, this.#flushedAt + FRAME_MS - performance.now());
    this.#timer ??= setTimeout(() => this.flush(), wait);
  }

  /** Sends what is queued now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushedAt = performance.now();
    const events = this.#queue;
    this.#queue = [];
    for (const event of events) this.#send(event);
  }

  /** Forgets what is queued: it belonged to a group that is left. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#queue = [];
  }
}
