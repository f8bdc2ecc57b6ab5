/**
 * The protocol core as the simulator sees it: something that steps, hands out what is ready, and can be
 * looked into. It is an argument of every run, because the same simulator also runs cores that were
 * broken on purpose, to prove that its checkers notice.
 */
import type { NodeStatus } from '../model.ts';
import type {
  Disconnect,
  Input,
  Inspection,
  LinkedPeer,
  Ready,
  ReplicaStart,
} from '../protocol/ready.ts';
import type { ChainHash, Entry, Member, MessageId } from '../protocol/types.ts';

/** One running replica. */
export interface ReplicaUnderTest {
  step(now: number, input: Input): void;
  takeReady(): Ready;
  status(): NodeStatus;
  inspect(): Inspection;
  /** Why a peer that has proven who it is must not be linked; null lets it in. */
  refusalOf(peer: LinkedPeer): Disconnect['reason'] | null;
}

/** What the simulator needs of a core. */
export interface CoreUnderTest {
  readonly create: (start: ReplicaStart) => ReplicaUnderTest;
  /** Entry 1 of a group of one. */
  readonly found: (
    self: Member,
    options: {
      readonly id: MessageId;
      readonly sentAt: number;
      readonly chainHash: ChainHash;
      readonly groupHash: Uint8Array;
    },
  ) => Entry;
}
