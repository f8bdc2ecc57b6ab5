/** Renders the whole window on a fake bridge, in a page that has sizes although nothing is laid out. */
import { render } from '@testing-library/react';
import { App } from '../app.tsx';
import { createChatStore } from '../store/chat-store.ts';
import { ChatProvider } from '../store/store-context.tsx';
import type { FakeBridge } from './fake-bridge.ts';

/** Height that every element claims to have, px; the list then shows about fourteen rows. */
const SCREEN_PX = 600;
const ROW_PX = 44;

/** Width at which all three columns have room, px. */
const WIDE_PX = 1200;

/** The window of a fake; what a test asks of it goes through `screen`. */
export function renderApp(fake: FakeBridge, width = WIDE_PX): { readonly close: () => void } {
  pretendLayout();
  window.innerWidth = width;
  const chat = createChatStore(fake.bridge, null);
  const { unmount } = render(
    <ChatProvider chat={chat}>
      <App />
    </ChatProvider>,
  );
  return {
    close: () => {
      unmount();
      chat.close();
    },
  };
}

/** The simulated page lays nothing out; a virtual list needs to know how much fits. */
function pretendLayout(): void {
  const sizes = { clientHeight: SCREEN_PX, clientWidth: 800, offsetHeight: ROW_PX };
  for (const [name, value] of Object.entries(sizes)) {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => value });
  }
}
