/**
 * The one way in which the page's state changes: (state, event) → state, pure, over every event of the
 * contract and the few that the window itself makes (a snapshot came, a page was loaded, the reader looked
 * away). It never asks the bridge for anything and knows no clock.
 */
import { assertNever } from '../../shared/assert.ts';
import type { Events, Phase, Settings, Snapshot } from '../../shared/ipc/contract.ts';
import type { FinalEntry, NodeError, NodeStatus, PeerId, Seq } from '../../shared/model.ts';
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
  /** First message of somebody else that came while nobody looked; the divider stands above it. */
  readonly freshFrom: Seq | null;
  /** Messages of others that came while nobody looked. */
  readonly unseen: number;
}

export interface ChatState {
  readonly phase: Phase | LocalPhase;
  readonly status: NodeStatus | null;
  readonly conversation: Conversation;
  readonly attention: Attention;
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
    }
  | { readonly kind: 'snapshot-failed'; readonly message: string }
  | { readonly kind: 'entries-loaded'; readonly entries: readonly FinalEntry[] }
  | { readonly kind: 'viewport-moved'; readonly seq: Seq }
  | { readonly kind: 'attention-changed'; readonly looking: boolean }
  | { readonly kind: 'settings-chosen'; readonly settings: Settings }
  | { readonly kind: 'notice-dismissed' };

const NOTHING_SEEN: Attention = { looking: false, seen: 0, freshFrom: null, unseen: 0 };

export const INITIAL_STATE: ChatState = {
  phase: { kind: 'loading' },
  status: null,
  conversation: EMPTY_CONVERSATION,
  attention: NOTHING_SEEN,
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
        conversation: withWaiting(state.conversation, event.payload),
      });
    case 'message-ordered':
      return applyOrdered(state, event.payload);
    case 'entries-finalized':
      return applyFinal(state, event.payload);
    case 'error-reported':
      return { ...state, notice: event.payload };
    case 'snapshot-loaded':
      return applySnapshot(state, event.snapshot, event.seen);
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
function applySnapshot(state: ChatState, snapshot: Snapshot, seen: Seq | null): ChatState {
  let conversation: Conversation = {
    ...EMPTY_CONVERSATION,
    last: snapshot.status?.commit ?? 0,
    waiting: snapshot.waiting,
  };
  conversation = withEntries(conversation, snapshot.entries);
  conversation = withViewport(conversation, conversation.last);
  const self = selfOf(snapshot.phase);
  const fresh = seen === null ? [] : snapshot.entries.filter((e) => isNews(e, self, seen));
  return {
    phase: snapshot.phase,
    status: snapshot.status,
    conversation,
    attention: {
      looking: state.attention.looking,
      seen: conversation.last,
      freshFrom: fresh[0]?.seq ?? null,
      unseen: 0,
    },
    settings: snapshot.settings,
    draft: snapshot.draft,
    notice: null,
  };
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
  if (attention.looking) {
    return { ...state, conversation, attention: { ...attention, seen: conversation.last } };
  }
  // What stood there provisionally was counted when it appeared.
  const counted = new Set(state.conversation.waiting.map((one) => one.message));
  const self = selfOf(state.phase);
  const news = entries.filter((e) => isNews(e, self, state.conversation.last));
  const added = news.filter((entry) => !counted.has(entry.message)).length;
  return {
    ...state,
    conversation,
    attention: {
      ...attention,
      freshFrom: isStanding(attention)
        ? attention.freshFrom
        : (news[0]?.seq ?? attention.freshFrom),
      unseen: attention.unseen + added,
    },
  };
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
    ? { ...attention, looking, seen: conversation.last, unseen: 0 }
    : { ...attention, looking };
  return { ...state, attention: next };
}

/** Somebody who writes has read what is above. */
function clearFresh(state: ChatState): ChatState {
  if (state.attention.freshFrom === null) return state;
  return { ...state, attention: { ...state.attention, freshFrom: null } };
}
