/**
 * The main window: roster, conversation, status panel, and which of them stand beside each other at this
 * width. What is hidden by the width opens over the conversation and closes again with Escape or a click
 * beside it.
 */
import { useEffect, useMemo, useState } from 'react';
import type { Phase } from '../../shared/ipc/contract.ts';
import { describeSituation, patienceWith } from '../store/situation.ts';
import { useActions, useChat } from '../store/store-context.tsx';
import { Composer } from './composer.tsx';
import { HeaderBar } from './header-bar.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { MemberList } from './member-list.tsx';
import { MessageList } from './message-list.tsx';
import { Notices } from './notices.tsx';
import { StatusPanel } from './status-panel.tsx';
import { useHeldBack } from './use-held-back.ts';
import { useMediaQuery } from './use-media-query.ts';
import './chat-window.css';

/** Room for roster and conversation, px. */
const ROSTER_QUERY = '(min-width: 760px)';

/** Room for all three, px. */
const PANEL_QUERY = '(min-width: 1040px)';

export interface ChatWindowProps {
  readonly phase: Extract<Phase, { readonly kind: 'open' }>;
}

/** The window of an open group. */
export function ChatWindow({ phase }: ChatWindowProps) {
  const [inviting, setInviting] = useState(false);
  const layout = useLayout();
  const status = useChat((state) => state.status);
  const now = useMemo(() => (status === null ? null : describeSituation(status)), [status]);
  const situation = useHeldBack(now, patienceWith);
  return (
    <div className="window">
      <HeaderBar
        group={phase.group}
        situation={situation}
        members={layout.roster}
        status={layout.panel}
      />
      <Notices situation={situation} />
      <div className="window-body">
        {layout.roster.shown && (
          <MemberList over={layout.roster.over} onInvite={() => setInviting(true)} />
        )}
        <main className="window-main" aria-label="Chat" onPointerDown={layout.closeOver}>
          <MessageList
            self={phase.self.id}
            group={phase.group}
            onInvite={() => setInviting(true)}
          />
          <Composer hint={situation?.composerHint ?? ''} />
        </main>
        {layout.panel.shown && <StatusPanel over={layout.panel.over} situation={situation} />}
      </div>
      {inviting && <InviteDialog invite={phase.invite} onClose={() => setInviting(false)} />}
    </div>
  );
}

/** A side of the window: whether it is shown, whether over the conversation, and how to switch it. */
export interface Side {
  readonly shown: boolean;
  readonly over: boolean;
  readonly toggle: () => void;
  /** The roster has its own column whenever there is room for it. */
  readonly canToggle: boolean;
}

/** At most one side lies over the conversation. */
function useLayout(): {
  readonly roster: Side;
  readonly panel: Side;
  readonly closeOver: () => void;
} {
  const { chooseSettings } = useActions();
  const settings = useChat((state) => state.settings);
  const rosterFits = useMediaQuery(ROSTER_QUERY);
  const panelFits = useMediaQuery(PANEL_QUERY);
  const [over, setOver] = useState<'roster' | 'panel' | null>(null);

  useEffect(() => {
    if (over === null) return undefined;
    function onKeyDown(event: KeyboardEvent): void {
      if (event.key === 'Escape') setOver(null);
    }
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [over]);

  return {
    closeOver: () => setOver(null),
    roster: {
      shown: rosterFits || over === 'roster',
      over: !rosterFits,
      canToggle: !rosterFits,
      toggle: () => setOver(over === 'roster' ? null : 'roster'),
    },
    panel: {
      shown: panelFits ? settings.statusPanel : over === 'panel',
      over: !panelFits,
      canToggle: true,
      toggle: () => {
        if (panelFits) chooseSettings({ ...settings, statusPanel: !settings.statusPanel });
        else setOver(over === 'panel' ? null : 'panel');
      },
    },
  };
}
