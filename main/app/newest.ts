/**
 * The end of the conversation, kept so that a window can be drawn without asking the disk: the newest
 * final entries, and the messages that are held and not final. It decides nothing about order: finals
 * come in theirs, waiting messages stand by their provisional place and then by age.
 */
import type { FinalEntry, MessageId, WaitingMessage } from '../../shared/model.ts';

/** Entries kept: a few screens, so that opening a window needs no second question. */
export const newestMax = 200;

/** The newest entries and the waiting messages of one group. */
export class Newest {
  #entries: FinalEntry[] = [];
  readonly #waiting = new Map<MessageId, WaitingMessage>();

  /** What was on disk at opening goes before what has been finalised since. */
  begin(tail: readonly FinalEntry[], waiting: readonly WaitingMessage[]): void {
    const since = this.#entries;
    this.#entries = [];
    this.#append(tail);
    this.#append(since);
    for (const message of waiting) this.addWaiting(message);
  }

  addFinal(entries: readonly FinalEntry[]): void {
    for (const entry of entries) this.#waiting.delete(entry.message);
    this.#append(entries);
  }

  /** Notes a message that is held, or its new place. False if there is nothing new about it. */
  addWaiting(message: WaitingMessage): boolean {
    const known = this.#waiting.get(message.message);
    if (known !== undefined && known.n === message.n) return false;
    this.#waiting.set(message.message, message);
    return true;
  }

  entries(): readonly FinalEntry[] {
    return [...this.#entries];
  }

  /** Those with a provisional place by it, then the rest by age. */
  waiting(): readonly WaitingMessage[] {
    const place = (message: WaitingMessage): number => message.n ?? Number.POSITIVE_INFINITY;
    return [...this.#waiting.values()].sort((a, b) => {
      const byPlace = place(a) - place(b);
      return Number.isNaN(byPlace) || byPlace === 0 ? a.sentAt - b.sentAt : byPlace;
    });
  }

  /** The message as it waits; made up from its id if it has become final already. */
  waitingOrMade(made: Pick<WaitingMessage, 'message' | 'author' | 'text'>): WaitingMessage {
    return this.#waiting.get(made.message) ?? { ...made, sentAt: timeOf(made.message), n: null };
  }

  #append(entries: readonly FinalEntry[]): void {
    const last = this.#entries.at(-1)?.seq ?? 0;
    for (const entry of entries) if (entry.seq > last) this.#entries.push(entry);
    if (this.#entries.length > newestMax) this.#entries = this.#entries.slice(-newestMax);
  }
}

/** Milliseconds since 1970 in a UUIDv7: its first 48 bits. */
function timeOf(message: MessageId): number {
  return Number.parseInt(message.replaceAll('-', '').slice(0, 12), 16);
}
