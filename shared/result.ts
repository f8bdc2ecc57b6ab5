/**
 * Expected failures as values. A function that can fail in a way its caller must handle returns a Result;
 * it throws only for bugs (assert.ts).
 */

/** Success with a value, or failure with an error; told apart by `ok`. */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** A successful result. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** A failed result. */
export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}
