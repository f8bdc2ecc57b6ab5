/**
 * The one way in which the page's state changes: (state, event) → state, pure, over every event of the
 * contract and the few that the window itself makes (a snapshot came, a page was loaded, the reader looked
 * away). It never asks the bridge for anything and knows no clock.
 */
import { assertNever } from '../../shared/assert.ts';
import type { Events, Phase, Settings, Snapshot } from '../../shared/ipc/contract.ts';
import type {
  FinalEntry,
  MessageId,
  NodeError,
  NodeStatus,
  PeerId,
  Seq,
} from '../../shared/model.ts';
import { EMPTY_CONVERSATION, withEntries, withViewport, withWaiting } from './conversation.ts';
import type { Conversation } from './conversation.ts';

/** Before the first snapshot, or when it could not be had. */
export type LocalPhase =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unreachable'; readonly message: string };

/** What the reader has seen of the conversation. */
export interface Attention {
  /** The window has the focus and shows the end. */
  readonly looking: boolean;
  /** Everything up to here has been on screen while somebody looked. */
  readonly seen: Seq;
  /** First entry that came while nobody looked; the divider stands above it. */
  readonly freshFrom: Seq | null;
  /** Missed entries have come since the reader last turned to the end: more of them than a screen shows. */
  readonly flewPast: boolean;
  /**
   * Messages of others from before this time were missed, whenever they come: the window was not open. Zero
   * where nothing was missed, because nobody had read this group here. Milliseconds since 1970.
   */
  readonly missedBefore: number;
  /** Messages of others that came while nobody looked. */
  readonly unseen: number;
}

export interface ChatState {
  readonly phase: Phase | LocalPhase;
  readonly status: NodeStatus | null;
  readonly conversation: Conversation;
  readonly attention: Attention;
  /** The message that this window sent last; null before the first. */
  readonly lastSent: MessageId | null;
  readonly settings: Settings;
  /** Draft as it was when the group was opened; the composer owns it from then on. */
  readonly draft: string;
  /** Newest error that does not end the node, until it is dismissed. */
  readonly notice: NodeError | null;
}

type ContractEvent = {
  readonly [Name in keyof Events]: { readonly kind: Name; readonly payload: Events[Name] };
}[keyof Events];

/** Every event of the contract, and those that the window makes itself. */
export type ChatEvent =
  | ContractEvent
  | {
      readonly kind: 'snapshot-loaded';
      readonly snapshot: Snapshot;
      /** Last seq seen in this group in an earlier run; null when that is not known. */
      readonly seen: Seq | null;
      /** Wall clock, milliseconds since 1970. */
      readonly at: number;
    }
  | { readonly kind: 'snapshot-failed'; readonly message: string }
  | { readonly kind: 'entries-loaded'; readonly entries: readonly FinalEntry[] }
  | { readonly kind: 'viewport-moved'; readonly seq: Seq }
  | { readonly kind: 'attention-changed'; readonly looking: boolean }
  | { readonly kind: 'settings-chosen'; readonly settings: Settings }
  | { readonly kind: 'notice-dismissed' };

const NOTHING_SEEN: Attention = {
  looking: false,
  seen: 0,
  freshFrom: null,
  flewPast: false,
  missedBefore: 0,
  unseen: 0,
};

export const INITIAL_STATE: ChatState = {
  phase: { kind: 'loading' },
  status: null,
  conversation: EMPTY_CONVERSATION,
  attention: NOTHING_SEEN,
  lastSent: null,
  settings: { theme: 'system', statusPanel: true },
  draft: '',
  notice: null,
};

/** The state after an event. */
export function applyEvent(state: ChatState, event: ChatEvent): ChatState {
  switch (event.kind) {
    case 'phase-changed':
      return applyPhase(state, event.payload);
    case 'status-changed':
      return { ...state, status: event.payload };
    case 'message-accepted':
      return clearFresh({
        ...state,
        lastSent: event.payload.message,
        conversation: withWaiting(state.conversation, event.payload),
      });
    case 'message-ordered':
      return applyOrdered(state, event.payload);
    case 'entries-finalized':
      return applyFinal(state, event.payload);
    case 'error-reported':
      return { ...state, notice: event.payload };
    case 'snapshot-loaded':
      return applySnapshot(state, event);
    case 'snapshot-failed':
      return { ...state, phase: { kind: 'unreachable', message: event.message } };
    case 'entries-loaded':
      return { ...state, conversation: withEntries(state.conversation, event.entries) };
    case 'viewport-moved':
      return { ...state, conversation: withViewport(state.conversation, event.seq) };
    case 'attention-changed':
      return applyAttention(state, event.looking);
    case 'settings-chosen':
      return { ...state, settings: event.settings };
    case 'notice-dismissed':
      return { ...state, notice: null };
    default:
      return assertNever(event, 'event');
  }
}

/** Leaving a group empties the window of it; its own snapshot fills it again. */
function applyPhase(state: ChatState, phase: Phase): ChatState {
  const keeps = phase.kind === 'open' && groupOf(state.phase) === phase.group;
  if (keeps || phase.kind === 'ended') return { ...state, phase };
  return {
    ...state,
    phase,
    status: null,
    conversation: EMPTY_CONVERSATION,
    attention: { ...NOTHING_SEEN, looking: state.attention.looking },
    lastSent: null,
    draft: '',
    notice: null,
  };
}

function groupOf(phase: Phase | LocalPhase): string | null {
  return phase.kind === 'open' ? phase.group : null;
}

function selfOf(phase: Phase | LocalPhase): PeerId | null {
  return phase.kind === 'open' ? phase.self.id : null;
}

/** Nothing of the old window survives: the snapshot is complete. */
function applySnapshot(
  state: ChatState,
  { at, seen, snapshot }: Extract<ChatEvent, { readonly kind: 'snapshot-loaded' }>,
): ChatState {
  let conversation: Conversation = {
    ...EMPTY_CONVERSATION,
    last: snapshot.status?.commit ?? 0,
    waiting: snapshot.waiting,
  };
  conversation = withEntries(conversation, snapshot.entries);
  conversation = withViewport(conversation, conversation.last);
  const { looking } = state.attention;
  return {
    phase: snapshot.phase,
    status: snapshot.status,
    conversation,
    attention: {
      ...NOTHING_SEEN,
      looking,
      seen: looking || seen === null ? conversation.last : Math.min(seen, conversation.last),
      freshFrom: seen === null ? null : firstFresh(snapshot, seen),
      missedBefore: seen === null ? 0 : at,
    },
    lastSent: null,
    settings: snapshot.settings,
    draft: snapshot.draft,
    notice: null,
  };
}

/** The first news after the mark; where the snapshot does not reach back to it, whatever comes next. */
function firstFresh({ entries, phase }: Snapshot, seen: Seq): Seq | null {
  const [first] = entries;
  if (first !== undefined && first.seq > seen + 1) return seen + 1;
  const self = selfOf(phase);
  return entries.find((entry) => isNews(entry, self, seen))?.seq ?? null;
}

/** A message of somebody else, after what was seen. */
function isNews(entry: FinalEntry, self: PeerId | null, seen: Seq): boolean {
  return entry.kind === 'message' && entry.author !== self && entry.seq > seen;
}

function applyOrdered(state: ChatState, message: Events['message-ordered']): ChatState {
  const conversation = withWaiting(state.conversation, message);
  const isNew = conversation.waiting.length > state.conversation.waiting.length;
  const counts = isNew && !state.attention.looking && message.author !== selfOf(state.phase);
  const unseen = state.attention.unseen + (counts ? 1 : 0);
  return { ...state, conversation, attention: { ...state.attention, unseen } };
}

function applyFinal(state: ChatState, entries: readonly FinalEntry[]): ChatState {
  const conversation = withEntries(state.conversation, entries);
  const { attention } = state;
  // What stood there provisionally was seen, or counted, when it appeared.
  const stood = new Set(state.conversation.waiting.map((one) => one.message));
  const self = selfOf(state.phase);
  const news = entries.filter((e) => isNews(e, self, state.conversation.last));
  const missed = news.find((e) => e.sentAt < attention.missedBefore && !stood.has(e.message));
  const next = attention.looking
    ? withLookedAt(attention, conversation.last, missed)
    : withUnlooked(attention, news, missed);
  const added = attention.looking ? 0 : news.filter((e) => !stood.has(e.message)).length;
  return { ...state, conversation, attention: { ...next, unseen: next.unseen + added } };
}

/** Nobody can read what a catch-up pours in: it is marked as missed, and the mark of what was seen stays. */
function withLookedAt(attention: Attention, last: Seq, missed: FinalEntry | undefined): Attention {
  const flewPast = attention.flewPast || missed !== undefined;
  return {
    ...attention,
    flewPast,
    freshFrom: attention.freshFrom ?? missed?.seq ?? null,
    seen: flewPast ? attention.seen : last,
  };
}

/** All that was missed has one divider, above its first; later news take it once somebody has looked. */
function withUnlooked(
  attention: Attention,
  news: readonly FinalEntry[],
  missed: FinalEntry | undefined,
): Attention {
  const keeps = isStanding(attention) || missed !== undefined ? attention.freshFrom : null;
  return { ...attention, freshFrom: keeps ?? news[0]?.seq ?? attention.freshFrom };
}

/** The divider marks something that nobody has looked at yet; later news then belong below it. */
function isStanding(attention: Attention): boolean {
  return attention.freshFrom !== null && attention.seen < attention.freshFrom;
}

/** Looking clears the count; the divider stays until news that come while nobody looks take it. */
function applyAttention(state: ChatState, looking: boolean): ChatState {
  const { attention, conversation } = state;
  if (looking === attention.looking) return state;
  const next: Attention = looking
    ? { ...attention, looking, seen: conversation.last, flewPast: false, unseen: 0 }
    : { ...attention, looking };
  return { ...state, attention: next };
}

/** Somebody who writes has read what is above. */
function clearFresh(state: ChatState): ChatState {
  if (state.attention.freshFrom === null) return state;
  return { ...state, attention: { ...state.attention, freshFrom: null, flewPast: false } };
}
