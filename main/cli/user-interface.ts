/**
 * What the two interfaces of the headless peer (JSON lines, terminal) have in common: they show events
 * and take lines. Starting, ending and signals are session.ts.
 */
import type { NodeError, NodeEvent } from '../../shared/model.ts';
import type { Entry } from '../../shared/protocol/types.ts';
import type { Peer } from '../peer/peer.ts';

/** Events that an interface shows; final entries come one by one through `showFinal`. */
export type ShownEvent = Exclude<NodeEvent, { kind: 'final' | 'closed' }>;

/** One way to talk with the person or program outside. */
export interface UserInterface {
  /** Shows what happened. */
  readonly show: (event: ShownEvent) => void;
  /** Shows final entries, in order. */
  readonly showFinal: (entries: readonly Entry[]) => void;
  /** Shows an error that is not an event of the peer. */
  readonly showError: (error: NodeError, ref?: unknown) => void;
  /** Takes one line of input. */
  readonly takeLine: (line: string) => void;
}

/** What an interface may do with the session around it. */
export interface SessionActions {
  /** The peer; null until it is open. Lines come only afterwards. */
  readonly peer: () => Peer | null;
  /** Leaves and ends the process. */
  readonly quit: () => void;
}
