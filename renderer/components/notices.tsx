/** Lines under the header: a loud one when the history differs, and the newest error until dismissed. */
import { OctagonAlert, TriangleAlert, X } from 'lucide-react';
import type { Situation } from '../store/situation.ts';
import { useActions, useChat } from '../store/store-context.tsx';

export function Notices({ situation }: { readonly situation: Situation | null }) {
  const notice = useChat((state) => state.notice);
  const { dismissNotice, joinAgain } = useActions();
  const alarm = situation?.kind === 'diverged';
  return (
    <>
      {alarm && (
        <div className="notice notice-alarm" role="alert">
          <OctagonAlert size={20} aria-hidden />
          <p>{situation.sentence}</p>
          <button type="button" className="button" onClick={joinAgain}>
            Join again…
          </button>
        </div>
      )}
      {notice !== null && !(alarm && notice.code === 'DIVERGED') && (
        <div className="notice" role="alert">
          <TriangleAlert size={16} aria-hidden />
          <p>{notice.message}</p>
          <button
            type="button"
            className="icon-button"
            aria-label="Dismiss"
            title="Dismiss"
            onClick={dismissNotice}
          >
            <X size={16} aria-hidden />
          </button>
        </div>
      )}
    </>
  );
}
