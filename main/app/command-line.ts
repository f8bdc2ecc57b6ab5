/**
 * The window's command line: where its data lives, and whether it joins, starts or only opens. It
 * decides what the words mean and refuses nothing that Chromium or a debugger added; what is missing
 * or wrong is answered with a sentence that the first card can show. Pure.
 */
import { parseArgs } from 'node:util';
import { PEER_ID_MAX } from '../../shared/model.ts';

/** What to do at start. */
export interface CommandLine {
  /** Root of everything this window keeps; null for the per-user folder. */
  readonly data: string | null;
  readonly id: number | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly name: string | null;
  /** `[ID:]HOST:PORT`, in the order given. */
  readonly seeds: readonly string[];
  /** Join through this invite without the form. */
  readonly invite: string | null;
  /** Start a new group without the form. */
  readonly startGroup: boolean;
  /** A `lockstep://` link that the system opened: fills the form, joins nothing by itself. */
  readonly link: string | null;
  /** Options that make no sense, each as one sentence. */
  readonly problems: readonly string[];
}

/** The scheme of invite links. */
export const LINK_SCHEME = 'lockstep:';

/**
 * Reads the words after the program (and, unpackaged, after the app's folder). Unknown options are
 * left alone: Chromium and Playwright add theirs to the same line.
 */
export function readCommandLine(words: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...words],
    strict: false,
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      id: { type: 'string' },
      host: { type: 'string' },
      port: { type: 'string' },
      name: { type: 'string' },
      seed: { type: 'string', multiple: true },
      invite: { type: 'string' },
      'start-group': { type: 'boolean' },
    },
  });
  const problems: string[] = [];
  const text = (key: string): string | null => {
    const value = values[key];
    if (value === undefined) return null;
    if (typeof value === 'string' && value !== '') return value;
    problems.push(`--${key} needs a value.`);
    return null;
  };
  const number = (key: string, least: number, most: number): number | null => {
    const value = text(key);
    if (value === null) return null;
    const parsed = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (parsed >= least && parsed <= most) return parsed;
    problems.push(`--${key} takes a number from ${least} to ${most}, not “${value}”.`);
    return null;
  };
  const seeds = values['seed'] ?? [];
  return {
    data: text('data'),
    id: number('id', 1, PEER_ID_MAX),
    host: text('host'),
    port: number('port', 0, 65_535),
    name: text('name'),
    seeds: (Array.isArray(seeds) ? seeds : [seeds]).filter((seed) => typeof seed === 'string'),
    invite: text('invite'),
    startGroup: values['start-group'] === true,
    link: positionals.find(isInviteLink) ?? null,
    problems,
  };
}

/** Whether the command line itself asks to join or to start, so that no form is needed. */
export function actsByItself(line: CommandLine): boolean {
  return line.startGroup || line.invite !== null || line.seeds.length > 0;
}

/** Whether a word is a link that the app answers to; not whether it is a good one. */
export function isInviteLink(word: string): boolean {
  return word.toLowerCase().startsWith(`${LINK_SCHEME}//`);
}
