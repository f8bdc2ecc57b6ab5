/** The top line: which group, how it stands in a few words, and the switches of the window. */
import { Monitor, Moon, PanelRight, Sun, Users } from 'lucide-react';
import type { Theme } from '../../shared/ipc/contract.ts';
import type { Situation } from '../store/situation.ts';
import { useActions, useChat } from '../store/store-context.tsx';
import type { Side } from './chat-window.tsx';

interface HeaderBarProps {
  readonly group: string;
  readonly situation: Situation | null;
  readonly members: Side;
  readonly status: Side;
}

/** The window's banner. */
export function HeaderBar({ group, situation, members, status }: HeaderBarProps) {
  return (
    <header className="header">
      {members.canToggle && (
        <button
          type="button"
          className="icon-button"
          aria-label="Members panel"
          title="Members"
          aria-expanded={members.shown}
          onClick={members.toggle}
        >
          <Users size={18} aria-hidden />
        </button>
      )}
      <h1 className="header-title">
        Lockstep{' '}
        <span className="header-group" title={`Group ${group}`}>
          group <span className="mono">{group.slice(0, 8)}</span>
        </span>
      </h1>
      {situation !== null && (
        <p className="header-situation" data-tone={situation.tone}>
          <span className="tone-dot" data-tone={situation.tone} aria-hidden />
          {situation.label}
        </p>
      )}
      <ThemeButton />
      <button
        type="button"
        className="icon-button"
        aria-label="Status panel"
        title={status.shown ? 'Hide status' : 'Show status'}
        aria-expanded={status.shown}
        onClick={status.toggle}
      >
        <PanelRight size={18} aria-hidden />
      </button>
    </header>
  );
}

const THEMES: Readonly<Record<Theme, { readonly next: Theme; readonly icon: typeof Sun }>> = {
  system: { next: 'light', icon: Monitor },
  light: { next: 'dark', icon: Sun },
  dark: { next: 'system', icon: Moon },
};

function ThemeButton() {
  const { chooseSettings } = useActions();
  const settings = useChat((state) => state.settings);
  const { icon: Icon, next } = THEMES[settings.theme];
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={`Theme: ${settings.theme}`}
      title={`Theme: ${settings.theme}. Click for ${next}.`}
      onClick={() => chooseSettings({ ...settings, theme: next })}
    >
      <Icon size={18} aria-hidden />
    </button>
  );
}
