/**
 * The window on a fake bridge, for looking at it: `npx vite` in the repository, then
 * /testing/gallery.html lists the scenes; &theme=dark shows one in the dark. It is no input of the build and never shipped.
 */
// First of all: the components' own rules come after, and win.
import '../styles/tokens.css';
import '../styles/base.css';
import { createRoot } from 'react-dom/client';
import { must } from '../../shared/assert.ts';
import type { Theme } from '../../shared/ipc/contract.ts';
import { App } from '../app.tsx';
import { createChatStore } from '../store/chat-store.ts';
import { ChatProvider } from '../store/store-context.tsx';
import { createFakeBridge } from './fake-bridge.ts';
import type { FakeBridge } from './fake-bridge.ts';
import { SCENE_NAMES, sceneOf } from './scenes.ts';

declare global {
  interface Window {
    /** For the person at the console, and for scripts that look at the page. */
    fake?: FakeBridge;
  }
}

const query = new URLSearchParams(window.location.search);
const scene = query.get('scene');
const root = createRoot(must(document.querySelector('#root'), 'the root element'));

if (scene === null) {
  root.render(
    <ul>
      {SCENE_NAMES.map((name) => (
        <li key={name}>
          <a href={`?scene=${name}`}>{name}</a>
        </li>
      ))}
    </ul>,
  );
} else {
  const answers = sceneOf(scene);
  const { snapshot } = answers;
  const theme = (query.get('theme') ?? 'system') as Theme;
  const fake = createFakeBridge({
    ...answers,
    snapshot: { ...snapshot, settings: { ...snapshot.settings, theme } },
  });
  window.fake = fake;
  root.render(
    <ChatProvider chat={createChatStore(fake.bridge, null)}>
      <App />
    </ChatProvider>,
  );
}
