/**
 * A core that is broken on purpose: one rule of the protocol taken out by small edits of its source. A
 * simulator is worth what it catches, so each variant must fail within a number of schedules. Edits are
 * data here; whoever can read and write files makes a core of them (e2e/sim/variants.ts).
 */
import type { FaultWeights } from '../options.ts';

/** Replaces `find`, which stands in the file exactly once. */
export interface Edit {
  /** Path under shared/protocol. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** One broken core. */
export interface Variant {
  /** Kebab-case, says what is wrong. */
  readonly name: string;
  /** The rule that is missing, and what it costs. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** It must be caught within this many schedules; measured, with room for a change of timing. */
  readonly within: number;
  /** Faults that every schedule has besides what its seed says. */
  readonly weights?: Partial<FaultWeights>;
  /** A machine that loses its data keeps its identity key. */
  readonly amnesia?: boolean;
  /** Name of the directed schedule that catches what chance rarely meets. */
  readonly directed?: string;
}
