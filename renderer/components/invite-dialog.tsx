/** How others get in: the invite link to copy or to scan, and what it gives away. */
import encodeQR from 'qr';
import { Check, Copy, X } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { useActions } from '../store/store-context.tsx';

/** A modal dialog; Escape and a click beside it close it. */
export function InviteDialog(props: { readonly invite: string; readonly onClose: () => void }) {
  const { invite, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={title}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={title}>Invite to this group</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <X size={18} aria-hidden />
          </button>
        </header>
        <p>
          Whoever has this link can join and read the whole history. It holds the group key: send it
          over a channel you trust.
        </p>
        {isLocal(invite) && (
          <p className="dialog-note">
            It works on this computer only: every address in it is this computer’s own. To be
            reached from others, quit and start Lockstep with <code>--host 0.0.0.0</code>.
          </p>
        )}
        <InviteLink invite={invite} />
        <QrCode text={invite} />
      </div>
    </dialog>
  );
}

/** Whether nobody in this invite can be reached from another computer. */
function isLocal(invite: string): boolean {
  const seeds = new URLSearchParams(invite.split('?')[1]).getAll('seed');
  return seeds.every((seed) => /^(\d+:)?(127\.|localhost:|\[::1\]:)/.test(seed));
}

function InviteLink({ invite }: { readonly invite: string }) {
  const { copyText } = useActions();
  const [copied, setCopied] = useState<'no' | 'yes' | 'failed'>('no');
  const id = useId();
  return (
    <div className="invite-link">
      <label className="field-label" htmlFor={id}>
        Invite link
      </label>
      <div className="invite-line">
        <input
          id={id}
          className="field-input mono"
          readOnly
          value={invite}
          onFocus={(event) => event.target.select()}
        />
        <button
          type="button"
          className="button button-primary"
          onClick={() => {
            copyText(invite).then(
              () => setCopied('yes'),
              () => setCopied('failed'),
            );
          }}
        >
          {copied === 'yes' ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
          Copy
        </button>
      </div>
      <p className="field-hint" role="status">
        {copied === 'yes' && 'Copied.'}
        {copied === 'failed' && 'The link could not be copied; select it and copy it by hand.'}
      </p>
    </div>
  );
}

/** Light modules of quiet zone that scanners need on each side. */
const QUIET_ZONE = 4;

/** The link as a QR code: one path, black on white in both themes, because scanners expect that. */
function QrCode({ text }: { readonly text: string }) {
  const code = useMemo(() => drawCode(text), [text]);
  if (code === null) {
    return <p className="field-hint">This link is too long for a QR code.</p>;
  }
  return (
    <svg
      className="qr"
      role="img"
      aria-label="QR code of the invite link"
      viewBox={`0 0 ${code.size} ${code.size}`}
      shapeRendering="crispEdges"
    >
      <path className="qr-light" d={`M0 0h${code.size}v${code.size}H0z`} />
      <path className="qr-dark" d={code.path} />
    </svg>
  );
}

function drawCode(text: string): { readonly size: number; readonly path: string } | null {
  let cells: boolean[][];
  try {
    cells = encodeQR(text, 'raw', { ecc: 'low', border: QUIET_ZONE });
  } catch {
    // The encoder throws only for a text beyond the largest code, 2,953 bytes.
    return null;
  }
  const path = cells
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return { size: cells.length, path };
}
