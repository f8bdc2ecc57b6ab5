/** Which screen stands for which phase, the theme, and the window's title. */
import { useEffect, useState } from 'react';
import { assertNever } from '../shared/assert.ts';
import { ChatWindow } from './components/chat-window.tsx';
import { EndedCard, LoadingCard, UnreachableCard } from './components/plain-cards.tsx';
import { JoiningCard } from './components/joining-card.tsx';
import { StartCard } from './components/start-card.tsx';
import type { StartForm } from './components/start-form.ts';
import { titleOf } from './store/selectors.ts';
import { useChat } from './store/store-context.tsx';

/** The whole window. */
export function App() {
  const theme = useChat((state) => state.settings.theme);
  const title = useChat(titleOf);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  useEffect(() => {
    document.title = title;
  }, [title]);
  return <Screen />;
}

function Screen() {
  const phase = useChat((state) => state.phase);
  // Kept here, so that a refused or cancelled attempt finds the form as it was filled in.
  const [form, setForm] = useState<StartForm | null>(null);
  const offered = phase.kind === 'start' ? phase.start.invite : '';
  // A link that the system hands over counts as typed, over whatever stands there.
  useEffect(() => {
    if (offered === '') return;
    setForm((typed) => (typed === null ? null : { ...typed, way: 'join', invite: offered }));
  }, [offered]);
  switch (phase.kind) {
    case 'loading':
      return <LoadingCard />;
    case 'unreachable':
      return <UnreachableCard message={phase.message} />;
    case 'start':
      return <StartCard start={phase.start} error={phase.error} form={form} onForm={setForm} />;
    case 'joining':
      return <JoiningCard target={phase.target} notice={phase.notice} />;
    case 'open':
      return <ChatWindow key={phase.group} phase={phase} />;
    case 'ended':
      return <EndedCard error={phase.error} />;
    default:
      return assertNever(phase, 'phase');
  }
}
