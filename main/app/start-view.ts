/**
 * What the first card proposes: a name, a free id, a free port, and the groups this machine knows.
 * It decides nothing for the person; every value can be changed in the form.
 */
import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Identity, StartView } from '../../shared/ipc/contract.ts';
import { NAME_BYTES_MAX } from '../../shared/model.ts';
import type { Logger } from '../log.ts';
import type { GroupRecord } from './groups.ts';
import { FIRST_PORT, nextFreePort } from './ports.ts';

/** Values that are known before anybody has typed. */
export interface Prefill extends Partial<Identity> {
  /** The invite that the app was opened with. */
  readonly invite?: string;
}

/** Ids are proposed below this, so that they stay short to say; a clash is found when joining. */
const proposedIdMax = 9_999;
/** People's machines listen on all interfaces: the others are elsewhere. */
const proposedHost = '0.0.0.0';

/** The first card's content. */
export async function startView(
  groups: readonly GroupRecord[],
  prefill: Prefill,
  version: string,
): Promise<StartView> {
  const host = prefill.host ?? proposedHost;
  const taken = new Set(groups.map((group) => group.port));
  return {
    proposed: {
      id: prefill.id ?? proposeId(new Set(groups.map((group) => group.id))),
      name: prefill.name ?? groups[0]?.name ?? accountName(),
      host,
      port: prefill.port ?? (await nextFreePort(host, FIRST_PORT, taken)),
    },
    groups: groups.map(({ group, id, name, data, openedAt, diverged }) => {
      return { group, id, name, data, openedAt, diverged };
    }),
    invite: prefill.invite ?? '',
    version,
  };
}

function proposeId(taken: ReadonlySet<number>): number {
  for (;;) {
    const id = randomInt(1, proposedIdMax + 1);
    if (!taken.has(id)) return id;
  }
}

/** The account's name, if the system has one that fits. */
function accountName(): string {
  try {
    const name = userInfo().username;
    return Buffer.byteLength(name) <= NAME_BYTES_MAX ? name : '';
  } catch {
    // An account without an entry in the user database, as in some containers.
    return '';
  }
}

/** Removes the folder of a group that never came to be. */
export async function removeFolder(folder: string, log: Logger): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    log.warn('folder-not-removed', { folder, reason: (error as Error).message });
  }
}
