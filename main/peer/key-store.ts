/**
 * The user's own store of group keys on this machine: one file for each group, readable by that user
 * alone. It lets a second peer of the same user join a group by naming a seed, without an invite. It
 * keeps keys of groups only; an identity never leaves its peer's database.
 */
import { randomUUID } from 'node:crypto';
import { chmod, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { err, ok, type Result } from '../../shared/result.ts';
import { makePrivateFolder } from '../folders.ts';
import { GROUP_ID_BYTES, GROUP_KEY_BYTES } from './identity.ts';
import type { Group } from './transport.ts';

/** Keys of groups by their id. */
export interface KeyStore {
  /** The key of a group; null when there is none or its file is damaged. Never rejects. */
  readonly keyFor: (groupId: Uint8Array) => Promise<Uint8Array | null>;
  /** Keeps a key, durably, in place of an older one; the error says why it could not. */
  readonly put: (group: Group) => Promise<Result<null, string>>;
}

/**
 * The folder for this user's Lockstep data: `LOCKSTEP_HOME` if set, else the place that the system
 * has for such things. It is not made here.
 */
export function userFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const own = env['LOCKSTEP_HOME'];
  if (own) return own;
  const home = homedir();
  if (platform === 'win32') {
    return join(env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'Lockstep');
  }
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Lockstep');
  // A relative path here must be ignored, says the XDG specification.
  const xdg = env['XDG_DATA_HOME'];
  return join(xdg?.startsWith('/') ? xdg : join(home, '.local', 'share'), 'lockstep');
}

/** The store in a folder, which is made when the first key comes. */
export function openKeyStore(folder = join(userFolder(), 'keys')): KeyStore {
  return {
    keyFor: (groupId) => readKey(folder, groupId),
    put: (group) => writeKey(folder, group),
  };
}

function fileFor(folder: string, groupId: Uint8Array): string {
  return join(folder, `${Buffer.from(groupId).toString('hex')}.key`);
}

async function readKey(folder: string, groupId: Uint8Array): Promise<Uint8Array | null> {
  // The id comes from a peer and becomes part of a path: only its exact length is hex of one form.
  if (groupId.length !== GROUP_ID_BYTES) return null;
  try {
    const text = (await readFile(fileFor(folder, groupId), 'utf8')).trim();
    const key = Buffer.from(text, 'base64url');
    return key.length === GROUP_KEY_BYTES ? new Uint8Array(key) : null;
  } catch {
    // Missing, or not ours to read: either way this user has no key for the group here.
    return null;
  }
}

/** Written beside and renamed, so that a crash leaves the old key or the new one, never half of one. */
async function writeKey(folder: string, group: Group): Promise<Result<null, string>> {
  const path = fileFor(folder, group.id);
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    makePrivateFolder(folder);
    await chmod(folder, 0o700);
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${Buffer.from(group.key).toString('base64url')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    return ok(null);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    const { code, message } = error as NodeJS.ErrnoException;
    return err(`cannot keep the group key in ${folder}: ${code ?? message}`);
  }
}
