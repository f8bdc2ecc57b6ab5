/** Shown while a seed is dialled: to whom, what is not answering yet, and the way back. */
import { LoaderCircle } from 'lucide-react';
import { useActions } from '../store/store-context.tsx';
import './start-card.css';

/** The card of the joining phase. */
export function JoiningCard(props: { readonly target: string; readonly notice: string | null }) {
  const { cancelJoin } = useActions();
  return (
    <main className="start">
      <div className="plain-card">
        <LoaderCircle className="spinner" size={32} aria-hidden />
        <h1>Joining through {props.target}</h1>
        <div role="status">
          <p className={props.notice === null ? undefined : 'plain-card-notice'}>
            {props.notice ?? 'Waiting for a member to let this peer in.'}
          </p>
        </div>
        <button type="button" className="button" onClick={cancelJoin}>
          Cancel
        </button>
      </div>
    </main>
  );
}
