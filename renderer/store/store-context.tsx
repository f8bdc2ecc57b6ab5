/** How components reach the store: one context, one hook for state, one for actions. */
import { createContext, use } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import { must } from '../../shared/assert.ts';
import type { ChatState } from './apply-event.ts';
import type { ChatActions, ChatStore } from './chat-store.ts';

const ChatContext = createContext<ChatStore | null>(null);

/** Gives everything below it a store. */
export function ChatProvider(props: { readonly chat: ChatStore; readonly children: ReactNode }) {
  return <ChatContext value={props.chat}>{props.children}</ChatContext>;
}

/** A selected part of the state; renders again when it changes by identity. */
export function useChat<T>(select: (state: ChatState) => T): T {
  return useStore(must(use(ChatContext), 'a chat store above').store, select);
}

/** What the window can do. The same object for the store's whole life. */
export function useActions(): ChatActions {
  return must(use(ChatContext), 'a chat store above').actions;
}
