/**
 * One position of the conversation, with the dividers that stand above it. How settled a message is shows in
 * an icon, its tone, a tooltip and words for screen readers; changing it never changes a row's height.
 */
import {
  Check,
  ChevronDown,
  ChevronRight,
  Clock,
  Crown,
  Hourglass,
  TriangleAlert,
  Users,
} from 'lucide-react';
import { memo } from 'react';
import type { PeerId } from '../../shared/model.ts';
import { continuesGroup, nameOf, stateIn } from '../store/selectors.ts';
import type { LeaderRun, MessageRow, NoteRow, Row } from '../store/selectors.ts';
import { count } from '../store/situation.ts';
import { useChat } from '../store/store-context.tsx';
import { dayOf, formatDay, formatFull, formatTime } from '../text/dates.ts';
import { MessageText } from '../text/message-text.tsx';
import { Avatar } from './avatar.tsx';
import { useToday } from './conversation-hooks.ts';

interface ConversationRowProps {
  readonly row: Row;
  /** The row before it; null for the first of all. */
  readonly above: Row | null;
  readonly self: PeerId;
  /** The run of leader entries that it belongs to; null if to none. */
  readonly run: LeaderRun | null;
  /** The divider “new since you looked” stands above it. */
  readonly fresh: boolean;
  /** Its long text, or its run, is shown in full. */
  readonly unfolded: boolean;
  readonly onToggle: (id: string) => void;
}

/** A row with its dividers. */
export function ConversationRow(props: ConversationRowProps) {
  const { above, fresh, row } = props;
  const author = row.kind === 'message' ? row.author : 0;
  const name = useChat((state) => nameOf(state.status, author));
  const state = useChat(({ status }) =>
    row.kind === 'message' ? stateIn(status, row.state) : null,
  );
  if (row.kind === 'gap') return <GapLine seq={row.seq} />;
  const day = startsDay(row, above);
  return (
    <>
      {day && <DayDivider at={row.sentAt} />}
      {fresh && (
        <div className="divider divider-fresh" role="separator" aria-label="New since you looked">
          <span>New since you looked</span>
        </div>
      )}
      {row.kind === 'note' ? (
        <Note row={row} run={props.run} unfolded={props.unfolded} onToggle={props.onToggle} />
      ) : (
        <MessageLine
          {...withoutKind(row)}
          state={state ?? row.state}
          name={name}
          isSelf={row.author === props.self}
          first={day || fresh || !continuesGroup(row, above)}
          unfolded={props.unfolded}
          onToggle={props.onToggle}
        />
      )}
    </>
  );
}

/** Clocks of authors differ: a day that has begun does not begin again when one of them is behind. */
function startsDay(row: MessageRow | NoteRow, above: Row | null): boolean {
  if (above === null) return true;
  return above.kind !== 'gap' && dayOf(row.sentAt) > dayOf(above.sentAt);
}

function DayDivider({ at }: { readonly at: number }) {
  const day = formatDay(at, useToday());
  return (
    <div className="divider" role="separator" aria-label={day}>
      <span>{day}</span>
    </div>
  );
}

function GapLine({ seq }: { readonly seq: number }) {
  return (
    <div className="row row-gap" data-seq={seq} aria-hidden>
      <Gutter text={String(seq)} />
      <span className="row-gap-bar" />
    </div>
  );
}

function Gutter(props: { readonly text: string; readonly title?: string }) {
  return (
    <span className="row-gutter mono" title={props.title}>
      {props.text}
    </span>
  );
}

/** A note; of a folded run only the first has a line, which stands for all of them. */
function Note(props: {
  readonly row: NoteRow;
  readonly run: LeaderRun | null;
  readonly unfolded: boolean;
  readonly onToggle: (id: string) => void;
}) {
  const { row, run } = props;
  const { about, id, sentAt, seq, text } = row;
  return (
    <>
      {run?.from === seq && (
        <RunLine
          run={run}
          sentAt={sentAt}
          unfolded={props.unfolded}
          onToggle={() => props.onToggle(run.id)}
        />
      )}
      {(run === null || props.unfolded) && (
        <NoteLine id={id} about={about} seq={seq} text={text} sentAt={sentAt} />
      )}
    </>
  );
}

function RunLine(props: {
  readonly run: LeaderRun;
  readonly sentAt: number;
  readonly unfolded: boolean;
  readonly onToggle: () => void;
}) {
  const { run, unfolded } = props;
  const Icon = unfolded ? ChevronDown : ChevronRight;
  return (
    <div className="row row-note" data-seq={run.from} data-kind="leaders">
      <Gutter text={`#${run.from}`} />
      <button
        type="button"
        className="row-note-text row-fold"
        aria-expanded={unfolded}
        title={`#${run.from} to #${run.to}`}
        onClick={props.onToggle}
      >
        <Icon size={14} aria-hidden />
        <bdi>{run.text}</bdi>
      </button>
      <RowTime at={props.sentAt} />
    </div>
  );
}

function RowTime({ at }: { readonly at: number }) {
  return (
    <time className="row-time" dateTime={new Date(at).toISOString()} title={formatFull(at)}>
      {formatTime(at)}
    </time>
  );
}

type NoteLineProps = Omit<NoteRow, 'kind'>;

const NoteLine = memo(function NoteLine({ about, id, seq, sentAt, text }: NoteLineProps) {
  const Icon = about === 'leader' ? Crown : Users;
  return (
    <div
      className="row row-note"
      role="note"
      aria-label={`#${seq} ${text}`}
      data-seq={seq}
      data-state="final"
      data-kind={about}
      data-message={id}
    >
      <Gutter text={`#${seq}`} />
      <span className="row-note-text">
        <Icon size={14} aria-hidden />
        <bdi>{text}</bdi>
      </span>
      <RowTime at={sentAt} />
    </div>
  );
});

type MessageLineProps = Pick<
  MessageRow,
  'id' | 'state' | 'seq' | 'n' | 'author' | 'text' | 'sentAt'
> & {
  readonly name: string;
  readonly isSelf: boolean;
  /** First of a group of an author's rows: it carries the name. */
  readonly first: boolean;
  readonly unfolded: boolean;
  readonly onToggle: (id: string) => void;
};

function withoutKind(row: MessageRow) {
  const { author, id, n, sentAt, seq, state, text } = row;
  return { author, id, n, sentAt, seq, state, text };
}

const MessageLine = memo(function MessageLine(props: MessageLineProps) {
  const { author, id, isSelf, name, sentAt, seq, state } = props;
  const time = formatTime(sentAt);
  const words = describeState(props);
  return (
    <article
      className="row row-message"
      aria-label={`${name}, ${time}, ${words.short}`}
      data-seq={seq ?? undefined}
      data-state={state}
      data-message={id}
      data-author={author}
      data-first={props.first}
    >
      <Gutter text={gutterText(props)} title={words.long} />
      {props.first && <Avatar name={name} isSelf={isSelf} />}
      {props.first && (
        <header className="row-head">
          <bdi className="row-author" title={`Peer ${author}`}>
            {name}
          </bdi>
          {isSelf && <span className="row-you">you</span>}
        </header>
      )}
      <MessageText
        text={props.text}
        unfolded={props.unfolded}
        onToggle={() => props.onToggle(id)}
      />
      <RowTime at={sentAt} />
      <StateIcon state={state} title={words.long} />
    </article>
  );
});

function gutterText(row: Pick<MessageRow, 'state' | 'seq' | 'n'>): string {
  if (row.seq !== null) return String(row.seq);
  return row.state === 'provisional' ? `~${String(row.n)}` : '·';
}

function describeState(row: Pick<MessageRow, 'state' | 'seq' | 'n'>): {
  readonly short: string;
  readonly long: string;
} {
  switch (row.state) {
    case 'final':
      return {
        short: `number ${String(row.seq)}, final`,
        long: `Final: number ${count(row.seq ?? 0)} for everybody, for good`,
      };
    case 'doubtful':
      return {
        short: `number ${String(row.seq)} here, perhaps not in the group`,
        long: `Number ${count(row.seq ?? 0)} on this computer: the history here differs, and the group may have something else there`,
      };
    case 'provisional':
      return {
        short: `provisional place ${String(row.n)}`,
        long: `Provisional: place ${String(row.n)} for now; its number comes when the quorum is back`,
      };
    case 'pending':
      return {
        short: 'pending',
        long: 'Pending: kept on this computer, waiting for its place',
      };
  }
}

function StateIcon(props: { readonly state: MessageRow['state']; readonly title: string }) {
  const Icon = { final: Check, doubtful: TriangleAlert, provisional: Hourglass, pending: Clock }[
    props.state
  ];
  return (
    <span className="row-state" data-state={props.state} title={props.title}>
      <Icon size={14} aria-hidden />
      <span className="sr-only">{props.state}</span>
    </span>
  );
}
