/**
 * The window that the page keeps of the conversation: pages of final entries by seq, the messages that wait,
 * and the members lists seen so far. Pure. Entries arrive in any order and more than once (snapshot, events,
 * pages loaded while scrolling); putting one in twice changes nothing. Memory is bounded: pages far from
 * both the reader and the end are let go and loaded again when somebody scrolls there.
 */
import type { FinalEntry, MemberView, MessageId, Seq, WaitingMessage } from '../../shared/model.ts';

/** Entries per page, and per `load-entries` request. */
export const PAGE_SIZE = 100;

/** Pages kept at once: 6,000 entries, a few megabytes. */
export const PAGES_MAX = 60;

/** PAGE_SIZE slots; an empty slot is an entry that this window has not loaded. */
export type Page = readonly (FinalEntry | undefined)[];

/** Both ends belong to it. */
export interface Interval {
  readonly from: Seq;
  readonly to: Seq;
}

/** A members list and the seq from which it was in effect. */
export interface MembersAt {
  readonly seq: Seq;
  readonly members: readonly MemberView[];
}

export interface Conversation {
  /** Number of the newest final entry; the list has this many final rows. */
  readonly last: Seq;
  readonly pages: ReadonlyMap<number, Page>;
  /** Ranges that have been loaded at some time, ascending, apart; they vouch for `memberLists`. */
  readonly known: readonly Interval[];
  /** Every members list seen, ascending; kept when its page is let go, because it is small. */
  readonly memberLists: readonly MembersAt[];
  /** Messages without a final place: the ordered ones by their place, then the others as they came. */
  readonly waiting: readonly WaitingMessage[];
  /** Where the reader is, for deciding which pages to keep. */
  readonly viewport: Seq;
}

export const EMPTY_CONVERSATION: Conversation = {
  last: 0,
  pages: new Map(),
  known: [],
  memberLists: [],
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
  let { last, known, memberLists } = conversation;
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
    if (entry.kind === 'members') memberLists = withMembersAt(memberLists, entry);
  }
  for (const run of runsOf(entries)) known = withInterval(known, run);
  const waiting = conversation.waiting.filter((one) => !final.has(one.message));
  return trimmed({
    ...conversation,
    last,
    pages,
    known,
    memberLists,
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

function withMembersAt(
  lists: readonly MembersAt[],
  entry: { readonly seq: Seq; readonly members: readonly MemberView[] },
): readonly MembersAt[] {
  if (lists.some((list) => list.seq === entry.seq)) return lists;
  const added = [...lists, { seq: entry.seq, members: entry.members }];
  return added.sort((a, b) => a.seq - b.seq);
}

/** Maximal runs of consecutive seqs. */
function runsOf(entries: readonly FinalEntry[]): readonly Interval[] {
  const runs: { from: Seq; to: Seq }[] = [];
  for (const { seq } of entries) {
    const run = runs.at(-1);
    if (run !== undefined && seq === run.to + 1) run.to = seq;
    else runs.push({ from: seq, to: seq });
  }
  return runs;
}

/** The union of ascending intervals and one more; touching ones become one. */
export function withInterval(known: readonly Interval[], added: Interval): readonly Interval[] {
  const apart: Interval[] = [];
  let { from, to } = added;
  for (const interval of known) {
    if (interval.to + 1 < from || interval.from > to + 1) {
      apart.push(interval);
    } else {
      from = Math.min(from, interval.from);
      to = Math.max(to, interval.to);
    }
  }
  apart.push({ from, to });
  return apart.sort((a, b) => a.from - b.from);
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
