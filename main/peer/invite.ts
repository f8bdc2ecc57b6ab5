/**
 * Invite links: `lockstep://join?group=…&key=…&seed=HOST:PORT&seed=…`. Whoever has one may join, so a
 * link is a secret like the key in it. Reading is strict: a link that was cut or mistyped on its way is
 * refused with the part that is wrong, never half understood.
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

/** Reads a link; the error says in words what is wrong with it. */
export function parseInvite(link: string): Result<Invite, string> {
  const text = link.trim();
  const query = /^lockstep:\/\/join\/?\?([^#]*)$/.exec(text)?.[1];
  if (query === undefined || text.length > LINK_CHARACTERS_MAX) {
    return err('an invite link begins with lockstep://join?');
  }
  const fields = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== 'group' && name !== 'key' && name !== 'seed') {
      return err(`the invite link has an unknown part "${name}"`);
    }
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  const id = bytesIn(fields.get('group'), GROUP_ID_BYTES);
  if (id === null) return err('the group in the invite link is damaged or missing');
  const key = bytesIn(fields.get('key'), GROUP_KEY_BYTES);
  if (key === null) return err('the key in the invite link is damaged or missing');
  const seeds = seedsIn(fields.get('seed') ?? []);
  return seeds.ok ? ok({ group: { id, key }, seeds: seeds.value }) : seeds;
}

/** The one value, if it is the one base64url text of so many bytes. */
function bytesIn(values: readonly string[] | undefined, length: number): Uint8Array | null {
  const [text, second] = values ?? [];
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
