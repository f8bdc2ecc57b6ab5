/**
 * The messages that this peer holds and that are not in its log: its own and others', in provisional
 * order. The order decides what is submitted first; the author's order is carried by `after`. A message
 * leaves only by getting into the log; nothing here is ever dropped.
 */
import type { Message, MessageId } from './types.ts';

interface Item {
  readonly message: Message;
  /** Place in the present provisional run; null without one. */
  n: number | null;
  /** An own message whose write is not yet on disk must not leave this peer. */
  durable: boolean;
}

/** Ordered, by id. */
export class Pending {
  #items = new Map<MessageId, Item>();
  #bytes = 0;

  constructor(messages: readonly Message[]) {
    for (const message of messages) this.add(message, true);
  }

  get size(): number {
    return this.#items.size;
  }

  /** Bytes of bodies held. */
  get bytes(): number {
    return this.#bytes;
  }

  has(id: MessageId): boolean {
    return this.#items.has(id);
  }

  get(id: MessageId): Message | undefined {
    return this.#items.get(id)?.message;
  }

  /** Place in the present provisional run, null without one or for an unknown id. */
  placeOf(id: MessageId): number | null {
    return this.#items.get(id)?.n ?? null;
  }

  /** Ids in order. */
  ids(): IterableIterator<MessageId> {
    return this.#items.keys();
  }

  /** Messages that may leave this peer, in order. */
  *sendable(): Generator<Message> {
    for (const item of this.#items.values()) if (item.durable) yield item.message;
  }

  isSendable(id: MessageId): boolean {
    return this.#items.get(id)?.durable === true;
  }

  /** Adds a message behind all others. */
  add(message: Message, durable: boolean): void {
    if (this.#items.has(message.id)) return;
    this.#items.set(message.id, { message, n: null, durable });
    this.#bytes += message.body.length;
  }

  /** Adds messages before all others, in their order: what a cut gave back is older than what waits. */
  addFront(messages: readonly Message[]): void {
    const rest = this.#items;
    this.#items = new Map();
    for (const message of messages) if (!rest.has(message.id)) this.add(message, true);
    for (const [id, item] of rest) this.#items.set(id, item);
  }

  remove(id: MessageId): boolean {
    const item = this.#items.get(id);
    if (item === undefined) return false;
    this.#bytes -= item.message.body.length;
    return this.#items.delete(id);
  }

  markDurable(id: MessageId): void {
    const item = this.#items.get(id);
    if (item !== undefined) item.durable = true;
  }

  /** Gives a held message its provisional place. */
  place(id: MessageId, n: number): void {
    const item = this.#items.get(id);
    if (item !== undefined) item.n = n;
  }

  /** Ids that have a place in the present run, by place. */
  placed(): readonly MessageId[] {
    const found: { readonly id: MessageId; readonly n: number }[] = [];
    for (const [id, { n }] of this.#items) if (n !== null) found.push({ id, n });
    return found.sort((a, b) => a.n - b.n).map(({ id }) => id);
  }

  /** Forgets the places of an older run, never a message. */
  forgetPlaces(): void {
    for (const item of this.#items.values()) item.n = null;
  }
}
