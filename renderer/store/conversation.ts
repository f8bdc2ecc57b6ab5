/**
 * The window that the page keeps of the conversation: pages of final entries by seq, and the messages that
 * wait. Pure. Entries arrive in any order and more than once (snapshot, events,
 * pages loaded while scrolling); putting one in twice changes nothing. Memory is bounded: pages far from
 * both the reader and the end are let go and loaded again when somebody scrolls there.
 */
import type { FinalEntry, MessageId, Seq, WaitingMessage } from '../../shared/model.ts';

/** Entries per page, and per `load-entries` request. */
export const PAGE_SIZE = 100;

/** Pages kept at once: 6,000 entries, a few megabytes. */
export const PAGES_MAX = 60;

/** PAGE_SIZE slots; an empty slot is an entry that this window has not loaded. */
export type Page = readonly (FinalEntry | undefined)[];

export interface Conversation {
  /** Number of the newest final entry; the list has this many final rows. */
  readonly last: Seq;
  readonly pages: ReadonlyMap<number, Page>;
  /** Messages without a final place: the ordered ones by their place, then the others as they came. */
  readonly waiting: readonly WaitingMessage[];
  /** Where the reader is, for deciding which pages to keep. */
  readonly viewport: Seq;
}

export const EMPTY_CONVERSATION: Conversation = {
  last: 0,
  pages: new Map(),
  waiting: [],
  viewport: 0,
};

/** The page that holds a seq. */
export function pageOf(seq: Seq): number {
  return Math.floor((seq - 1) / PAGE_SIZE);
}

/** The entry at a seq, when it is loaded. */
export function entryAt(conversation: Conversation, seq: Seq): FinalEntry | undefined {
  return conversation.pages.get(pageOf(seq))?.[(seq - 1) % PAGE_SIZE];
}

/** Whether every entry of a page up to the end is loaded. */
export function isPageComplete(conversation: Conversation, page: number): boolean {
  const slots = conversation.pages.get(page);
  if (slots === undefined) return false;
  const wanted = Math.min(PAGE_SIZE, conversation.last - page * PAGE_SIZE);
  for (let slot = 0; slot < wanted; slot += 1) {
    if (slots[slot] === undefined) return false;
  }
  return true;
}

/** Puts entries in their places and drops the waiting messages among them. */
export function withEntries(
  conversation: Conversation,
  entries: readonly FinalEntry[],
): Conversation {
  if (entries.length === 0) return conversation;
  const pages = new Map(conversation.pages);
  const copied = new Map<number, (FinalEntry | undefined)[]>();
  const final = new Set<MessageId>();
  let { last } = conversation;
  for (const entry of entries) {
    const page = pageOf(entry.seq);
    let slots = copied.get(page);
    if (slots === undefined) {
      slots = [...(pages.get(page) ?? [])];
      copied.set(page, slots);
      pages.set(page, slots);
    }
    slots[(entry.seq - 1) % PAGE_SIZE] = entry;
    last = Math.max(last, entry.seq);
    final.add(entry.message);
  }
  const waiting = conversation.waiting.filter((one) => !final.has(one.message));
  return trimmed({
    ...conversation,
    last,
    pages,
    waiting: waiting.length === conversation.waiting.length ? conversation.waiting : waiting,
  });
}

/** Adds or moves a waiting message; one that is final already stays final. */
export function withWaiting(conversation: Conversation, message: WaitingMessage): Conversation {
  if (isFinal(conversation, message.message)) return conversation;
  const before = conversation.waiting.find((one) => one.message === message.message);
  // An accepted event that arrives after the order event must not take the place away again.
  const placed = message.n === null && before !== undefined ? before : message;
  const list =
    before === undefined
      ? [...conversation.waiting, placed]
      : conversation.waiting.map((one) => (one === before ? placed : one));
  return { ...conversation, waiting: list.sort(byPlace) };
}

/** Remembers where the reader is, so that pages around it are kept. */
export function withViewport(conversation: Conversation, seq: Seq): Conversation {
  return seq === conversation.viewport ? conversation : { ...conversation, viewport: seq };
}

/** Stable: messages without a place keep the order in which they came. */
function byPlace(a: WaitingMessage, b: WaitingMessage): number {
  return (a.n ?? Number.POSITIVE_INFINITY) === (b.n ?? Number.POSITIVE_INFINITY)
    ? 0
    : (a.n ?? Number.POSITIVE_INFINITY) - (b.n ?? Number.POSITIVE_INFINITY);
}

/**
 * Whether a message is among the newest final entries. Events may repeat what the snapshot held; a message
 * that became final longer ago than two pages cannot be in an event that is still on its way.
 */
function isFinal(conversation: Conversation, id: MessageId): boolean {
  const newest = pageOf(Math.max(conversation.last, 1));
  for (const page of [newest, newest - 1]) {
    const slots = conversation.pages.get(page);
    if (slots?.some((entry) => entry?.message === id) === true) return true;
  }
  return false;
}

/** Lets go of the pages farthest from both the reader and the end. */
function trimmed(conversation: Conversation): Conversation {
  const { pages } = conversation;
  if (pages.size <= PAGES_MAX) return conversation;
  const end = pageOf(conversation.last);
  const here = pageOf(Math.max(conversation.viewport, 1));
  const nearest = [...pages.keys()].sort((a, b) => distance(a) - distance(b));
  function distance(page: number): number {
    return Math.min(Math.abs(page - here), Math.abs(page - end));
  }
  const kept = new Set(nearest.slice(0, PAGES_MAX));
  return { ...conversation, pages: new Map([...pages].filter(([page]) => kept.has(page))) };
}
