/**
 * A store without a disk, for tests of what is built on one: same contract, nothing survives the
 * process. What was stored lives in a {@link MemoryFolder}, so that a peer can be "restarted" on it.
 */
import { assert } from '../../shared/assert.ts';
import { decodeMembers, groupHash } from '../../shared/protocol/codec.ts';
import { framedBytes } from '../../shared/protocol/entry-codec.ts';
import type { KnownPeer, Write, WriteOp } from '../../shared/protocol/ready.ts';
import type { Entry, Epoch, Message, MessageId } from '../../shared/protocol/types.ts';
import { sha256 } from '../peer/identity.ts';
import type {
  EntryRange,
  FolderFacts,
  LogStore,
  Stored,
  StoredGroup,
  StoreHandlers,
  TailLimits,
} from './log-store.ts';

/** What a memory store keeps between openings. */
export interface MemoryFolder {
  facts: FolderFacts | null;
  group: StoredGroup | null;
  log: Entry[];
  pending: Message[];
  promised: Epoch;
  mark: number;
  lastOwn: MessageId | null;
  known: Map<number, KnownPeer>;
}

/** A fresh folder. */
export function memoryFolder(): MemoryFolder {
  return {
    facts: null,
    group: null,
    log: [],
    pending: [],
    promised: { number: 0, leader: 0 },
    mark: 0,
    lastOwn: null,
    known: new Map(),
  };
}

/** Opens a store on a folder in memory. */
export function openMemoryLogStore(
  folder: MemoryFolder,
  tail: TailLimits,
  handlers: StoreHandlers,
): LogStore {
  let closed = false;
  const later = async <T>(work: () => T, otherwise: T): Promise<T> => {
    await Promise.resolve();
    return closed ? otherwise : work();
  };
  return {
    stored: storedIn(folder, tail),
    saveFacts: (facts) =>
      later(() => {
        folder.facts = facts;
      }, undefined),
    saveGroup: (group, first) =>
      later(() => {
        folder.group = group;
        if (first === null) return;
        folder.promised = first.epoch;
        folder.log.push(first);
      }, undefined),
    write: (write: Write) => {
      if (closed) return;
      for (const op of write.ops) apply(folder, op);
      queueMicrotask(() => {
        if (!closed) handlers.persisted(write.number);
      });
    },
    findIds: (ids) => {
      const stored = new Set(folder.log.map(({ id }) => id));
      return later(() => ids.filter((id) => stored.has(id)), []);
    },
    readEntries: (range) => {
      const entries = slice(folder.log, range);
      return later(() => entries, []);
    },
    close: async () => {
      await Promise.resolve();
      closed = true;
    },
    abandon: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}

function slice(log: readonly Entry[], { from, to, only, bytesMax }: EntryRange): Entry[] {
  const entries: Entry[] = [];
  let bytes = 0;
  for (const entry of log.slice(from - 1, to)) {
    if (only !== undefined && entry.kind !== only) continue;
    bytes += framedBytes(entry.body);
    if (bytes > bytesMax && entries.length > 0) break;
    entries.push(entry);
  }
  return entries;
}

function apply(folder: MemoryFolder, op: WriteOp): void {
  switch (op.kind) {
    case 'cut':
      assert(op.after >= folder.mark, 'final entries are never cut');
      folder.log.length = Math.min(folder.log.length, op.after);
      return;
    case 'append':
      for (const entry of op.entries) {
        assert(entry.seq === folder.log.length + 1, 'stored entries have no gap');
        folder.log.push(entry);
      }
      return;
    case 'add-pending': {
      const held = new Set(folder.pending.map(({ id }) => id));
      const added = op.messages.filter(({ id }) => !held.has(id));
      const { pending } = folder;
      folder.pending = op.at === 'front' ? [...added, ...pending] : [...pending, ...added];
      return;
    }
    case 'remove-pending':
      folder.pending = folder.pending.filter(({ id }) => !op.ids.includes(id));
      return;
    case 'promise':
      folder.promised = op.epoch;
      return;
    case 'mark':
      folder.mark = op.seq;
      return;
    case 'last-own':
      folder.lastOwn = op.id;
      return;
    case 'know':
      folder.known.set(op.peer.member.id, op.peer);
      return;
  }
}

function storedIn(folder: MemoryFolder, tail: TailLimits): Stored {
  const { facts, group, log, mark } = folder;
  if (group === null) return { facts, group, durable: null };
  let first = mark;
  let bytes = 0;
  while (first > 0 && mark - first < tail.entries) {
    bytes += (log[first - 1] as Entry).body.length;
    if (bytes > tail.bytes) break;
    first--;
  }
  const before = log[first - 1];
  const lists = log.flatMap(({ kind, seq, body }) => {
    const members = kind === 'members' ? decodeMembers(body) : null;
    return members?.ok === true ? [{ seq, members: members.value }] : [];
  });
  return {
    facts,
    group,
    durable: {
      promised: folder.promised,
      mark,
      tail: log.slice(first),
      tailPrev: {
        position: { epoch: before?.epoch ?? { number: 0, leader: 0 }, seq: first },
        hash: before?.hash ?? new Uint8Array(groupHash(sha256, group.id)),
      },
      lists: lists.slice(-2),
      pending: [...folder.pending],
      lastOwn: folder.lastOwn,
      known: [...folder.known.values()].sort((a, b) => a.member.id - b.member.id),
    },
  };
}
