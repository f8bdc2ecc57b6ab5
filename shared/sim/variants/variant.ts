/**
 * A core that is broken on purpose: one rule of the protocol taken out by small edits of its source. Tests
 * are worth what they catch: on each variant its protocol script fails, and most the simulator must catch
 * within a number of schedules. Edits are data here; whoever can read and write files makes a core of them
 * (e2e/sim/variants.ts).
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
  /** The script under shared/protocol/testdata that tells why the rule is there. */
  readonly script: string;
  readonly edits: readonly Edit[];
  /**
   * The simulator must catch it within this many schedules; measured, with room for a change of timing. Null
   * where its script alone tells: it costs time, which no checker sees, or hardly any schedule meets it.
   */
  readonly within: number | null;
  /** Faults that every schedule has besides what its seed says. */
  readonly weights?: Partial<FaultWeights>;
  /** A machine that loses its data keeps its identity key. */
  readonly amnesia?: boolean;
  /** Name of the directed schedule that catches what chance rarely meets. */
  readonly directed?: string;
}
