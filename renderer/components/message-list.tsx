/**
 * The conversation: a virtual list over the positions of a band (band.ts). It opens at the end, follows the
 * end while the reader is there, and otherwise keeps its place whatever arrives above or below. Rows that
 * are not loaded have an estimated height and are measured once they are; the difference is scrolled away.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import type { ReactVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown } from 'lucide-react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { KeyboardEvent, RefObject } from 'react';
import type { PeerId } from '../../shared/model.ts';
import { boundBand, endBand, moveBand, startBand } from '../store/band.ts';
import type { Band } from '../store/band.ts';
import { entryAt } from '../store/conversation.ts';
import type { Conversation } from '../store/conversation.ts';
import { leaderRunAt, rowAt, rowCount } from '../store/selectors.ts';
import { count } from '../store/situation.ts';
import { useActions, useChat } from '../store/store-context.tsx';
import { useAnnouncement, useFocused } from './conversation-hooks.ts';
import { ConversationRow } from './conversation-row.tsx';
import { EmptyConversation } from './empty-conversation.tsx';
import './message-list.css';

/** Height of a row before it is measured, px: one line of text with its name. */
const ROW_ESTIMATE = 44;

/** This close to the end counts as being there, px. */
const END_THRESHOLD = 48;

/** No distance from the end is that small. */
const NEVER = -1;

/** Rows beyond the screen on each side for which entries are loaded. */
const LOAD_AHEAD = 60;

/** The list and what lies over it. */
export function MessageList(props: {
  readonly self: PeerId;
  readonly group: string;
  readonly onInvite: () => void;
}) {
  const conversation = useChat((state) => state.conversation);
  const unseen = useChat((state) => state.attention.unseen);
  const role = useChat((state) => state.status?.role ?? null);
  const { setLooking } = useActions();
  const focused = useFocused();
  const list = useList(conversation);
  useJumpOnSending(list);
  const announcement = useAnnouncement(props.self);
  const isOpening = (role === null || role === 'joining') && rowCount(conversation) === 0;

  useEffect(() => {
    setLooking(focused && list.atEnd);
  }, [focused, list.atEnd, setLooking]);

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget) return;
    if (event.key !== 'Home' && event.key !== 'End') return;
    event.preventDefault();
    list.jump(event.key === 'Home' ? 'start' : 'end');
  }

  return (
    <section className="conversation" aria-label="Conversation area">
      {/* Rows come and go while scrolling, so the list itself is silent; what is new is announced below. */}
      <div
        ref={list.scroller}
        className="list"
        role="log"
        aria-label="Conversation"
        aria-live="off"
        // The keyboard scrolls it: a scroll area has to be reachable.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={list.onScroll}
      >
        <Rows list={list} conversation={conversation} self={props.self} />
        {!isOpening && <EmptyConversation conversation={conversation} onInvite={props.onInvite} />}
      </div>
      {isOpening && (
        <p className="list-loading" role="status">
          {role === null ? 'Opening the conversation…' : 'The history comes once you are let in.'}
        </p>
      )}
      {!list.atEnd && (
        <button type="button" className="button list-jump" onClick={() => list.jump('end')}>
          <ArrowDown size={16} aria-hidden />
          Jump to latest
          {unseen > 0 && <span className="list-jump-count">{count(unseen)} new</span>}
        </button>
      )}
      <div className="sr-only" aria-live="polite" role="status">
        {announcement}
      </div>
    </section>
  );
}

/** Who writes wants to see what they have written. */
function useJumpOnSending({ atEnd, jump }: List): void {
  const lastSent = useChat((state) => state.lastSent);
  const shown = useRef(lastSent);
  useEffect(() => {
    if (lastSent === shown.current) return;
    shown.current = lastSent;
    if (lastSent !== null && !atEnd) jump('end');
  }, [atEnd, jump, lastSent]);
}

type List = ReturnType<typeof useList>;
type RowVirtualizer = ReactVirtualizer<HTMLDivElement, HTMLDivElement>;

function Rows(props: {
  readonly list: List;
  readonly conversation: Conversation;
  readonly self: PeerId;
}) {
  const { conversation, list } = props;
  const { band, items, virtualizer } = list;
  const freshFrom = useChat((state) => state.attention.freshFrom);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const { leaveEnd } = list;
  const toggle = useCallback(
    (id: string) => {
      // What is unfolded is read from its beginning, although the end then moves away.
      leaveEnd();
      setUnfolded((ids) => {
        const next = new Set(ids);
        if (!next.delete(id)) next.add(id);
        return next;
      });
    },
    [leaveEnd],
  );
  return (
    <div className="list-sizer" style={{ height: virtualizer.getTotalSize() }}>
      {items.map((item) => {
        const position = band.from + item.index;
        const row = rowAt(conversation, position);
        const isGap = row.kind === 'gap';
        const run = row.kind === 'note' ? leaderRunAt(conversation, row.seq) : null;
        return (
          <div
            // A message keeps its element while it turns from pending to final.
            key={isGap ? position : row.id}
            // An unmeasured gap leaves the first measurement, which keeps the place, to the loaded row.
            ref={isGap ? undefined : virtualizer.measureElement}
            className="list-slot"
            data-index={item.index}
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <ConversationRow
              row={row}
              above={position > 1 ? rowAt(conversation, position - 1) : null}
              self={props.self}
              fresh={!isGap && row.seq !== null && row.seq === freshFrom}
              run={run}
              unfolded={!isGap && unfolded.has(run?.id ?? row.id)}
              onToggle={toggle}
            />
          </div>
        );
      })}
    </div>
  );
}

/** A jump is asked for, is under way until its scroll event comes, or there is none. */
type Jump = 'start' | 'end' | 'landing' | null;

/** The virtual list: its band, its place, and what makes them move. */
function useList(conversation: Conversation) {
  const total = rowCount(conversation);
  const scroller = useRef<HTMLDivElement>(null);
  const [band, setBand] = useState<Band>(() => endBand(total));
  const [atEnd, setAtEnd] = useState(true);
  const [jumping, setJumping] = useState<Jump>('end');
  const bounded = boundBand(band, total, atEnd);
  if (bounded !== band) {
    setBand(bounded);
    if (atEnd) setJumping('end');
  }
  const bandCount = Math.max(0, Math.min(band.to ?? total, total) - band.from + 1);
  const virtualizer = useRows({ scroller, conversation, band, bandCount, atEnd });
  // Asked for here, so that the range below belongs to this band and not to the one before it moved.
  const items = virtualizer.getVirtualItems();
  useLoadedRange(virtualizer, { band, setBand, total, last: conversation.last, jumping });
  const isEndBand = band.to === null;
  const keepEnd = useKeptEnd(scroller, virtualizer, { atEnd, setAtEnd, isEndBand });

  useLayoutEffect(() => {
    const element = scroller.current;
    if (jumping === null || jumping === 'landing' || element === null) return;
    const before = element.scrollTop;
    if (jumping === 'end') virtualizer.scrollToEnd();
    else virtualizer.scrollToOffset(0);
    // Already there: no scroll event will tell.
    setJumping(element.scrollTop === before ? null : 'landing');
    setAtEnd(isEndBand && (jumping === 'end' || element.scrollHeight <= element.clientHeight));
  }, [isEndBand, jumping, virtualizer]);

  const onScroll = useCallback(() => {
    keepEnd();
    setJumping((now) => (now === 'landing' ? null : now));
  }, [keepEnd]);

  /** Until it is known where the end is, now that rows are about to change. */
  const leaveEnd = useCallback(() => {
    // A way to the end lasts some frames, and would go after the end wherever that moves meanwhile.
    virtualizer.cancelScroll();
    setAtEnd(false);
  }, [virtualizer]);

  function jump(where: 'start' | 'end'): void {
    setBand(where === 'end' ? endBand(total) : startBand(total));
    setJumping(where);
    setAtEnd(where === 'end');
  }

  return { scroller, band, items, virtualizer, atEnd, onScroll, jump, leaveEnd };
}

function useRows(at: {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly conversation: Conversation;
  readonly band: Band;
  readonly bandCount: number;
  readonly atEnd: boolean;
}) {
  const { atEnd, band, bandCount, conversation, scroller } = at;
  const { last, waiting } = conversation;
  // Final rows are known by their number, whether loaded or not, so that their measured height stays.
  const getItemKey = useCallback(
    (index: number) => {
      const position = band.from + index;
      return position <= last ? position : (waiting[position - last - 1]?.message ?? position);
    },
    [band.from, last, waiting],
  );
  // The list asks for estimates already while it is being made.
  const made = useRef<RowVirtualizer>(null);
  const virtualizer = useVirtualizer<HTMLDivElement, HTMLDivElement>({
    count: bandCount,
    getScrollElement: () => scroller.current,
    getItemKey,
    // A message that has just become final is as high as it was while it waited, and has been measured.
    estimateSize: (index): number => {
      const position = band.from + index;
      const message = entryAt(conversation, position)?.message;
      const sizes = made.current?.itemSizeCache;
      const before = message === undefined ? undefined : sizes?.get(message);
      if (before !== undefined) sizes?.set(position, before);
      return before ?? ROW_ESTIMATE;
    },
    overscan: 12,
    paddingStart: 16,
    paddingEnd: 8,
    anchorTo: 'end',
    followOnAppend: true,
    // Who has left the end may stand so close to it that growth would take them along.
    scrollEndThreshold: atEnd ? END_THRESHOLD : NEVER,
  });
  made.current = virtualizer;
  return virtualizer;
}

/** Loads what is near the screen, and moves the band before an edge comes near. */
function useLoadedRange(
  virtualizer: RowVirtualizer,
  at: {
    readonly band: Band;
    readonly setBand: (band: Band) => void;
    readonly total: number;
    readonly last: number;
    readonly jumping: Jump;
  },
): void {
  const { showRange } = useActions();
  const { band, jumping, last, setBand, total } = at;
  const first = band.from + (virtualizer.range?.startIndex ?? 0);
  const bottom = band.from + (virtualizer.range?.endIndex ?? 0);
  // Until a jump has landed the range tells of where the list was.
  const known = virtualizer.range !== null && jumping === null;
  useEffect(() => {
    if (!known || last === 0) return;
    const moved = moveBand(band, { first, last: bottom }, total);
    if (moved !== band) setBand(moved);
    if (first > last) return;
    showRange(Math.max(1, first - LOAD_AHEAD), Math.min(last, bottom + LOAD_AHEAD));
  }, [band, bottom, first, known, last, setBand, showRange, total]);
}

/**
 * A list that stands at its end stays there when its rows, the window or the composer change their height;
 * only scrolling up leaves the end. Returns what to do on a scroll event.
 */
function useKeptEnd(
  scroller: RefObject<HTMLDivElement | null>,
  virtualizer: RowVirtualizer,
  at: {
    readonly atEnd: boolean;
    readonly setAtEnd: (atEnd: boolean) => void;
    readonly isEndBand: boolean;
  },
): () => void {
  const { atEnd, isEndBand, setAtEnd } = at;
  const keeps = useRef(atEnd);
  const top = useRef(0);
  keeps.current = atEnd;

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (!keeps.current) setAtEnd(isEndBand && distanceFromEnd(element) <= END_THRESHOLD);
      else if (!virtualizer.isAtEnd(1)) virtualizer.scrollToEnd();
    });
    observer.observe(element);
    if (element.firstElementChild !== null) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, [isEndBand, scroller, setAtEnd, virtualizer]);

  return useCallback(() => {
    const before = top.current;
    const element = scroller.current;
    if (element === null) return;
    top.current = element.scrollTop;
    // The element itself: this handler may run before the virtualizer's own.
    const isThere = isEndBand && distanceFromEnd(element) <= END_THRESHOLD;
    // The end moved away by itself; the observer goes after it.
    if (keeps.current && isEndBand && !isThere && top.current >= before) return;
    keeps.current = isThere;
    setAtEnd(isThere);
  }, [isEndBand, scroller, setAtEnd]);
}

function distanceFromEnd(element: HTMLElement): number {
  return element.scrollHeight - element.clientHeight - element.scrollTop;
}
