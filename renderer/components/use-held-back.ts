/**
 * A value that is shown with patience: what usually passes in a moment is shown only once it has lasted,
 * everything else at once. Values are compared by identity.
 */
import { useEffect, useRef, useState } from 'react';

/**
 * The newest value, or the one shown before it while `isHeld` says that the newest may pass; a value that is
 * held for `ms` milliseconds, or gave way to others that are, is shown. A shown value is not held.
 */
export function useHeldBack<T>(value: T, isHeld: (next: T, shown: T) => boolean, ms: number): T {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  const isSame = Object.is(value, shown);
  const held = !isSame && isHeld(value, shown);
  if (!isSame && !held) setShown(value);

  useEffect(() => {
    latest.current = value;
  });
  useEffect(() => {
    if (!held) return undefined;
    const timer = setTimeout(() => setShown(latest.current), ms);
    return () => clearTimeout(timer);
  }, [held, ms]);

  return held ? shown : value;
}
