/**
 * Reads from an open database what a replica starts from (ready.ts, DurableState) and who the folder
 * belongs to. The log's end comes packed, because it crosses to the main thread.
 */
import type { Database } from 'better-sqlite3';
import { must } from '../../shared/assert.ts';
import { ByteWriter } from '../../shared/protocol/byte-writer.ts';
import { decodeMembers, groupHash } from '../../shared/protocol/codec.ts';
import type { KnownPeer } from '../../shared/protocol/ready.ts';
import type { MembersList, Message, Position } from '../../shared/protocol/types.ts';
import { readUuid } from '../../shared/protocol/uuid.ts';
import { sha256 } from '../peer/identity.ts';
import type { FolderFacts, Stored, StoredGroup, TailLimits } from './log-store.ts';
import { type LogRow, unreadable, wholeRow } from './log-row.ts';
import type { StateRow } from './state-row.ts';
import { packRow, unpackEntries } from './write-codec.ts';

/** {@link Stored} with the tail as packed entries. */
export type PackedStored = Omit<Stored, 'durable'> & {
  readonly durable:
    | (Omit<NonNullable<Stored['durable']>, 'tail'> & {
        readonly tail: Uint8Array;
      })
    | null;
};

/** The other half of {@link loadStored}, on the main thread. */
export function unpackStored({ facts, group, durable }: PackedStored): Stored {
  if (durable === null) return { facts, group, durable };
  return { facts, group, durable: { ...durable, tail: unpackEntries(durable.tail) } };
}

/** Everything that a checked database holds. */
export function loadStored(db: Database, limits: TailLimits): PackedStored {
  const state = db.prepare('SELECT * FROM state').get() as StateRow;
  const facts = state.self_id === null ? null : factsOf(state, state.self_id);
  if (state.group_id === null) return { facts, group: null, durable: null };
  const group: StoredGroup = {
    id: plain(state.group_id),
    key: plain(must(state.group_key, 'a group has a key')),
  };
  const first = firstOfTail(db, state.mark, limits);
  return {
    facts,
    group,
    durable: {
      promised: { number: state.promised_number, leader: state.promised_leader },
      mark: state.mark,
      tail: packFrom(db, first),
      tailPrev: placeBefore(db, first, group),
      lists: lastLists(db),
      pending: loadPending(db),
      lastOwn: state.last_own === null ? null : uuid(state.last_own),
      known: loadKnown(db),
    },
  };
}

function factsOf(state: StateRow, selfId: number): FolderFacts {
  return {
    selfId,
    identitySeed: plain(must(state.identity_seed, 'a peer has a key')),
    name: must(state.name, 'a peer has a name'),
    host: must(state.host, 'a peer has a host'),
    port: must(state.port, 'a peer has a port'),
    createdAt: must(state.created_at, 'a peer was created some time'),
  };
}

/** Everything after the mark, and before it as much as is cheap to keep. */
function firstOfTail(db: Database, mark: number, limits: TailLimits): number {
  let bytes = 0;
  let first = mark + 1;
  const sizes = db
    .prepare('SELECT length(body) FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT ?')
    .pluck()
    .iterate(mark, limits.entries) as IterableIterator<number>;
  for (const size of sizes) {
    bytes += size;
    if (bytes > limits.bytes) break;
    first--;
  }
  return first;
}

function packFrom(db: Database, first: number): Uint8Array {
  const w = new ByteWriter();
  const rows = db
    .prepare(
      `SELECT seq, epoch_number, epoch_leader, kind, id, author, after, sent_at, body, hash
       FROM log WHERE seq >= ? ORDER BY seq`,
    )
    .raw()
    .iterate(first) as IterableIterator<LogRow>;
  for (const row of rows) packRow(w, wholeRow(row));
  return w.take();
}

function placeBefore(
  db: Database,
  first: number,
  group: StoredGroup,
): { position: Position; hash: Uint8Array } {
  if (first === 1) {
    const position = { epoch: { number: 0, leader: 0 }, seq: 0 };
    return { position, hash: new Uint8Array(groupHash(sha256, group.id)) };
  }
  const [number, leader, hash] = db
    .prepare('SELECT epoch_number, epoch_leader, hash FROM log WHERE seq = ?')
    .raw()
    .get(first - 1) as [number, number, Buffer];
  return { position: { epoch: { number, leader }, seq: first - 1 }, hash: plain(hash) };
}

function lastLists(db: Database): MembersList[] {
  const rows = db
    .prepare('SELECT seq, body FROM log WHERE kind = 1 ORDER BY seq DESC LIMIT 2')
    .raw()
    .all() as [number, Buffer][];
  return rows.reverse().map(([seq, body]) => {
    const members = decodeMembers(body);
    if (!members.ok) throw unreadable(`the members list at ${seq}: ${members.error}`);
    return { seq, members: members.value };
  });
}

/** The messages that wait, in order. */
export function loadPending(db: Database): Message[] {
  const rows = db
    .prepare('SELECT id, author, after, sent_at, body FROM pending ORDER BY ord')
    .raw()
    .all() as [Buffer, number, Buffer | null, number, Buffer][];
  return rows.map(([id, author, after, sentAt, body]) => ({
    id: uuid(id),
    author,
    after: after === null ? null : uuid(after),
    sentAt,
    body: plain(body),
  }));
}

/** What is known of other peers, by id. */
export function loadKnown(db: Database): KnownPeer[] {
  const rows = db.prepare('SELECT * FROM known ORDER BY id').all() as {
    readonly id: number;
    readonly key: Buffer;
    readonly name: string;
    readonly address: string;
    readonly bound: number;
    readonly promised_number: number;
    readonly promised_leader: number;
    readonly nonce: number;
  }[];
  return rows.map((row) => ({
    member: { id: row.id, key: plain(row.key), name: row.name, address: row.address },
    bound: row.bound === 1,
    promised: { number: row.promised_number, leader: row.promised_leader },
    nonce: row.nonce,
  }));
}

/** Buffers lose their class on the way to another thread; bytes that own their memory do not. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes);
}

function uuid(bytes: Buffer): string {
  const text = bytes.length === 16 ? readUuid(bytes, 0) : null;
  if (text === null) throw unreadable('a message id');
  return text;
}
