/**
 * The store: a vanilla zustand store that the events of the bridge feed, and what the window can do. It
 * decides when to ask for a snapshot or a page, never what an event means (apply-event.ts). Closing it ends
 * every subscription.
 */
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { LockstepBridge } from '../../shared/ipc/bridge.ts';
import type { FormError, JoinForm, Identity, Settings } from '../../shared/ipc/contract.ts';
import type { NodeError, Seq } from '../../shared/model.ts';
import type { Result } from '../../shared/result.ts';
import { INITIAL_STATE, applyEvent } from './apply-event.ts';
import type { ChatEvent, ChatState } from './apply-event.ts';
import { PAGE_SIZE, isPageComplete, pageOf } from './conversation.ts';
import { readSeen, writeSeen } from './seen-mark.ts';
import type { MarkStorage } from './seen-mark.ts';

/** Longest time for which typed text is not saved yet, milliseconds: a crash costs no more than that. */
const DRAFT_SAVE_MS = 400;

/** What components may do. Nothing here throws; a call that could not be made is an error value. */
export interface ChatActions {
  readonly startGroup: (form: Identity) => Promise<Result<null, FormError>>;
  readonly joinGroup: (form: JoinForm) => Promise<Result<null, FormError>>;
  readonly openGroup: (data: string) => Promise<Result<null, FormError>>;
  readonly cancelJoin: () => void;
  readonly joinAgain: () => void;
  readonly readInvite: LockstepBridge['readInvite'];
  /** Null when the message is stored; otherwise why not. */
  readonly send: (text: string) => Promise<NodeError | null>;
  readonly saveDraft: (text: string) => void;
  readonly chooseSettings: (settings: Settings) => void;
  readonly copyText: (text: string) => Promise<void>;
  readonly openLink: (url: string) => void;
  /** Loads what is missing between two seqs; remembers that the reader is there. */
  readonly showRange: (from: Seq, to: Seq) => void;
  readonly setLooking: (looking: boolean) => void;
  readonly dismissNotice: () => void;
  readonly retry: () => void;
}

export interface ChatStore {
  readonly store: StoreApi<ChatState>;
  readonly actions: ChatActions;
  readonly close: () => void;
}

/** Connects a new store to a bridge and asks for the first snapshot. */
export function createChatStore(bridge: LockstepBridge, storage: MarkStorage): ChatStore {
  const store = createStore<ChatState>(() => INITIAL_STATE);
  const apply = (event: ChatEvent): void =>
    store.setState((state) => applyEvent(state, event), true);
  const feed = createFeed(bridge, storage, apply, () => {
    const { phase } = store.getState();
    return phase.kind === 'open' ? phase.group : null;
  });
  const draft = createDraftSaver(bridge);
  const loader = createPageLoader(bridge, store, apply);
  const stopMarks = keepSeenMark(store, storage);
  feed.refresh();
  return {
    store,
    actions: {
      ...createActions(bridge, store, apply),
      saveDraft: draft.save,
      showRange: loader.showRange,
      retry: feed.refresh,
    },
    close: () => {
      feed.close();
      draft.close();
      stopMarks();
    },
  };
}

function createActions(
  bridge: LockstepBridge,
  store: StoreApi<ChatState>,
  apply: (event: ChatEvent) => void,
): Omit<ChatActions, 'saveDraft' | 'showRange' | 'retry'> {
  return {
    startGroup: (form) => asFormResult(bridge.startGroup(form)),
    joinGroup: (form) => asFormResult(bridge.joinGroup(form)),
    openGroup: (data) => asFormResult(bridge.openGroup({ data })),
    cancelJoin: () => ignoreFailure(bridge.cancelJoin({})),
    joinAgain: () => ignoreFailure(bridge.joinAgain({})),
    readInvite: (args) => asFormResult(bridge.readInvite(args)),
    send: async (text) => {
      try {
        const sent = await bridge.sendMessage({ text });
        return sent.ok ? null : sent.error;
      } catch (error) {
        return { code: 'NOT_READY', message: describeFailure(error), fatal: false };
      }
    },
    chooseSettings: (settings) => {
      if (settings === store.getState().settings) return;
      apply({ kind: 'settings-chosen', settings });
      ignoreFailure(bridge.saveSettings(settings));
    },
    copyText: async (text) => {
      await bridge.copyText({ text });
    },
    openLink: (url) => ignoreFailure(bridge.openLink({ url })),
    setLooking: (looking) => {
      if (looking !== store.getState().attention.looking) {
        apply({ kind: 'attention-changed', looking });
      }
    },
    dismissNotice: () => apply({ kind: 'notice-dismissed' }),
  };
}

/**
 * Events into the store. While a snapshot is on its way they are held and applied after it: it may or may
 * not contain what they say, and applying them twice changes nothing.
 */
function createFeed(
  bridge: LockstepBridge,
  storage: MarkStorage,
  apply: (event: ChatEvent) => void,
  /** Group that is open now; null if none is. */
  groupNow: () => string | null,
): { readonly refresh: () => void; readonly close: () => void } {
  let held: ChatEvent[] | null = null;
  let asked = 0;
  let closed = false;

  function take(event: ChatEvent): void {
    if (closed) return;
    const opens = event.kind === 'phase-changed' && event.payload.kind === 'open';
    // A group that stays open has only got another invite link.
    const stays = opens && held === null && groupNow() === event.payload.group;
    if (held === null) apply(event);
    else held.push(event);
    // The new group's snapshot carries what came before this page heard of it.
    if (opens && !stays) refresh();
  }

  function refresh(): void {
    asked += 1;
    const mine = asked;
    held ??= [];
    bridge.getSnapshot({}).then(
      (snapshot) => {
        if (closed || mine !== asked) return;
        const { phase } = snapshot;
        const seen = phase.kind === 'open' ? readSeen(storage, phase.group) : null;
        apply({ kind: 'snapshot-loaded', snapshot, seen, at: Date.now() });
        release();
      },
      (error: unknown) => {
        if (closed || mine !== asked) return;
        apply({ kind: 'snapshot-failed', message: describeFailure(error) });
        release();
      },
    );
  }

  function release(): void {
    const events = held ?? [];
    held = null;
    for (const event of events) apply(event);
  }

  const ends = [
    bridge.onPhaseChanged((payload) => take({ kind: 'phase-changed', payload })),
    bridge.onMessageAccepted((payload) => take({ kind: 'message-accepted', payload })),
    bridge.onMessageOrdered((payload) => take({ kind: 'message-ordered', payload })),
    bridge.onEntriesFinalized((payload) => take({ kind: 'entries-finalized', payload })),
    bridge.onStatusChanged((payload) => take({ kind: 'status-changed', payload })),
    bridge.onErrorReported((payload) => take({ kind: 'error-reported', payload })),
  ];
  return {
    refresh,
    close: () => {
      closed = true;
      for (const end of ends) end();
    },
  };
}

/** Asks once for each incomplete page near the reader; asks again only when they come back to it. */
function createPageLoader(
  bridge: LockstepBridge,
  store: StoreApi<ChatState>,
  apply: (event: ChatEvent) => void,
): { readonly showRange: ChatActions['showRange'] } {
  const asked = new Set<number>();

  function showRange(from: Seq, to: Seq): void {
    const first = pageOf(Math.max(1, from));
    const last = pageOf(Math.max(1, to));
    const { conversation, phase } = store.getState();
    for (const page of asked) if (page < first || page > last) asked.delete(page);
    if (pageOf(Math.max(1, conversation.viewport)) !== first) {
      apply({ kind: 'viewport-moved', seq: Math.max(1, from) });
    }
    for (let page = first; page <= last; page += 1) {
      if (asked.has(page) || isPageComplete(conversation, page)) continue;
      if (page * PAGE_SIZE >= conversation.last) continue;
      asked.add(page);
      const group = phase.kind === 'open' ? phase.group : null;
      bridge.loadEntries({ from: page * PAGE_SIZE + 1, limit: PAGE_SIZE }).then(
        (entries) => {
          const now = store.getState().phase;
          if (now.kind === 'open' && now.group === group)
            apply({ kind: 'entries-loaded', entries });
        },
        // The rows stay grey; coming back to them asks again.
        () => asked.delete(page),
      );
    }
  }

  return { showRange };
}

/** Saves the draft while it is typed, and at once when it is emptied or the window goes. */
function createDraftSaver(bridge: LockstepBridge): {
  readonly save: (text: string) => void;
  readonly close: () => void;
} {
  let unsaved: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (unsaved === null) return;
    const text = unsaved;
    unsaved = null;
    ignoreFailure(bridge.saveDraft({ text }));
  }

  window.addEventListener('pagehide', flush);
  return {
    save: (text) => {
      unsaved = text;
      // An emptied composer was sent or cleared: nothing of it may come back after a crash.
      if (text === '') flush();
      else timer ??= setTimeout(flush, DRAFT_SAVE_MS);
    },
    close: () => {
      flush();
      window.removeEventListener('pagehide', flush);
    },
  };
}

/** Keeps the mark of the open group up to date while somebody looks. */
function keepSeenMark(store: StoreApi<ChatState>, storage: MarkStorage): () => void {
  return store.subscribe((state, before) => {
    if (state.phase.kind !== 'open' || !state.attention.looking) return;
    const wasLooking = before.attention.looking && before.phase === state.phase;
    if (wasLooking && before.attention.seen === state.attention.seen) return;
    writeSeen(storage, state.phase.group, state.attention.seen);
  });
}

/** A call that broke instead of answering, as an error of the whole form. */
async function asFormResult<T>(
  answer: Promise<Result<T, FormError>>,
): Promise<Result<T, FormError>> {
  try {
    return await answer;
  } catch (error) {
    return { ok: false, error: { field: null, code: 'INTERNAL', message: describeFailure(error) } };
  }
}

/** For requests whose failure changes nothing on screen. */
function ignoreFailure(answer: Promise<unknown>): void {
  answer.catch(() => {
    // Main logs its own failures; there is nothing that the page could do or show.
  });
}

function describeFailure(error: unknown): string {
  return `The app did not answer${error instanceof Error ? `: ${error.message}` : ''}.`;
}
