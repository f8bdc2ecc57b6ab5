/**
 * Invite links: `lockstep://join?group=…&key=…&seed=HOST:PORT&seed=…`. Whoever has one may join, so a
 * link is a secret like the key in it. Reading takes a link as mails and chats hand it on, wrapped, quoted
 * or in the middle of a sentence; one that was cut or mistyped is refused with the part that is wrong.
 */
import { err, ok, type Result } from '../../shared/result.ts';
import { formatAddress, parseAddress, type SeedAddress } from './addresses.ts';
import { GROUP_ID_BYTES, GROUP_KEY_BYTES } from './identity.ts';
import type { Group } from './transport.ts';

/** Seeds in one link; more make it unwieldy and help nobody. */
export const INVITE_SEEDS_MAX = 16;

/** Longest link that is looked at, characters. */
const LINK_CHARACTERS_MAX = 4_096;

/** What a link carries. */
export interface Invite {
  readonly group: Group;
  /** `[ID:]HOST:PORT`, at least one. */
  readonly seeds: readonly string[];
}

/** The link for a group; `seeds` beyond {@link INVITE_SEEDS_MAX} and repeats are left out. */
export function formatInvite(group: Group, seeds: readonly string[]): string {
  const unique = [...new Set(seeds)].slice(0, INVITE_SEEDS_MAX);
  const fields = [
    `group=${Buffer.from(group.id).toString('base64url')}`,
    `key=${Buffer.from(group.key).toString('base64url')}`,
    ...unique.map((seed) => `seed=${encodeURIComponent(seed)}`),
  ];
  return `lockstep://join?${fields.join('&')}`;
}

/** Reads the link in a text; the error says in words what is wrong with it. */
export function parseInvite(text: string): Result<Invite, string> {
  // A link that a mail has wrapped goes on after the break; one in a sentence ends at the first space.
  const whole = parseLink(text.replaceAll(/\s/g, ''));
  if (whole.ok) return whole;
  const [word = ''] = /lockstep:\S*/i.exec(text) ?? [];
  const first = parseLink(word);
  return first.ok ? first : whole;
}

/** Reads the link in a text without spaces; quotes and the end of a sentence are no part of it. */
function parseLink(text: string): Result<Invite, string> {
  const query = /lockstep:\/\/join\/?\?([^<>"'`]*)/i.exec(text)?.[1];
  if (query === undefined || text.length > LINK_CHARACTERS_MAX) {
    return err('an invite link begins with lockstep://join');
  }
  // Parts that this version does not know are for others.
  const fields = new URLSearchParams(query.replace(/[^\w%-]+$/, ''));
  const id = bytesIn(fields.getAll('group'), GROUP_ID_BYTES);
  if (id === null) return err('the group in the invite link is damaged or missing');
  const key = bytesIn(fields.getAll('key'), GROUP_KEY_BYTES);
  if (key === null) return err('the key in the invite link is damaged or missing');
  const seeds = seedsIn(fields.getAll('seed'));
  return seeds.ok ? ok({ group: { id, key }, seeds: seeds.value }) : seeds;
}

/** The one value, if it is the one base64url text of so many bytes. */
function bytesIn(values: readonly string[], length: number): Uint8Array | null {
  const [text, second] = values;
  if (text === undefined || second !== undefined) return null;
  const bytes = Buffer.from(text, 'base64url');
  const exact = bytes.length === length && bytes.toString('base64url') === text;
  return exact ? new Uint8Array(bytes) : null;
}

function seedsIn(texts: readonly string[]): Result<string[], string> {
  if (texts.length === 0) return err('the invite link names nobody to join through');
  if (texts.length > INVITE_SEEDS_MAX) return err('the invite link names too many peers');
  const seeds: string[] = [];
  for (const text of texts) {
    const parsed = parseAddress(text);
    if (!parsed.ok) return err(`the invite link has a bad address: ${parsed.error}`);
    seeds.push(formatSeed(parsed.value));
  }
  return ok(seeds);
}

/** `[ID:]HOST:PORT`. */
function formatSeed(seed: SeedAddress): string {
  return seed.id === null ? formatAddress(seed) : `${seed.id}:${formatAddress(seed)}`;
}
