/**
 * Small entries, lists and logs for table tests: ids, keys and hashes that are easy to read, and a chain
 * hash that is the seq and the id, so that a wrong link shows. It checks nothing itself.
 */
import { encodeMembers } from '../codec.ts';
import type { DurableState } from '../ready.ts';
import {
  type ChainHash,
  type Entry,
  type Epoch,
  type Member,
  type Message,
  EPOCH_ZERO,
  POSITION_ZERO,
} from '../types.ts';
import { encodeUtf8 } from '../utf8.ts';

/** Hash 0 of the logs made here. */
export const hashZero = encodeUtf8('zero');

/** Previous hash, seq and id as text. */
export const readableHash: ChainHash = (previous, entry) =>
  new Uint8Array([...previous.slice(-8), entry.seq, entry.epoch.number, ...encodeUtf8(entry.id)]);

/** An id with a number in its last digits. */
export function idOf(n: number): string {
  return `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** Epoch `number` of `leader`. */
export function epoch(number: number, leader: number): Epoch {
  return { number, leader };
}

/** A member with a key of its own. */
export function memberOf(id: number): Member {
  return { id, key: new Uint8Array(32).fill(id), name: `peer ${id}`, address: `10.0.0.${id}:4000` };
}

/** Message number `n` of `author`. */
export function messageOf(n: number, author: number, after: number | null = null): Message {
  const text = encodeUtf8(`text ${n}`);
  return { id: idOf(n), author, after: after === null ? null : idOf(after), sentAt: n, body: text };
}

/** What an entry is made of: a message, a list of ids, or a leader's first word. */
export type Content = Message | readonly number[] | 'leader';

/** Chains contents into entries of one epoch behind `previous`. */
export function chain(
  of: Epoch,
  contents: readonly Content[],
  previous: { readonly seq: number; readonly hash: Uint8Array } = { seq: 0, hash: hashZero },
): Entry[] {
  const entries: Entry[] = [];
  let { seq, hash } = previous;
  for (const content of contents) {
    seq += 1;
    const unhashed = { seq, epoch: of, ...fieldsOf(content, of, seq) };
    hash = readableHash(hash, unhashed);
    entries.push({ ...unhashed, hash });
  }
  return entries;
}

function fieldsOf(content: Content, of: Epoch, seq: number): Message & Pick<Entry, 'kind'> {
  if (typeof content === 'object' && 'author' in content) return { kind: 'message', ...content };
  const own = { id: idOf(0xf000 + seq), author: of.leader, after: null, sentAt: 0 };
  return content === 'leader'
    ? { kind: 'leader', ...own, body: new Uint8Array(0) }
    : { kind: 'members', ...own, body: encodeMembers(content.map(memberOf)) };
}

/** A disk that holds these entries from the first on. */
export function durable(entries: readonly Entry[], mark: number): DurableState {
  return {
    promised: entries.at(-1)?.epoch ?? EPOCH_ZERO,
    mark,
    tail: entries,
    tailPrev: { position: POSITION_ZERO, hash: hashZero },
    lists: [],
    pending: [],
    lastOwn: null,
    known: [],
  };
}
