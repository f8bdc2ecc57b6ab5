/** Cards of the phases in which there is nothing to do but know: loading, no answer, ended. */
import { LoaderCircle, LogOut, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import type { NodeError } from '../../shared/model.ts';
import { useActions } from '../store/store-context.tsx';
import './start-card.css';

/** Before the first snapshot. */
export function LoadingCard() {
  return (
    <main className="start">
      <div className="plain-card" role="status">
        <LoaderCircle className="spinner" size={32} aria-hidden />
        <p>Opening…</p>
      </div>
    </main>
  );
}

/** The main process did not answer. */
export function UnreachableCard(props: { readonly message: string }) {
  const { retry } = useActions();
  return (
    <main className="start">
      <div className="plain-card">
        <TriangleAlert size={32} aria-hidden />
        <h1>The window could not be filled</h1>
        <p role="alert">{props.message}</p>
        <button type="button" className="button button-primary" onClick={retry}>
          Try again
        </button>
      </div>
    </main>
  );
}

/** The node has ended: gracefully, or with an error that says what to do. */
export function EndedCard(props: { readonly error: NodeError | null }) {
  const { error } = props;
  const { copyText } = useActions();
  const [copied, setCopied] = useState(false);
  if (error === null) {
    return (
      <main className="start">
        <div className="plain-card">
          <LogOut size={32} aria-hidden />
          <h1>You have left for now</h1>
          <p role="status">
            Everything is kept on this computer. Open Lockstep again to go on where you stopped.
          </p>
          <CloseButton />
        </div>
      </main>
    );
  }
  return (
    <main className="start">
      <div className="plain-card">
        <TriangleAlert size={32} aria-hidden />
        <h1>Lockstep had to stop</h1>
        <p role="alert">{error.message}</p>
        <p className="mono">{error.code}</p>
        <div className="plain-card-actions">
          <button
            type="button"
            className="button"
            onClick={() => {
              copyText(`${error.code}: ${error.message}`).then(
                () => setCopied(true),
                () => setCopied(false),
              );
            }}
          >
            {copied ? 'Copied' : 'Copy details'}
          </button>
          <BackButton />
          <CloseButton />
        </div>
      </div>
    </main>
  );
}

/** One group that cannot go on does not close the door to the others. */
function BackButton() {
  const { cancelJoin } = useActions();
  return (
    <button type="button" className="button" onClick={cancelJoin}>
      Back
    </button>
  );
}

function CloseButton() {
  return (
    <button type="button" className="button button-primary" onClick={() => window.close()}>
      Close window
    </button>
  );
}
