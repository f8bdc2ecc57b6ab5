/**
 * A bridge without a main process, for component tests and the gallery. It answers from a snapshot and a
 * function that makes history, records every request, and emits what it is told to. It follows no protocol:
 * what a real node would say next is the test's to decide.
 */
import type { LockstepBridge } from '../../shared/ipc/bridge.ts';
import type {
  EventName,
  Events,
  FormError,
  InviteView,
  RequestName,
  Snapshot,
} from '../../shared/ipc/contract.ts';
import type { FinalEntry, NodeError, Seq, WaitingMessage } from '../../shared/model.ts';
import { ok } from '../../shared/result.ts';
import type { Result } from '../../shared/result.ts';
import { waitingMessage } from './samples.ts';

/** What the fake answers; everything has a friendly default. */
export interface FakeAnswers {
  snapshot: Snapshot;
  /** The entry at a seq, for `load-entries`. */
  entry: (seq: Seq) => FinalEntry;
  start: Result<null, FormError>;
  join: Result<null, FormError>;
  open: Result<null, FormError>;
  invite: Result<InviteView, FormError>;
  /** Refuses messages when set. */
  refusal: NodeError | null;
}

export interface FakeBridge {
  readonly bridge: LockstepBridge;
  /** May be changed at any time. */
  readonly answers: FakeAnswers;
  /** Every request so far, in order. */
  readonly requests: readonly { readonly name: RequestName; readonly args: unknown }[];
  /** Sends an event to every listener. */
  readonly emit: <Name extends EventName>(name: Name, payload: Events[Name]) => void;
  /** How many listeners there are for events of any name. */
  readonly listening: () => number;
}

/** A fake that answers from these. */
export function createFakeBridge(given: Partial<FakeAnswers> & { snapshot: Snapshot }): FakeBridge {
  const answers: FakeAnswers = {
    entry: () => {
      throw new Error('this fake has no history to load');
    },
    start: ok(null),
    join: ok(null),
    open: ok(null),
    invite: ok({ group: 'c0ffee00c0ffee00', seeds: ['192.168.1.20:6001'] }),
    refusal: null,
    ...given,
  };
  const requests: { name: RequestName; args: unknown }[] = [];
  const listeners = new Map<EventName, Set<(payload: never) => void>>();

  function emit<Name extends EventName>(name: Name, payload: Events[Name]): void {
    for (const listener of listeners.get(name) ?? []) listener(payload as never);
  }

  function on<Name extends EventName>(name: Name) {
    return (listener: (payload: Events[Name]) => void): (() => void) => {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => set.delete(listener);
    };
  }

  function answer<Args, Value>(name: RequestName, value: (args: Args) => Value) {
    return (args: Args): Promise<Value> => {
      requests.push({ name, args });
      return Promise.resolve(value(args));
    };
  }

  function send(text: string): Result<WaitingMessage, NodeError> {
    if (answers.refusal !== null) return { ok: false, error: answers.refusal };
    const message = waitingMessage(text);
    emit('message-accepted', message);
    return ok(message);
  }

  function load(from: Seq, limit: number): readonly FinalEntry[] {
    const last = answers.snapshot.status?.commit ?? 0;
    const to = Math.min(last, from + limit - 1);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => answers.entry(from + i));
  }

  const bridge: LockstepBridge = {
    getSnapshot: answer('get-snapshot', () => answers.snapshot),
    startGroup: answer('start-group', () => answers.start),
    joinGroup: answer('join-group', () => answers.join),
    openGroup: answer('open-group', () => answers.open),
    cancelJoin: answer('cancel-join', () => null),
    joinAgain: answer('join-again', () => null),
    readInvite: answer('read-invite', () => answers.invite),
    sendMessage: answer('send-message', ({ text }) => send(text)),
    loadEntries: answer('load-entries', ({ from, limit }) => load(from, limit)),
    saveDraft: answer('save-draft', () => null),
    saveSettings: answer('save-settings', () => null),
    copyText: answer('copy-text', () => null),
    openLink: answer('open-link', () => null),
    onPhaseChanged: on('phase-changed'),
    onMessageAccepted: on('message-accepted'),
    onMessageOrdered: on('message-ordered'),
    onEntriesFinalized: on('entries-finalized'),
    onStatusChanged: on('status-changed'),
    onErrorReported: on('error-reported'),
  };
  const listening = (): number => [...listeners.values()].reduce((sum, set) => sum + set.size, 0);
  return { bridge, answers, requests, emit, listening };
}
