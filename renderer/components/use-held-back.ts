/**
 * A value that is shown with patience: what usually passes in a moment is shown only once it has lasted,
 * everything else at once. Values are compared by identity.
 */
import { useEffect, useRef, useState } from 'react';

/**
 * The newest value, or the one shown before it while `patience` asks to wait: so many milliseconds after the
 * first one that had to wait, the newest is shown. 0 shows a value at once, which every value gets at last.
 */
export function useHeldBack<T>(value: T, patience: (next: T, shown: T) => number): T {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  const isSame = Object.is(value, shown);
  const waitMs = isSame ? 0 : patience(value, shown);
  if (!isSame && waitMs === 0) setShown(value);

  useEffect(() => {
    latest.current = value;
  });
  useEffect(() => {
    if (waitMs === 0) return undefined;
    const timer = setTimeout(() => setShown(latest.current), waitMs);
    return () => clearTimeout(timer);
  }, [waitMs]);

  return waitMs === 0 ? value : shown;
}
