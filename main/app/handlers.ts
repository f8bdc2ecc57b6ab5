/**
 * One small function per request of the contract: each turns a request into a call of the session, the
 * memory of this machine, or the desktop. None of them decides anything about the conversation.
 */
import { clipboard, nativeTheme } from 'electron';
import type { FormError, InviteView } from '../../shared/ipc/contract.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import type { Logger } from '../log.ts';
import { parseInvite } from '../peer/invite.ts';
import type { Groups } from './groups.ts';
import type { Handlers } from './ipc-server.ts';
import { openExternalLink } from './security.ts';
import type { Session } from './session.ts';

/** What the handlers act on. */
export interface HandlerOptions {
  readonly session: Session;
  readonly groups: Groups;
  readonly log: Logger;
  /** Resolves when it is known what the window shows first. */
  readonly decided: Promise<void>;
}

/** The handlers of one app. */
export function createHandlers({ session, groups, log, decided }: HandlerOptions): Handlers {
  return {
    'get-snapshot': async () => {
      await decided;
      return session.snapshot();
    },
    'start-group': (identity) => session.startGroup(identity),
    'join-group': (form) => session.joinGroup(form),
    'open-group': async ({ data }) => {
      const record = groups.groups().find((known) => known.data === data);
      return record === undefined ? err(unknownGroup) : session.openKnown(record);
    },
    'cancel-join': async () => {
      await session.backToStart();
      return null;
    },
    'join-again': async () => {
      await session.joinAgain();
      return null;
    },
    'read-invite': ({ link }) => readInvite(link),
    'send-message': ({ text }) => session.send(text),
    'load-entries': ({ from, limit }) => session.history(from, limit),
    'save-draft': ({ text }) => {
      session.saveDraft(text);
      return null;
    },
    'save-settings': (settings) => {
      groups.saveSettings(settings);
      nativeTheme.themeSource = settings.theme;
      return null;
    },
    'copy-text': async ({ text }) => {
      await clipboard.writeText(text);
      return null;
    },
    'open-link': async ({ url }) => {
      await openExternalLink(url, log);
      return null;
    },
  };
}

const unknownGroup: FormError = {
  field: null,
  code: 'UNKNOWN_GROUP',
  message: 'This machine no longer knows that group. Join it again with an invite.',
};

/** What an invite says, or why it says nothing. */
function readInvite(link: string): Result<InviteView, FormError> {
  const invite = parseInvite(link);
  if (!invite.ok) {
    return err({ field: 'invite', code: 'BAD_INVITE', message: `Not usable: ${invite.error}.` });
  }
  const { group, seeds } = invite.value;
  return ok({ group: Buffer.from(group.id).toString('hex'), seeds });
}
