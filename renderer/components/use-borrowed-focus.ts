/** Focus for what lies over the rest of the window: it goes there, and back when that is gone. */
import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';

/**
 * The element with this ref has the focus once `borrows` holds. When it ends and nothing else has taken the
 * focus, whatever had it before gets it back.
 */
export function useBorrowedFocus(borrows: boolean): RefObject<HTMLElement | null> {
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!borrows) return undefined;
    const before = document.activeElement;
    element.current?.focus();
    return () => {
      const taken = document.activeElement !== document.body;
      if (!taken && before instanceof HTMLElement) before.focus();
    };
  }, [borrows]);
  return element;
}
