/**
 * The first card: join a group or start one, with the groups known on this machine above. It decides what
 * is asked for and where an error stands; whether an attempt succeeds is main's to say.
 */
import { ChevronRight, LoaderCircle } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import type { FormEvent, KeyboardEvent, ReactNode, RefObject } from 'react';
import type { FormError, FormField, KnownGroup, StartView } from '../../shared/ipc/contract.ts';
import type { Result } from '../../shared/result.ts';
import { useActions } from '../store/store-context.tsx';
import { formatOpened } from '../text/dates.ts';
import { IdentityFields } from './identity-fields.tsx';
import { JoinFields } from './join-fields.tsx';
import { proposedForm, readIdentity, readJoin } from './start-form.ts';
import type { StartForm } from './start-form.ts';
import './start-card.css';

interface StartCardProps {
  readonly start: StartView;
  /** Why the last attempt came back here. */
  readonly error: FormError | null;
  /** The form as left by an earlier attempt; null at first. */
  readonly form: StartForm | null;
  readonly onForm: (form: StartForm) => void;
}

/** What the two sets of fields need: values, a way to change them, and the error at a field. */
export interface FieldsProps {
  readonly form: StartForm;
  readonly change: (part: Partial<StartForm>) => void;
  readonly errorAt: (field: FormField) => ReactNode;
}

const WAYS = [
  { way: 'join', label: 'Join a group' },
  { way: 'start', label: 'Start a group' },
] as const;

/** The card that a window without a group shows. */
export function StartCard(props: StartCardProps) {
  const { start, onForm } = props;
  const form = props.form ?? proposedForm(start);
  const attempt = useAttempt(props.error);
  const { error } = attempt;
  const root = useCardFocus(error);

  const fields: FieldsProps = {
    form,
    change: (part) => {
      onForm({ ...form, ...part });
      attempt.forget();
    },
    errorAt: (field) =>
      error !== null && error.field === field ? (
        <ErrorText error={error} onPort={(port) => fields.change({ port: String(port) })} />
      ) : undefined,
  };

  return (
    <main className="start" ref={root}>
      <div className="start-card">
        <header className="start-head">
          <h1>Lockstep</h1>
          <p>Group chat without a server: every member holds the whole history, in one order.</p>
        </header>
        <GroupList groups={start.groups} busy={attempt.busy} onOpen={attempt.open} />
        <WayTabs form={form} change={fields.change} />
        <div id="start-form" role="tabpanel" aria-labelledby={`tab-${form.way}`}>
          <form
            className="start-form"
            noValidate
            onSubmit={(event: FormEvent) => {
              event.preventDefault();
              attempt.submit(form);
            }}
          >
            {form.way === 'join' && <JoinFields {...fields} groups={start.groups} />}
            <IdentityFields {...fields} />
            {error !== null && error.field === null && (
              <div className="field-error" role="alert">
                {error.message}
              </div>
            )}
            <button
              className="button button-primary start-go"
              type="submit"
              disabled={attempt.busy}
            >
              {attempt.busy && <LoaderCircle className="spinner" size={16} aria-hidden />}
              {form.way === 'join' ? 'Join' : 'Start'}
            </button>
          </form>
        </div>
        <footer className="start-foot">Version {start.version}</footer>
      </div>
    </main>
  );
}

/** The first thing to do has the focus, and whatever is wrong gets it. */
function useCardFocus(error: FormError | null): RefObject<HTMLElement | null> {
  const root = useRef<HTMLElement>(null);
  const focus = (selector: string): boolean => {
    const found = root.current?.querySelector<HTMLElement>(selector);
    found?.focus();
    return found !== null && found !== undefined;
  };
  useEffect(() => {
    // A known group is opened by Enter; else one can paste a link at once.
    if (!focus('.start-group')) focus('input');
  }, []);
  useEffect(() => {
    if (error !== null) focus('[aria-invalid="true"]');
  }, [error]);
  return root;
}

/** The attempt under way and the error of the last one. */
function useAttempt(fromMain: FormError | null) {
  const { joinGroup, openGroup, startGroup } = useActions();
  const [error, setError] = useState<FormError | null>(fromMain);
  const [busy, setBusy] = useState(false);
  const mounted = useRef(true);

  useEffect(() => setError(fromMain), [fromMain]);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);

  async function settle(answer: Promise<Result<null, FormError>>): Promise<void> {
    setBusy(true);
    setError(null);
    const result = await answer;
    // On success the phase has usually changed, and this card is gone.
    if (!mounted.current) return;
    setBusy(false);
    if (!result.ok) setError(result.error);
  }

  function submit(form: StartForm): void {
    if (form.way === 'join') {
      const read = readJoin(form);
      if (read.ok) void settle(joinGroup(read.value));
      else setError(read.error);
    } else {
      const read = readIdentity(form);
      if (read.ok) void settle(startGroup(read.value));
      else setError(read.error);
    }
  }

  return {
    error,
    busy,
    submit,
    open: (data: string) => void settle(openGroup(data)),
    forget: () => setError(null),
  };
}

function ErrorText(props: { readonly error: FormError; readonly onPort: (port: number) => void }) {
  const { freePort, message } = props.error;
  return (
    <>
      <span>{message}</span>
      {freePort !== undefined && (
        <button type="button" className="link-button" onClick={() => props.onPort(freePort)}>
          Use port {freePort}
        </button>
      )}
    </>
  );
}

function GroupList(props: {
  readonly groups: readonly KnownGroup[];
  readonly busy: boolean;
  readonly onOpen: (data: string) => void;
}) {
  const title = useId();
  if (props.groups.length === 0) return null;
  return (
    <section className="start-groups" aria-labelledby={title}>
      <h2 className="section-title" id={title}>
        Groups on this computer
      </h2>
      <ul>
        {props.groups.map((group) => (
          <li key={group.data}>
            <button
              type="button"
              className="start-group"
              disabled={props.busy}
              title={group.data}
              onClick={() => props.onOpen(group.data)}
            >
              <span className="start-group-name">
                {group.name} <span className="start-group-id">· peer {group.id}</span>
              </span>
              <span className="start-group-detail">
                Group <span className="mono">{group.group.slice(0, 8)}</span>, last opened{' '}
                {formatOpened(group.openedAt)}
                {group.diverged && '; stopped: its history differs'}
              </span>
              <ChevronRight size={16} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function WayTabs(props: Pick<FieldsProps, 'form' | 'change'>) {
  const { way } = props.form;
  const tabs = useRef<HTMLDivElement>(null);
  function onKeyDown(event: KeyboardEvent): void {
    if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) return;
    event.preventDefault();
    const next =
      event.key === 'Home'
        ? 'join'
        : event.key === 'End'
          ? 'start'
          : way === 'join'
            ? 'start'
            : 'join';
    props.change({ way: next });
    tabs.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  }
  return (
    <div className="start-tabs" role="tablist" aria-label="First step" ref={tabs}>
      {WAYS.map((one) => (
        <button
          key={one.way}
          id={`tab-${one.way}`}
          type="button"
          role="tab"
          aria-selected={one.way === way}
          aria-controls="start-form"
          tabIndex={one.way === way ? 0 : -1}
          onClick={() => props.change({ way: one.way })}
          onKeyDown={onKeyDown}
        >
          {one.label}
        </button>
      ))}
    </div>
  );
}
