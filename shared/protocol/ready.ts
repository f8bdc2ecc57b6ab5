/**
 * The contract between the pure core and whoever hosts it (the shell, the simulator, a script).
 *
 * The host calls `replica.step(now, input)` any number of times, then `replica.takeReady()` once, and
 * carries out what it got in this order: hand `write` to the one FIFO queue of writes, send `sends`,
 * start `reads`, tell people `events` and `delivered`. It reports each finished write with
 * `persisted`. The core itself holds back what must not leave before a write is on disk, so `sends`
 * may always go out at once; frames to one peer keep their order. `wakeAt` says when to `tick` next.
 */
import type { NodeStatus } from '../model.ts';
import type { ProtocolConfig } from './config.ts';
import type { ProtocolMessage } from './messages.ts';
import type { RoleState } from './roles.ts';
import type {
  ChainHash,
  Entry,
  Epoch,
  Member,
  MembersList,
  Message,
  MessageId,
  PeerId,
  Position,
  Seq,
} from './types.ts';

/** What the handshake proved about the peer at the other end of a link. */
export interface LinkedPeer {
  readonly id: PeerId;
  readonly key: Uint8Array;
  readonly name: string;
  readonly address: string;
  /** The promise that its HELLO carried. */
  readonly promised: Epoch;
  /** Identifies its process; a 32-bit number. */
  readonly nonce: number;
}

/** Everything that can happen to a replica. */
export type Input =
  /** Time passed; `wall` is the wall clock in milliseconds since 1970, for `sentAt` of own entries only. */
  | { readonly kind: 'tick'; readonly wall: number }
  /** An authenticated link is up; a second one to the same peer replaces the first. */
  | { readonly kind: 'link-up'; readonly peer: LinkedPeer }
  /** The link is gone; `refused`: a redial was refused too, so nothing listens there any more. */
  | { readonly kind: 'link-down'; readonly peer: PeerId; readonly refused: boolean }
  /** Bytes arrived, though perhaps no whole frame: a sign of life. */
  | { readonly kind: 'bytes'; readonly from: PeerId }
  | { readonly kind: 'message'; readonly from: PeerId; readonly message: ProtocolMessage }
  /** Every write up to this number is durable. */
  | { readonly kind: 'persisted'; readonly upTo: number }
  /** A person's message; the core answers with `accepted` once it is durable. */
  | {
      readonly kind: 'submit';
      readonly id: MessageId;
      readonly sentAt: number;
      readonly body: Uint8Array;
    }
  /** Answer to a `find-ids` read: which of the ids are in the stored log. */
  | {
      readonly kind: 'ids-found';
      readonly request: number;
      readonly found: readonly MessageId[];
    }
  /** Answer to a `read-entries` read: the stored entries in order, perhaps fewer than asked for. */
  | {
      readonly kind: 'entries-read';
      readonly request: number;
      readonly entries: readonly Entry[];
    }
  /** `by` refuses this peer's links because their histories differ. */
  | { readonly kind: 'refused-as-diverged'; readonly by: PeerId }
  /** This peer wants to leave the group; answered by a `left` event. */
  | { readonly kind: 'leave' }
  /** A new display name for this peer. */
  | { readonly kind: 'rename'; readonly name: string };

/** What is remembered of a peer ever met: its binding, where it was, the highest promise it reported. */
export interface KnownPeer {
  readonly member: Member;
  /** It has been in a final members list, so its id is bound to its key for good. */
  readonly bound: boolean;
  readonly promised: Epoch;
  /** Nonce of the process that reported `promised`. */
  readonly nonce: number;
}

/** One change of durable state. */
export type WriteOp =
  /** Removes every entry after this seq; never at or below the commit mark. */
  | { readonly kind: 'cut'; readonly after: Seq }
  /** Appends entries at the end of the log. */
  | { readonly kind: 'append'; readonly entries: readonly Entry[] }
  /** Adds messages to pending, in this order, before or behind all others; known ids stay as they are. */
  | {
      readonly kind: 'add-pending';
      readonly messages: readonly Message[];
      readonly at: 'front' | 'back';
    }
  | { readonly kind: 'remove-pending'; readonly ids: readonly MessageId[] }
  | { readonly kind: 'promise'; readonly epoch: Epoch }
  | { readonly kind: 'mark'; readonly seq: Seq }
  /** The id of the last message that this peer's own author made. */
  | { readonly kind: 'last-own'; readonly id: MessageId }
  | { readonly kind: 'know'; readonly peer: KnownPeer };

/** One atomic write: all of its ops or none survive a crash. */
export interface Write {
  /** 1, 2, 3, … in the order of the queue. */
  readonly number: number;
  readonly ops: readonly WriteOp[];
  /** Something waits for it. One that is not urgent may wait for the next that is. */
  readonly urgent: boolean;
}

/**
 * A look into the stored log for what the core no longer keeps in memory. It sees every write that was
 * handed over before it: reads and writes share the one queue.
 */
export type Read =
  | { readonly kind: 'find-ids'; readonly request: number; readonly ids: readonly MessageId[] }
  | {
      readonly kind: 'read-entries';
      readonly request: number;
      /** First seq wanted. */
      readonly from: Seq;
      /** Last seq wanted. */
      readonly to: Seq;
      /** Stop before the entries take more than this many bytes in a frame, but give at least one. */
      readonly bytesMax: number;
    };

/** What people and the host should know. */
export type CoreEvent =
  /** An own message is durable. */
  | { readonly kind: 'accepted'; readonly message: Message }
  | { readonly kind: 'provisional'; readonly message: Message; readonly n: number }
  | { readonly kind: 'progress'; readonly at: Seq; readonly target: Seq }
  /** This peer is in a final members list for the first time in its life. */
  | { readonly kind: 'listed' }
  /** The leader said that this peer's id belongs to someone else; fatal while joining. */
  | { readonly kind: 'join-refused'; readonly code: 'ID_TAKEN' }
  /** `peer`'s history differs from ours at final number `seq`. */
  | {
      readonly kind: 'diverged';
      readonly peer: PeerId;
      readonly seq: Seq;
      readonly stopped: boolean;
    }
  /** The leave is complete as far as the group is concerned. */
  | { readonly kind: 'left' };

/** A link that the host must close, and the reason the other side is told. */
export interface Disconnect {
  readonly peer: PeerId;
  readonly reason: 'ROLLED_BACK' | 'ID_TAKEN' | 'DIVERGED';
}

/** What the host has to carry out; see the order above. */
export interface Ready {
  readonly write: Write | null;
  readonly sends: readonly { readonly to: PeerId; readonly message: ProtocolMessage }[];
  readonly reads: readonly Read[];
  readonly disconnects: readonly Disconnect[];
  /** Newly final entries, ascending, without gaps. */
  readonly delivered: readonly Entry[];
  readonly events: readonly CoreEvent[];
  /** The new status where something people see has changed at once (role, leader, members …). */
  readonly status: NodeStatus | null;
  /** Everyone worth dialling, when that changed; never this peer itself. */
  readonly addresses: readonly Member[] | null;
  /** Monotonic time at which to `tick` at the latest, milliseconds. */
  readonly wakeAt: number;
}

/** What a replica starts from: exactly what its disk holds. */
export interface DurableState {
  readonly promised: Epoch;
  readonly mark: Seq;
  /**
   * The end of the log: at least every entry after `mark`, and as many before it as are cheap to keep.
   * Contiguous, ascending.
   */
  readonly tail: readonly Entry[];
  /** The place and hash before the first entry of `tail`; POSITION_ZERO and the group's hash 0 at the start. */
  readonly tailPrev: { readonly position: Position; readonly hash: Uint8Array };
  /** The last two members lists in the log, ascending by seq; fewer where there are fewer. */
  readonly lists: readonly MembersList[];
  readonly pending: readonly Message[];
  readonly lastOwn: MessageId | null;
  readonly known: readonly KnownPeer[];
}

/** Everything a replica needs to exist. */
export interface ReplicaStart {
  readonly self: Member;
  /** Identifies this process; a 32-bit number that differs at every start. */
  readonly nonce: number;
  /** Seed of the core's jitter and of the ids of its own entries. */
  readonly seed: number;
  readonly config: ProtocolConfig;
  readonly chainHash: ChainHash;
  readonly durable: DurableState;
}

/** A look inside for checkers and scripts; nothing in it may be changed. */
export interface Inspection {
  readonly promised: Epoch;
  /** The promise that surely is on disk: the one to report in a HELLO. */
  readonly durablePromised: Epoch;
  /** Epoch that this replica leads as established leader, else null. */
  readonly leading: Epoch | null;
  readonly last: Position;
  readonly mark: Seq;
  /** The entry at a seq of the in-memory tail. */
  readonly entryAt: (seq: Seq) => Entry | undefined;
  /** First seq of the in-memory tail. */
  readonly tailFrom: Seq;
  readonly pending: Iterable<MessageId>;
  /** The held message of this id. */
  readonly pendingMessage: (id: MessageId) => Message | undefined;
  /** Place of a held message in the present provisional run; null without one. */
  readonly pendingPlace: (id: MessageId) => number | null;
  /** Members lists in the log, the newest last. */
  readonly lists: readonly MembersList[];
  readonly role: Readonly<RoleState>;
}
