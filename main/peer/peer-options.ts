/**
 * What a peer is opened with, checked: everything that can be wrong before a file or a socket is
 * touched is refused here with BAD_OPTION and words that name it.
 */
import type { NodeError, PeerId } from '../../shared/model.ts';
import { NAME_BYTES_MAX, PEER_ID_MAX } from '../../shared/model.ts';
import { configFor, defaultConfig, type ProtocolConfig } from '../../shared/protocol/config.ts';
import { validateConfig } from '../../shared/protocol/config.ts';
import type { Entry } from '../../shared/protocol/types.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import type { Logger } from '../log.ts';
import type { StoreOpener } from '../storage/log-store.ts';
import { parseAddress } from './addresses.ts';
import { GROUP_KEY_BYTES } from './identity.ts';
import { type Invite, parseInvite } from './invite.ts';
import type { KeyStore } from './key-store.ts';

/** How to open a peer. */
export interface PeerOptions {
  /** Data folder; made if it is new. */
  readonly data: string;
  /** Required for a fresh folder; otherwise it must be the folder's. */
  readonly id: PeerId | null;
  /** Interface to listen on; null: the folder's, or 127.0.0.1. */
  readonly host: string | null;
  /** 0 picks a free one, which the folder keeps; null: the folder's, or 6001. */
  readonly port: number | null;
  /** `[ID:]HOST:PORT` each. */
  readonly seeds: readonly string[];
  /** Seeds and group key in one link. */
  readonly invite: string | null;
  /** Group key in base64url or hex, where neither invite nor key store has it. */
  readonly key: string | null;
  /** Display name; null: the folder's, or `peer_ID`. */
  readonly name: string | null;
  readonly heartbeatMs?: number;
  readonly evictAfterMs?: number;
  /** Where to dial single peers instead of at their address; for tests that cut links. */
  readonly dial?: ReadonlyMap<PeerId, string>;
  /** The user's store of group keys; the usual one unless a test has its own. */
  readonly keyStore?: KeyStore;
  /** Opens the data folder; SQLite unless a test has a store of its own. */
  readonly openStore?: StoreOpener;
  readonly log: Logger;
  /**
   * Takes final entries as the protocol has them, instead of `final` events: what a busy peer tells
   * most, for a host that can do without texts.
   */
  readonly onFinal?: (entries: readonly Entry[]) => void;
}

/** What the options say once they are understood. */
export interface CheckedOptions {
  readonly config: ProtocolConfig;
  readonly seeds: readonly string[];
  readonly invite: Invite | null;
  readonly key: Uint8Array | null;
  readonly dial: ReadonlyMap<PeerId, string>;
}

/** Where a peer listens unless it is told otherwise. */
export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 6001;

/** Understands the options. Code: BAD_OPTION. */
export function checkOptions(options: PeerOptions): Result<CheckedOptions, NodeError> {
  const wrong = wrongIdentity(options);
  if (wrong !== null) return badOption(wrong);
  const invite = options.invite === null ? null : parseInvite(options.invite);
  if (invite?.ok === false) return badOption(invite.error);
  const key = options.key === null ? null : parseKey(options.key);
  if (key === null && options.key !== null) {
    return badOption('the group key is not 32 bytes in base64url or hex');
  }
  const dial = options.dial ?? new Map<PeerId, string>();
  for (const address of [...options.seeds, ...dial.values()]) {
    const parsed = parseAddress(address);
    if (!parsed.ok) return badOption(parsed.error);
  }
  const config = validateConfig(
    configFor(
      options.heartbeatMs ?? defaultConfig.heartbeatMs,
      options.evictAfterMs ?? defaultConfig.evictAfterMs,
    ),
  );
  if (!config.ok) return badOption(config.error);
  return ok({
    config: config.value,
    seeds: [...options.seeds, ...(invite?.value.seeds ?? [])],
    invite: invite?.value ?? null,
    key,
    dial,
  });
}

function wrongIdentity({ id, port, name }: PeerOptions): string | null {
  if (id !== null && !(Number.isInteger(id) && id >= 1 && id <= PEER_ID_MAX)) {
    return `the id must be a whole number from 1 to ${PEER_ID_MAX}`;
  }
  if (port !== null && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    return 'the port must be a whole number from 0 to 65535';
  }
  return name === null ? null : wrongName(name);
}

/** What is wrong with a display name; null if nothing is. */
export function wrongName(name: string): string | null {
  if (name.trim() === '') return 'the name is empty';
  if (/\p{Cc}/u.test(name)) return 'the name has control characters';
  if (Buffer.from(name).toString() !== name) return 'the name is not well-formed text';
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return null;
  return `the name is longer than ${NAME_BYTES_MAX} bytes`;
}

function parseKey(text: string): Uint8Array | null {
  const trimmed = text.trim();
  const hex = new RegExp(`^[0-9a-f]{${2 * GROUP_KEY_BYTES}}$`, 'i').test(trimmed);
  const bytes = Buffer.from(trimmed, hex ? 'hex' : 'base64url');
  return bytes.length === GROUP_KEY_BYTES ? new Uint8Array(bytes) : null;
}

/** A refused option. */
export function badOption(message: string): { readonly ok: false; readonly error: NodeError } {
  return err({ code: 'BAD_OPTION', message, fatal: true });
}
