/**
 * Where messages are written. Enter sends, Shift+Enter breaks the line. It is never blocked: a message that
 * cannot become final yet is taken all the same, and the line below says what it waits for. A text that is
 * not accepted yet stays in sight; a refused one comes back into the field.
 */
import { Hourglass, SendHorizontal } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { TEXT_BYTES_MAX } from '../../shared/model.ts';
import { count } from '../store/situation.ts';
import { useActions, useChat } from '../store/store-context.tsx';
import { useHeldBack } from './use-held-back.ts';

/** From here on the composer says how much room is left, in bytes. */
const NEARLY_FULL = TEXT_BYTES_MAX * 0.9;

/** A text that is accepted within this time is not shown as waiting for it, milliseconds. */
const ACCEPT_MS = 300;

/** The composer; `hint` says what new messages wait for, empty when for nothing. */
export function Composer({ hint }: { readonly hint: string }) {
  const compose = useCompose();
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);

  useEffect(() => field.current?.focus(), []);

  function onKeyDown(event: KeyboardEvent): void {
    // While an input method composes, Enter chooses a candidate.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    compose.send();
  }

  return (
    <form
      className="composer"
      aria-label="Write a message"
      onSubmit={(event) => {
        event.preventDefault();
        compose.send();
        field.current?.focus();
      }}
    >
      <NotSentYet texts={compose.leaving} />
      <div className="composer-box" data-invalid={compose.error !== null}>
        <textarea
          ref={field}
          className="composer-field"
          rows={1}
          dir="auto"
          aria-label="Message"
          aria-describedby={`${id}-line`}
          aria-invalid={compose.error === null ? undefined : true}
          placeholder="Write a message"
          value={compose.text}
          onChange={(event) => compose.change(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button
          type="submit"
          className="icon-button composer-send"
          aria-label="Send"
          title="Send (Enter)"
          data-ready={compose.text.trim() !== ''}
        >
          <SendHorizontal size={18} aria-hidden />
        </button>
      </div>
      <div className="composer-line" id={`${id}-line`}>
        <ComposerLine error={compose.error} hint={hint} bytes={compose.bytes} />
      </div>
    </form>
  );
}

/** Texts that have left the field and are no messages yet: nobody may think them sent, or lost. */
function NotSentYet({ texts }: { readonly texts: readonly Leaving[] }) {
  const shown = useHeldBack(texts, (next, before) =>
    next.length > 0 && before.length === 0 ? ACCEPT_MS : 0,
  );
  if (shown.length === 0) return null;
  return (
    <section className="composer-leaving" aria-label="Not sent yet">
      <p>Not sent yet, kept on this computer:</p>
      <ul>
        {shown.map(({ key, text }) => (
          <li key={key}>
            <Hourglass size={12} aria-hidden />
            <span dir="auto">{text}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** One line of fixed height: an error, what messages wait for, the room left, or how to send. */
function ComposerLine(props: {
  readonly error: string | null;
  readonly hint: string;
  readonly bytes: number;
}) {
  if (props.error !== null) {
    return (
      <p className="composer-error" role="alert">
        {props.error}
      </p>
    );
  }
  if (props.bytes > NEARLY_FULL) {
    return (
      <p>
        {count(props.bytes)} of {count(TEXT_BYTES_MAX)} bytes
      </p>
    );
  }
  if (props.hint !== '') {
    return (
      <p className="composer-waits" title={props.hint}>
        <Hourglass size={12} aria-hidden />
        <span>{props.hint}</span>
      </p>
    );
  }
  return (
    <p className="composer-keys">
      <kbd>Enter</kbd> sends, <kbd>Shift</kbd>+<kbd>Enter</kbd> breaks the line
    </p>
  );
}

/** A text on its way from the field to the disk. */
interface Leaving {
  readonly key: number;
  readonly text: string;
}

/** The text, its draft, and sending it. */
function useCompose() {
  const { saveDraft, send } = useActions();
  const draft = useChat((state) => state.draft);
  const [text, setText] = useState(draft);
  const [error, setError] = useState<string | null>(null);
  const [leaving, setLeaving] = useState<readonly Leaving[]>([]);
  const sends = useRef(0);
  const typed = useRef(false);
  const latest = useRef(draft);
  /** Refused texts with which the field begins. */
  const returned = useRef('');
  const bytes = text.length * 3 > NEARLY_FULL ? new TextEncoder().encode(text).length : 0;

  // The snapshot with the draft may come after the composer; it must not undo what was typed since.
  useEffect(() => {
    if (typed.current) return;
    latest.current = draft;
    setText(draft);
  }, [draft]);

  function put(next: string): void {
    typed.current = true;
    latest.current = next;
    setText(next);
    saveDraft(next);
  }

  function change(next: string): void {
    setError(null);
    returned.current = '';
    put(next);
  }

  /** Typing goes on while an answer is awaited: refused texts return, in order, above what was typed. */
  function putBack(refused: string): void {
    const before = returned.current;
    const typedSince = latest.current.slice(before.length).replace(/^\n/, '');
    returned.current = inLines(before, refused);
    put(inLines(returned.current, typedSince));
  }

  async function submit(sent: string): Promise<void> {
    sends.current += 1;
    const key = sends.current;
    setLeaving((others) => [...others, { key, text: sent }]);
    const refused = await send(sent);
    setLeaving((all) => all.filter((one) => one.key !== key));
    if (refused === null) return;
    setError(refused.message);
    putBack(sent);
  }

  return {
    text,
    error,
    bytes,
    leaving,
    change,
    send: (): void => {
      if (text.trim() === '') return;
      if (bytes > TEXT_BYTES_MAX) {
        setError(
          `This message has ${count(bytes)} bytes; ${count(TEXT_BYTES_MAX)} are the most. Split it in two.`,
        );
        return;
      }
      // In this order: at no moment does main know of neither the message nor its draft.
      void submit(text);
      change('');
    },
  };
}

function inLines(first: string, second: string): string {
  return first === '' || second === '' ? first + second : `${first}\n${second}`;
}
