/**
 * The roles a replica can have towards the order of messages, and the attempts at leading it can be in.
 * They are apart because a follower goes on following while it looks whether it could take over. Roles
 * change only in transitions.ts.
 */
import type { LogView, Run, Support } from './messages.ts';
import type { Epoch, PeerId, Position, Seq } from './types.ts';

/** What the established leader knows of one peer that it sends its order to. */
export interface Progress {
  /** Next seq to send. */
  next: Seq;
  /** Everything up to here is on the peer's disk and equal to the leader's log (S1). */
  matched: Seq;
  /** Surely equal at the peer, though perhaps not on its disk yet: where the window starts. */
  known: Seq;
  /** Mark last sent to it. */
  markSent: Seq;
  /** Frames that are not acknowledged, oldest first: where each ends and its bytes. */
  readonly open: { readonly end: Seq; readonly bytes: number }[];
  /** Sum of their bytes. */
  openBytes: number;
  /** It lags behind what memory holds and catches up by FETCH; only the mark is sent to it. */
  lagging: boolean;
}

/** Knows no leader. */
export interface Leaderless {
  readonly kind: 'leaderless';
}

/** Follows an established leader, directly or at second hand through a peer that hears it. */
export interface Following {
  readonly kind: 'following';
  readonly leader: PeerId;
  readonly epoch: Epoch;
  /** The peer that relays; null when the leader is heard directly. */
  readonly via: PeerId | null;
  /** Last seq known to equal the leader's log in this epoch. */
  matched: Seq;
  /** Last seq whose ACK was sent or waits for its write. */
  acked: Seq;
}

export interface FollowingProvisionally {
  readonly kind: 'following-provisionally';
  readonly leader: PeerId;
  readonly run: Run;
}

/** Established: promised by a quorum in `epoch`. Volatile: no restart resumes it (S6). */
export interface Leading {
  readonly kind: 'leading';
  readonly epoch: Epoch;
  /** Seq of this epoch's `leader` entry. */
  readonly leaderSeq: Seq;
  readonly progress: Map<PeerId, Progress>;
  /** End of the own log that is on the own disk (S5). */
  ownStored: Seq;
  /** A peer refuses this epoch for a higher promise since then; null while none does. */
  refusedSince: number | null;
  /** When it was refused last. */
  refusedAt: number;
}

export interface LeadingProvisionally {
  readonly kind: 'leading-provisionally';
  readonly run: Run;
  /** Next provisional place. */
  next: number;
  /** The established epoch that it takes up again if it hears its quorum while no higher one came. */
  readonly resumable: Leading | null;
}

export type RoleState =
  | Leaderless
  | Following
  | FollowingProvisionally
  | Leading
  | LeadingProvisionally;

/** Why a peer stands. */
export type StandReason =
  /** No leader, or one that is suspected or leaving. */
  | 'no-leader'
  /** Provisional, or following a lower leader at second hand, and a quorum or another leader is heard. */
  | 'reunion'
  /** Caught up, and higher than the leader. */
  | 'takeover';

/** Asking everyone, promising nothing yet. */
export interface Looking {
  readonly kind: 'looking';
  readonly round: number;
  readonly reason: StandReason;
  readonly deadline: number;
  readonly awaited: Set<PeerId>;
  readonly supports: Map<PeerId, Support>;
  answered: boolean;
  refusedFor: { readonly leader: PeerId; readonly by: PeerId } | null;
}

/** Collecting promises for an epoch of its own. */
export interface Preparing {
  readonly kind: 'preparing';
  readonly epoch: Epoch;
  deadline: number;
  /** Who was asked and has not answered; nobody is asked before the own promise is on disk. */
  readonly awaited: Set<PeerId>;
  readonly promises: Map<PeerId, LogView>;
}

/** Promised by a quorum, fetching what the best promised log has more. */
export interface Synchronising {
  readonly kind: 'synchronising';
  readonly epoch: Epoch;
  readonly owner: PeerId;
  readonly target: Position;
  /** Number of the FETCH that is under way. */
  request: number;
  /** When it came further last. */
  progressAt: number;
  deadline: number;
}

export type Attempt = Looking | Preparing | Synchronising;
