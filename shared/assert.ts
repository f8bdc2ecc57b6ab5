/**
 * Assertions are for our own bugs only: a state that the code promises never to reach. They stay on in
 * production, because a peer that goes on after a broken invariant can damage what others rely on.
 * Bad input from a peer, a person or the disk is never asserted; it is answered with a value (result.ts).
 */

/** The error of a broken invariant. The process that sees it logs it and ends. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws {@link AssertionError} unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Returns `value`, which by an invariant named in `message` is neither null nor undefined. */
export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new AssertionError(message);
  return value;
}

/** Closes a switch over a union: a new kind that is not handled is a compile error here. */
export function assertNever(value: never, what: string): never {
  throw new AssertionError(`unhandled ${what}: ${JSON.stringify(value)}`);
}
