/** Mounts the window: finds the bridge, makes the store, renders. Nothing else is decided here. */
// First of all: the components' own rules come after, and win.
import './styles/tokens.css';
import './styles/base.css';
import { createRoot } from 'react-dom/client';
import { must } from '../shared/assert.ts';
import { App } from './app.tsx';
import { findBridge } from './bridge.ts';
import { createChatStore } from './store/chat-store.ts';
import { pageStorage } from './store/seen-mark.ts';
import { ChatProvider } from './store/store-context.tsx';

const bridge = must(findBridge(), 'the preload’s bridge; this page works in the app’s window only');
const root = must(document.querySelector('#root'), 'the root element of index.html');

createRoot(root).render(
  <ChatProvider chat={createChatStore(bridge, pageStorage())}>
    <App />
  </ChatProvider>,
);
