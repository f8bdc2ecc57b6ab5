/**
 * What this machine remembers between runs of the app: the groups that were joined, the settings, the
 * drafts, the window's place. One JSON file, replaced atomically, so that a crash leaves the old one
 * or the new one. It holds no key and no message that was sent; a file that cannot be read is set
 * aside and replaced, never a reason not to start.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { KnownGroup, Settings } from '../../shared/ipc/contract.ts';
import { makePrivateFolder } from '../folders.ts';
import type { Logger } from '../log.ts';

/** A group with what is needed to open it again. */
export interface GroupRecord extends KnownGroup {
  /** Listen host it was opened with. */
  readonly host: string;
  readonly port: number;
}

/** Where the window was, in screen coordinates. */
export interface WindowPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly maximized: boolean;
}

/** The content of the file. */
export interface Remembered {
  readonly version: 1;
  readonly groups: readonly GroupRecord[];
  readonly settings: Settings;
  /** Unsent text, by data folder. */
  readonly drafts: Readonly<Record<string, string>>;
  readonly place: WindowPlace | null;
  /** The first closing has been explained. */
  readonly closingExplained: boolean;
}

const fileName = 'lockstep.json';
/** A draft is saved this long after the last key, milliseconds: one write for a burst of keys. */
const writeDelayMs = 250;

const number = v.pipe(v.number(), v.finite());

const rememberedSchema = v.object({
  version: v.literal(1),
  groups: v.array(
    v.object({
      group: v.string(),
      id: v.pipe(v.number(), v.integer(), v.minValue(1)),
      name: v.string(),
      data: v.string(),
      openedAt: number,
      host: v.string(),
      port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
      diverged: v.optional(v.boolean(), false),
    }),
  ),
  settings: v.object({ theme: v.picklist(['system', 'light', 'dark']), statusPanel: v.boolean() }),
  drafts: v.record(v.string(), v.string()),
  place: v.nullable(
    v.object({ x: number, y: number, width: number, height: number, maximized: v.boolean() }),
  ),
  closingExplained: v.boolean(),
});

const nothingYet: Remembered = {
  version: 1,
  groups: [],
  settings: { theme: 'system', statusPanel: true },
  drafts: {},
  place: null,
  closingExplained: false,
};

/** The file of one data root; the only writer while its window is up. */
export class Groups {
  readonly #root: string;
  readonly #log: Logger;
  #now: Remembered;
  #timer: NodeJS.Timeout | null = null;

  constructor(root: string, remembered: Remembered, log: Logger) {
    this.#root = root;
    this.#now = remembered;
    this.#log = log;
  }

  /** Known groups, the one opened last first. */
  groups(): readonly GroupRecord[] {
    return [...this.#now.groups].sort((a, b) => b.openedAt - a.openedAt);
  }

  settings(): Settings {
    return this.#now.settings;
  }

  place(): WindowPlace | null {
    return this.#now.place;
  }

  /** Unsent text of the group in this data folder; empty if none. */
  draft(data: string): string {
    return this.#now.drafts[data] ?? '';
  }

  /** A data folder for a group that is not known yet; the caller makes it. */
  newFolder(): string {
    return join(this.#root, 'groups', randomUUID());
  }

  /** Adds a group, or renews what is known of the one in the same data folder. */
  rememberGroup(record: GroupRecord): void {
    const others = this.#now.groups.filter((group) => group.data !== record.data);
    this.#change({ groups: [...others, record] });
    this.flush();
  }

  /** Notes that the group in this data folder has stopped. */
  noteDiverged(data: string): void {
    const noted = this.#now.groups.find((group) => group.data === data && !group.diverged);
    if (noted !== undefined) this.rememberGroup({ ...noted, diverged: true });
  }

  saveSettings(settings: Settings): void {
    this.#change({ settings });
  }

  savePlace(place: WindowPlace): void {
    this.#change({ place });
  }

  saveDraft(data: string, text: string): void {
    const { [data]: _old, ...others } = this.#now.drafts;
    this.#change({ drafts: text === '' ? others : { ...others, [data]: text } });
  }

  /** Whether somebody who closed the window on a group has been told what that means. */
  closingExplained(): boolean {
    return this.#now.closingExplained;
  }

  noteClosingExplained(): void {
    this.#change({ closingExplained: true });
  }

  /**
   * Writes what has not been written; called before the process ends. A disk that refuses costs the
   * memory of a draft or a window's place, which is logged and no reason to end a conversation.
   */
  flush(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    try {
      writeAtomically(join(this.#root, fileName), `${JSON.stringify(this.#now, null, 2)}\n`);
    } catch (error) {
      this.#log.warn('settings-not-saved', { reason: (error as Error).message });
    }
  }

  #change(part: Partial<Remembered>): void {
    this.#now = { ...this.#now, ...part };
    this.#timer ??= setTimeout(() => this.flush(), writeDelayMs);
  }
}

/** Reads what the data root remembers; makes the folder if it is new. Throws if it can't be made. */
export function openGroups(root: string, log: Logger): Groups {
  makePrivateFolder(root);
  const path = join(root, fileName);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return new Groups(root, nothingYet, log);
    throw error;
  }
  const parsed = v.safeParse(rememberedSchema, parseJson(text));
  if (parsed.success) return new Groups(root, parsed.output, log);
  // The groups themselves are in their own folders; only the list of them is lost with this file.
  renameSync(path, `${path}.damaged`);
  log.warn('settings-set-aside', { file: `${path}.damaged` });
  return new Groups(root, nothingYet, log);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** After this either the old or the new content is there, also after a power cut; if it throws, the old. */
function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.new`;
  try {
    writeDurably(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Not by writeSync, which may write a part only on a disk that is nearly full. */
function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
