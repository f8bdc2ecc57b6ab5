/**
 * How a checker says that a guarantee was broken. It is thrown, so that the run stops at the very step,
 * and caught only where the verdict is made.
 */

/** Which rule was broken. Violations of one kind count as the same failure when a run is minimised. */
export type ViolationKind =
  | 'agreement'
  | 'order'
  | 'integrity'
  | 'validity'
  | 'fifo'
  | 'one-leader'
  | 'highest-leads'
  | 'never-blocks'
  | 'same-history'
  | 'quorum-stored'
  | 'promise'
  | 'mark'
  | 'stored-before-sent'
  | 'storage'
  | 'binding'
  | 'refusal'
  | 'divergence-alarm'
  | 'provisional-order'
  /** One that the protocol keeps by itself, in one replica. */
  | 'invariant'
  | 'assertion'
  | 'liveness';

/** A broken rule. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly rule: ViolationKind;

  constructor(rule: ViolationKind, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** Throws a {@link Violation} of `rule`; `message` says who, and at which number. */
export function violated(rule: ViolationKind, message: string): never {
  throw new Violation(rule, message);
}
