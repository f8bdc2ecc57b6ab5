/**
 * The durable side of one peer: a queue of writes that survive a crash in order, and reads of what is
 * too old for memory. It decides nothing of the protocol. It must never report a write before it is on
 * disk, and never go on after the disk refused one. Implementations: sqlite-log-store.ts, and
 * memory-log-store.ts for tests; store.acceptance.ts holds both to this contract.
 */
import type { NodeError, PeerId, Seq } from '../../shared/model.ts';
import type { DurableState, Write } from '../../shared/protocol/ready.ts';
import type { Entry, MessageId } from '../../shared/protocol/types.ts';
import type { Result } from '../../shared/result.ts';

/** What every member of a group shares, as it is stored. */
export interface StoredGroup {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** 32 bytes; secret. */
  readonly key: Uint8Array;
}

/** Who the peer of a data folder is. The identity seed lives here only: who lost the log lost the vote. */
export interface FolderFacts {
  readonly selfId: PeerId;
  /** Ed25519 private seed, 32 bytes. */
  readonly identitySeed: Uint8Array;
  readonly name: string;
  /** Listen host as it was asked for. */
  readonly host: string;
  /** The port that was bound last. */
  readonly port: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Everything that a data folder held when it was opened. */
export interface Stored {
  /** Null in a fresh folder. */
  readonly facts: FolderFacts | null;
  /** Null before the group is known. */
  readonly group: StoredGroup | null;
  /** Null as long as `group` is. */
  readonly durable: DurableState | null;
}

/** How much of the end of the log is loaded at opening. */
export interface TailLimits {
  /** Entries at or below the mark. */
  readonly entries: number;
  /** Bytes of their bodies. */
  readonly bytes: number;
}

/** A range of the stored log. */
export interface EntryRange {
  readonly from: Seq;
  readonly to: Seq;
  /** Only members lists; everything without it. */
  readonly only?: 'members';
  /** Stop before the entries take more than this many bytes in a frame, but give at least one. */
  readonly bytesMax: number;
}

/** What a store tells its owner. Never called from inside a call into the store. */
export interface StoreHandlers {
  /** Every write up to this number is durable. */
  readonly persisted: (upTo: number) => void;
  /** The disk refused a write (DISK), or damage was found (CORRUPT). Told once; nothing is written after. */
  readonly failed: (error: NodeError) => void;
}

/** Where and what to open. */
export interface StoreOptions {
  /** Data folder; made if it is new. */
  readonly folder: string;
  readonly tail: TailLimits;
  readonly handlers: StoreHandlers;
}

/** Opens the store of a data folder; the error says why it cannot. */
export type StoreOpener = (options: StoreOptions) => Promise<Result<LogStore, NodeError>>;

/**
 * Durable state behind one FIFO queue: a read sees every write that was queued before it. After a
 * failure or `close`, writes are dropped and reads answer with nothing.
 */
export interface LogStore {
  /** What the folder held at opening. */
  readonly stored: Stored;
  /** Replaces the facts; resolves when they are durable. */
  readonly saveFacts: (facts: FolderFacts) => Promise<void>;
  /** Names the group and, when this peer founds it, its first entry; resolves when durable. */
  readonly saveGroup: (group: StoredGroup, first: Entry | null) => Promise<void>;
  /** Queues one atomic write; `persisted` tells when it is durable. */
  readonly write: (write: Write) => void;
  /** Which of the ids are in the stored log. */
  readonly findIds: (ids: readonly MessageId[]) => Promise<readonly MessageId[]>;
  /** Stored entries of the range in order, perhaps fewer than asked for. */
  readonly readEntries: (range: EntryRange) => Promise<readonly Entry[]>;
  /** Writes out the queue, then closes; idempotent. */
  readonly close: () => Promise<void>;
  /** Ends without another write, as a crash does; resolves once nothing runs any more. */
  readonly abandon: () => Promise<void>;
}
