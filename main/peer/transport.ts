/**
 * The transport: authenticated, ordered links to the other peers of one group, whatever carries them.
 * It decides whom to dial and when, keeps one link per pair, and tells the node what happened. It knows
 * nothing of elections or logs: it never looks inside a message and never keeps one for later. A link
 * that closes loses what was in flight; the core sends again. Implementations: tcp-transport.ts, and
 * memory-transport.ts for tests; transport.acceptance.ts holds both to this contract.
 */
import type { NodeError } from '../../shared/model.ts';
import type { ProtocolMessage } from '../../shared/protocol/messages.ts';
import type { LinkedPeer } from '../../shared/protocol/ready.ts';
import type { Epoch, Member, PeerId } from '../../shared/protocol/types.ts';
import type { Result } from '../../shared/result.ts';
import type { Logger } from '../log.ts';
import type { Identity } from './identity.ts';

/** What every member of a group shares. */
export interface Group {
  /** 16 random bytes; public: every HELLO names it. */
  readonly id: Uint8Array;
  /** 32 random bytes; secret: who holds it may join. */
  readonly key: Uint8Array;
}

/** Why a link is refused. */
export type RefusalCode =
  /** The two programs speak different versions of the protocol. */
  | 'VERSION'
  | 'WRONG_GROUP'
  /** The group key is missing or differs, or a signature does not fit its key. */
  | 'WRONG_KEY'
  /** The id is bound to another identity key. */
  | 'ID_TAKEN'
  /** The same identity is up elsewhere: a copied data folder. */
  | 'ID_IN_USE'
  | 'ROLLED_BACK'
  | 'DIVERGED'
  /** The other side has no group itself yet; worth trying again. */
  | 'JOINING'
  /** This peer dialled itself. */
  | 'SELF'
  /** Another link of this pair is up and answers; not an error. */
  | 'DUPLICATE'
  /** The other side sent what does not decode. */
  | 'BAD_FRAME';

/** A refusal as it is told to the other side and, there, to a person. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

/** A link that was refused: while it was being made, or later through {@link Transport.disconnect}. */
export interface LinkRefused extends Refusal {
  /** Who found the reason: the other side, or this one about the other. */
  readonly by: 'them' | 'us';
  /** Who it was, if its HELLO came that far. */
  readonly peer: PeerId | null;
  /** Where it was dialled, or where it came from. */
  readonly address: string;
  /** The refused link was dialled as a seed. */
  readonly seed: boolean;
  /** The other side had proven the group key and its own: its word about this peer can be trusted. */
  readonly proven: boolean;
}

/**
 * What a transport tells its host. Called synchronously, one at a time, never from inside a call into
 * the transport except `close()`, and never after `close()` was called.
 */
export interface TransportHandlers {
  /** A fresh joiner and a seed have proven this group's key to each other; before that `linkUp`. */
  readonly groupLearned: (group: Group) => void;
  /** Both sides have proven who they are. */
  readonly linkUp: (peer: LinkedPeer) => void;
  /**
   * Exactly once for each `linkUp`, before the next one of that peer. `refused`: the link closed and a
   * redial within a moment was refused, so nothing listens there any more.
   */
  readonly linkDown: (peer: PeerId, refused: boolean) => void;
  /** Bytes arrived on an up link, at most once per read and before the messages in them. */
  readonly bytes: (from: PeerId) => void;
  readonly message: (from: PeerId, message: ProtocolMessage) => void;
  /** Dialling goes on, seldom, after this; DUPLICATE, SELF and JOINING are not reported. */
  readonly linkRefused: (refused: LinkRefused) => void;
  /**
   * A seed is of no use yet; `what` goes on after its address: that it does not answer, is no peer, or has
   * no group itself. Told once per seed until that changes. Dialling goes on.
   */
  readonly seedUnreachable: (address: string, what: string) => void;
}

/** Everything a transport needs to exist. */
export interface TransportOptions {
  readonly self: { readonly id: PeerId; readonly name: string; readonly identity: Identity };
  /** Identifies this process; a 32-bit number that differs at every start. */
  readonly nonce: number;
  /** The group, or null for a fresh joiner, which learns it from the first seed that proves it. */
  readonly group: Group | null;
  /** Looks up the key of a group that a seed names; null when there is none. Must not reject. */
  readonly keyFor: (groupId: Uint8Array) => Promise<Uint8Array | null>;
  /** The promise to report in HELLO; must be durable. */
  readonly promised: () => Epoch;
  /**
   * Last word on a peer that has proven who it is, before its link comes up: null lets it in. Asked on
   * both sides; the place for bindings of ids to keys (ID_TAKEN) and lower promises (ROLLED_BACK).
   */
  readonly admit: (peer: LinkedPeer) => Refusal | null;
  /** Interface to listen on; `0.0.0.0` and `::` mean all. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Where to dial a peer instead of at its address; for tests that cut links. */
  readonly dialOverrides: ReadonlyMap<PeerId, string>;
  readonly handlers: TransportHandlers;
  readonly log: Logger;
}

/** Where a transport listens. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  /** What other peers are told: `host:port`, IPv6 in brackets, comma-separated when there are several. */
  readonly address: string;
}

/** Links to the peers of one group. Dialling starts with `listen`. */
export interface Transport {
  /** Starts to listen and to dial. Fails with PORT_IN_USE or BAD_OPTION; call it once. */
  readonly listen: () => Promise<Result<Listening, NodeError>>;
  /**
   * Sends on the link to `to`, in order, or drops the message when there is none. Calls of one tick
   * leave in one write. The message must not change afterwards: sent to several peers it is encoded
   * once, recognised by identity.
   */
  readonly send: (to: PeerId, message: ProtocolMessage) => void;
  /** Whom to keep dialling; replaces the list before. A seed stays one until its id is in such a list. */
  readonly setAddresses: (members: readonly Member[]) => void;
  /** An extra address, `[ID:]HOST:PORT`, dialled until it is linked. Own addresses are ignored. */
  readonly addSeed: (address: string) => void;
  /** Tells the peer why, then closes; `linkDown` follows. Redials seldom afterwards. */
  readonly disconnect: (peer: PeerId, refusal: Refusal) => void;
  /** Flushes what was sent (bounded), closes every link and the port. Idempotent. */
  readonly close: () => Promise<void>;
}
