/**
 * The one contract between window and main process: every request and every event, once. The preload
 * derives its functions from it, main checks arguments against it (validate.ts), the renderer's store
 * applies its events. Requests are imperative, events are past tense; results are values, because only
 * an error's text would survive the bridge.
 */
import type { FinalEntry, NodeError, NodeStatus, PeerId, Seq, WaitingMessage } from '../model.ts';
import type { Result } from '../result.ts';

/** A form field that an error belongs to; null when it concerns the whole card. */
export type FormField = 'seed' | 'invite' | 'key' | 'name' | 'id' | 'host' | 'port' | null;

/** Why a form was refused, in words a person can act on. */
export interface FormError {
  readonly field: FormField;
  readonly code: string;
  readonly message: string;
  /** A free port to offer when the chosen one is taken. */
  readonly freePort?: number;
}

/** What both ways of the first card ask for. */
export interface Identity {
  readonly id: PeerId;
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Joining needs either an invite link, or a seed address with the key where it is not known here. */
export interface JoinForm extends Identity {
  /** `host:port` or `id:host:port`; empty when an invite is given. */
  readonly seed: string;
  /** Invite link; empty when a seed is given. */
  readonly invite: string;
  /** Group key, base64url; empty to look it up in this user's key store. */
  readonly key: string;
}

/** A group that was joined on this machine before. */
export interface KnownGroup {
  /** Group id, hex. */
  readonly group: string;
  readonly id: PeerId;
  readonly name: string;
  /** Data folder. */
  readonly data: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** Its history was found to differ from the others': it has stopped, and opens only when asked to. */
  readonly diverged: boolean;
}

/** What the first card shows. */
export interface StartView {
  readonly proposed: Identity;
  readonly groups: readonly KnownGroup[];
  /** Invite that the app was opened with (a `lockstep://` link); empty if none. */
  readonly invite: string;
  readonly version: string;
}

/** What an invite link says. */
export interface InviteView {
  readonly group: string;
  readonly seeds: readonly string[];
}

/** Where the app is. */
export type Phase =
  | { readonly kind: 'start'; readonly start: StartView; readonly error: FormError | null }
  | {
      /** Dialling a seed; `notice` says what is not answering. Cancel is possible. */
      readonly kind: 'joining';
      readonly target: string;
      readonly notice: string | null;
    }
  | {
      readonly kind: 'open';
      readonly self: Identity;
      readonly group: string;
      /** Names the members' addresses; `phase-changed` tells a new one while the group stays open. */
      readonly invite: string;
    }
  | { readonly kind: 'ended'; readonly error: NodeError | null };

/** Everything a window needs to draw itself, also after a reload. */
export interface Snapshot {
  readonly phase: Phase;
  readonly status: NodeStatus | null;
  /** The newest final entries, ascending. */
  readonly entries: readonly FinalEntry[];
  /** Messages held and not final, in their present order. */
  readonly waiting: readonly WaitingMessage[];
  readonly settings: Settings;
  /** Unsent text of the composer. */
  readonly draft: string;
}

export type Theme = 'system' | 'light' | 'dark';

export interface Settings {
  readonly theme: Theme;
  readonly statusPanel: boolean;
}

/** Arguments of a request that takes none. */
export type NoArgs = Readonly<Record<string, never>>;

/** Requests: name → arguments and result. */
export interface Requests {
  'get-snapshot': { args: NoArgs; result: Snapshot };
  'start-group': { args: Identity; result: Result<null, FormError> };
  'join-group': { args: JoinForm; result: Result<null, FormError> };
  /** Opens a group joined before, by its data folder. */
  'open-group': { args: { readonly data: string }; result: Result<null, FormError> };
  'cancel-join': { args: NoArgs; result: null };
  /** Leaves the open group for the first card, with the group's own invite filled in. */
  'join-again': { args: NoArgs; result: null };
  'read-invite': { args: { readonly link: string }; result: Result<InviteView, FormError> };
  'send-message': { args: { readonly text: string }; result: Result<WaitingMessage, NodeError> };
  /** Final entries with seq in [from, from + limit), ascending; limit at most 500. */
  'load-entries': {
    args: { readonly from: Seq; readonly limit: number };
    result: readonly FinalEntry[];
  };
  'save-draft': { args: { readonly text: string }; result: null };
  'save-settings': { args: Settings; result: null };
  'copy-text': { args: { readonly text: string }; result: null };
  /** Opens an http(s) or mailto link in the system's browser, after main has checked it. */
  'open-link': { args: { readonly url: string }; result: null };
}

/** Events: name → payload. */
export interface Events {
  'phase-changed': Phase;
  /** Own message stored; shown as pending at once. */
  'message-accepted': WaitingMessage;
  'message-ordered': WaitingMessage;
  /** Ascending, without gaps. */
  'entries-finalized': readonly FinalEntry[];
  'status-changed': NodeStatus;
  'error-reported': NodeError;
}

export type RequestName = keyof Requests;
export type EventName = keyof Events;

/** Every request's channel, for the preload's allow list and the server's completeness check. */
export const REQUEST_NAMES = [
  'get-snapshot',
  'start-group',
  'join-group',
  'open-group',
  'cancel-join',
  'join-again',
  'read-invite',
  'send-message',
  'load-entries',
  'save-draft',
  'save-settings',
  'copy-text',
  'open-link',
] as const satisfies readonly RequestName[];

/** Every event's channel. */
export const EVENT_NAMES = [
  'phase-changed',
  'message-accepted',
  'message-ordered',
  'entries-finalized',
  'status-changed',
  'error-reported',
] as const satisfies readonly EventName[];
