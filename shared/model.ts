/**
 * The words that the node, the window and the command line share: ids, what a status says, what happened.
 * Everything here is plain data that survives structured clone and JSON; hashes and keys are hex text.
 * The protocol core has its own richer types (protocol/types.ts); this file is what leaves the node.
 */
import type { Result } from './result.ts';

/** A peer's number in its group, 1 … 2^31-1. A higher id has priority in elections. */
export type PeerId = number;

/** Position in the one conversation, from 1, without gaps. */
export type Seq = number;

/** UUIDv7 text of a message, made by its author. */
export type MessageId = string;

/** [number, leaderId]; ordered by number, then by leader. [0, id] before anybody led. */
export type EpochPair = readonly [number: number, leader: PeerId];

/** Largest peer id. */
export const PEER_ID_MAX = 2 ** 31 - 1;

/** Longest text of one message in UTF-8 bytes; a longer one is refused with TOO_LONG. */
export const TEXT_BYTES_MAX = 64 * 1024;

/** Longest display name in UTF-8 bytes. */
export const NAME_BYTES_MAX = 64;

/** Members in one list: their longest encoding stays below the limit of an entry's body, 64 KiB. */
export const MEMBERS_MAX = 128;

/** One listed member as people see it. */
export interface MemberView {
  readonly id: PeerId;
  readonly name: string;
  /** `host:port`, IPv6 in brackets; several, separated by commas, when the peer listens on all interfaces. */
  readonly address: string;
}

/** What every entry of the conversation has. */
interface FinalBase {
  readonly seq: Seq;
  readonly epoch: EpochPair;
  /** The message's id, or the entry's own id for other kinds. */
  readonly message: MessageId;
  /** Author of a message; for other kinds the leader that wrote the entry. */
  readonly author: PeerId;
  /** The author's wall clock, milliseconds since 1970. */
  readonly sentAt: number;
  /** Chain hash at this entry, hex. */
  readonly hash: string;
}

/** An entry that a quorum has stored: it never changes, moves or disappears. */
export type FinalEntry =
  | (FinalBase & { readonly kind: 'message'; readonly text: string })
  | (FinalBase & { readonly kind: 'leader'; readonly text: null })
  | (FinalBase & {
      readonly kind: 'members';
      readonly text: null;
      /** The full new list. */
      readonly members: readonly MemberView[];
      /** How it differs from the list before it; null where the host keeps no account of lists. */
      readonly change: MembersChange | null;
    });

/** What a members list changed. Lists do not tell whether who is gone has left or was silent too long. */
export interface MembersChange {
  /** Listed for the first time. */
  readonly joined: readonly MemberView[];
  /** Listed again. */
  readonly back: readonly MemberView[];
  /** No longer listed; as they were in the list before. */
  readonly gone: readonly MemberView[];
  /** As they are now, with the name they had. */
  readonly renamed: readonly { readonly member: MemberView; readonly was: string }[];
  /** Listed with another address. */
  readonly moved: readonly MemberView[];
}

/** A message that this peer holds and that is not final yet. */
export interface WaitingMessage {
  readonly message: MessageId;
  readonly author: PeerId;
  readonly text: string;
  readonly sentAt: number;
  /** Place given by a provisional leader, from 1; null while it has none. */
  readonly n: number | null;
}

export type Role = 'leader' | 'follower' | 'candidate' | 'joining';

/** What this node knows of one other peer. */
export interface PeerView {
  readonly id: PeerId;
  /** Heard, and hearing us. */
  readonly connected: boolean;
  readonly suspected: boolean;
  /** Suspicion level of the phi accrual detector. */
  readonly phi: number;
  /** Last measured round trip in milliseconds; null before the first. */
  readonly rttMs: number | null;
  /** Its commit mark as last heard. */
  readonly commit: Seq;
}

/** A member, or somebody who once was one. */
export interface RosterEntry extends MemberView {
  /** In the newest members list. */
  readonly listed: boolean;
}

/** How this node stands, complete enough for the status panel. */
export interface NodeStatus {
  readonly id: PeerId;
  readonly role: Role;
  /** The leader (this node, or the one it follows) has its quorum. */
  readonly established: boolean;
  /** A new leader is fetching what it lacks before it leads. */
  readonly synchronising: boolean;
  readonly leader: PeerId | null;
  /** Epoch of the established leader last led or followed; never a mere promise. */
  readonly epoch: EpochPair;
  readonly members: readonly PeerId[];
  /** Members lists in effect, newest last; two while a change is not final: each needs its quorum. */
  readonly lists: readonly (readonly PeerId[])[];
  /** Last final sequence number. */
  readonly commit: Seq;
  /** Chain hash at `commit`, hex. */
  readonly hash: string;
  /** Messages held and not final, those in the log's tail included. */
  readonly pending: number;
  readonly peers: readonly PeerView[];
  /** Everybody ever listed, by id. */
  readonly roster: readonly RosterEntry[];
  /** This peer's history differs from the group's at a final number; it has stopped. */
  readonly diverged: boolean;
  /** Catch-up under way: last own seq and the seq it goes to; null when there is none. */
  readonly progress: { readonly at: Seq; readonly target: Seq } | null;
}

/** Codes after which the node cannot go on. */
export type FatalCode =
  | 'PORT_IN_USE'
  | 'BAD_OPTION'
  | 'ID_TAKEN'
  | 'ID_MISMATCH'
  | 'WRONG_KEY'
  | 'WRONG_GROUP'
  | 'VERSION'
  | 'DATA_IN_USE'
  | 'ID_IN_USE'
  | 'ROLLED_BACK'
  | 'CORRUPT'
  | 'DISK';

/** Codes after which the node goes on. */
export type WarningCode = 'BAD_COMMAND' | 'TOO_LONG' | 'UNREACHABLE' | 'DIVERGED' | 'NOT_READY';

/** An error in words that a person can act on. */
export interface NodeError {
  readonly code: FatalCode | WarningCode;
  readonly message: string;
  readonly fatal: boolean;
}

/** Everything a node tells its host (window or command line), in the order in which it happened. */
export type NodeEvent =
  | {
      readonly kind: 'ready';
      readonly id: PeerId;
      readonly host: string;
      readonly port: number;
      /** Group id, hex. */
      readonly group: string;
      readonly invite: string;
      readonly commit: Seq;
    }
  /** An own message is durably stored and will become final. */
  | { readonly kind: 'accepted'; readonly message: WaitingMessage; readonly ref: unknown }
  /** A provisional leader gave a message (own or foreign) its place. */
  | { readonly kind: 'provisional'; readonly message: WaitingMessage }
  | { readonly kind: 'final'; readonly entries: readonly FinalEntry[] }
  | { readonly kind: 'status'; readonly status: NodeStatus }
  | { readonly kind: 'progress'; readonly at: Seq; readonly target: Seq }
  | { readonly kind: 'error'; readonly error: NodeError; readonly ref?: unknown }
  /** The node has ended: left gracefully, or after a fatal error. */
  | { readonly kind: 'closed' };

/** Answer to sending a message: its id, or why it was refused. */
export type SendOutcome = Result<MessageId, NodeError>;
