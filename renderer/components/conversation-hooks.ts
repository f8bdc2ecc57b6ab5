/** What the conversation asks of the page: focus, the day, and words for screen readers. */
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { FinalEntry, PeerId } from '../../shared/model.ts';
import { entryAt } from '../store/conversation.ts';
import { nameOf } from '../store/selectors.ts';
import { useChat } from '../store/store-context.tsx';
import { dayOf, untilTomorrow } from '../text/dates.ts';

/** Whether this window is the one that somebody works in. */
export function useFocused(): boolean {
  return useSyncExternalStore(subscribeFocus, isFocused);
}

function isFocused(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}

function subscribeFocus(onChange: () => void): () => void {
  window.addEventListener('focus', onChange);
  window.addEventListener('blur', onChange);
  document.addEventListener('visibilitychange', onChange);
  return () => {
    window.removeEventListener('focus', onChange);
    window.removeEventListener('blur', onChange);
    document.removeEventListener('visibilitychange', onChange);
  };
}

/** Start of the present local day; renders again when a new one begins. */
export function useToday(): number {
  const [today, setToday] = useState(() => dayOf(Date.now()));
  useEffect(() => {
    const timer = setTimeout(() => setToday(dayOf(Date.now())), untilTomorrow(Date.now()));
    return () => clearTimeout(timer);
  }, [today]);
  return today;
}

/** More new messages at once than this are announced as a number. */
const ANNOUNCED_MAX = 3;

/** Longest part of a message that is announced, UTF-16 units. */
const ANNOUNCED_LENGTH = 300;

/** What a screen reader says about messages of others that have just become final; empty at first. */
export function useAnnouncement(self: PeerId): string {
  const conversation = useChat((state) => state.conversation);
  const status = useChat((state) => state.status);
  const [text, setText] = useState('');
  const said = useRef(0);
  useEffect(() => {
    const from = said.current;
    said.current = conversation.last;
    // The first filling of the list is no news.
    if (from === 0 || conversation.last <= from) return;
    if (conversation.last - from > 10 * ANNOUNCED_MAX) {
      setText(`${conversation.last - from} new entries`);
      return;
    }
    const news: FinalEntry[] = [];
    for (let seq = from + 1; seq <= conversation.last; seq += 1) {
      const entry = entryAt(conversation, seq);
      if (entry?.kind === 'message' && entry.author !== self) news.push(entry);
    }
    if (news.length > ANNOUNCED_MAX) {
      setText(`${news.length} new messages`);
    } else if (news.length > 0) {
      setText(
        news
          .map((e) => `${nameOf(status, e.author)}: ${(e.text ?? '').slice(0, ANNOUNCED_LENGTH)}`)
          .join('. '),
      );
    }
  }, [conversation, self, status]);
  return text;
}
