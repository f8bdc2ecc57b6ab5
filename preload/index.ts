/**
 * The only bridge between page and main process: `window.lockstep`, one named function per request
 * and one subscription per event. It decides nothing. It must never hand the page Electron's event
 * object, an `ipcRenderer`, or a way to name a channel of its own choice.
 */
import { contextBridge, ipcRenderer } from 'electron';
import type { LockstepBridge } from '../shared/ipc/bridge.ts';
import type { EventName, Events, RequestName, Requests } from '../shared/ipc/contract.ts';

type Ask<Name extends RequestName> = (
  args: Requests[Name]['args'],
) => Promise<Requests[Name]['result']>;

type Subscribe<Name extends EventName> = (listener: (payload: Events[Name]) => void) => () => void;

function request<Name extends RequestName>(name: Name): Ask<Name> {
  // The main process validates the arguments; its answer is typed by the same contract.
  return (args) => ipcRenderer.invoke(name, args) as Promise<Requests[Name]['result']>;
}

function event<Name extends EventName>(name: Name): Subscribe<Name> {
  return (listener) => {
    // The event object stays here: its `sender` would give the page the whole of ipcRenderer.
    const forward = (_event: unknown, payload: Events[Name]): void => listener(payload);
    ipcRenderer.on(name, forward);
    return () => {
      ipcRenderer.removeListener(name, forward);
    };
  };
}

const bridge: LockstepBridge = {
  getSnapshot: request('get-snapshot'),
  startGroup: request('start-group'),
  joinGroup: request('join-group'),
  openGroup: request('open-group'),
  cancelJoin: request('cancel-join'),
  joinAgain: request('join-again'),
  readInvite: request('read-invite'),
  sendMessage: request('send-message'),
  loadEntries: request('load-entries'),
  saveDraft: request('save-draft'),
  saveSettings: request('save-settings'),
  copyText: request('copy-text'),
  openLink: request('open-link'),
  onPhaseChanged: event('phase-changed'),
  onMessageAccepted: event('message-accepted'),
  onMessageOrdered: event('message-ordered'),
  onEntriesFinalized: event('entries-finalized'),
  onStatusChanged: event('status-changed'),
  onErrorReported: event('error-reported'),
};

contextBridge.exposeInMainWorld('lockstep', bridge);
