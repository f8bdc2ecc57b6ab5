/**
 * What every LogStore must do. The suite opens, closes and reopens one folder; `open` is given by each
 * implementation's own test file.
 */
import { expect, test } from 'vitest';
import { chainHashWith, encodeMembers, groupHash } from '../../shared/protocol/codec.ts';
import { framedBytes } from '../../shared/protocol/entry-codec.ts';
import type { Seq } from '../../shared/model.ts';
import type { WriteOp } from '../../shared/protocol/ready.ts';
import type {
  Entry,
  EntryKind,
  Epoch,
  Message,
  UnhashedEntry,
} from '../../shared/protocol/types.ts';
import { sha256 } from '../peer/identity.ts';
import type { FolderFacts, LogStore, StoredGroup, StoreHandlers, TailLimits } from './log-store.ts';

/** Opens a store on the folder of one test. */
export type OpenStore = (handlers: StoreHandlers, tail: TailLimits) => Promise<LogStore>;

export const wideTail: TailLimits = { entries: 1_000, bytes: 1_000_000 };

export const group: StoredGroup = {
  id: new Uint8Array(16).fill(7),
  key: new Uint8Array(32).fill(8),
};

export const facts: FolderFacts = {
  selfId: 3,
  identitySeed: new Uint8Array(32).fill(9),
  name: 'Ada',
  host: '127.0.0.1',
  port: 6003,
  createdAt: 1_700_000_000_000,
};

const chainHash = chainHashWith(sha256);

/** A UUIDv7 with this number in it. */
export function idOf(n: number): string {
  return `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** Entries 1 … count of one log: entry 1 lists the members, every tenth is a leader's, others messages. */
export function makeLog(
  count: number,
  options: { epochOf?: (seq: Seq) => Epoch; salt?: number } = {},
): Entry[] {
  const { epochOf = () => ({ number: 1, leader: 3 }), salt = 0 } = options;
  const entries: Entry[] = [];
  let hash = hashZero();
  for (let seq = 1; seq <= count; seq++) {
    const kind: EntryKind = seq === 1 ? 'members' : seq % 10 === 0 ? 'leader' : 'message';
    const member = { id: 3, key: new Uint8Array(32).fill(1), name: 'Ada', address: 'a:1' };
    const body =
      kind === 'members'
        ? encodeMembers([member])
        : kind === 'leader'
          ? new Uint8Array(0)
          : new TextEncoder().encode(`text ${seq} ${salt}`);
    const unhashed: UnhashedEntry = {
      seq,
      epoch: seq === 1 ? { number: 0, leader: 3 } : epochOf(seq),
      kind,
      id: idOf(seq + salt),
      author: 3,
      after: kind === 'message' && seq > 2 ? idOf(seq + salt - 1) : null,
      sentAt: 1_700_000_000_000 + seq,
      body,
    };
    // A plain array: a Buffer would not equal what comes back.
    hash = new Uint8Array(chainHash(hash, unhashed));
    entries.push({ ...unhashed, hash });
  }
  return entries;
}

/** The hash before entry 1, as a plain array. */
function hashZero(): Uint8Array {
  return new Uint8Array(groupHash(sha256, group.id));
}

/** A message that is not in any log. */
export function messageOf(n: number): Message {
  return {
    id: idOf(n),
    author: 2,
    after: null,
    sentAt: n,
    body: new TextEncoder().encode(`m${n}`),
  };
}

/** An open store that counts its writes and can wait for them. */
export interface Driver {
  readonly store: LogStore;
  /** Queues one urgent write. */
  readonly write: (...ops: WriteOp[]) => void;
  /** Resolves once everything queued so far is durable. */
  readonly durable: () => Promise<void>;
}

/** Opens a store and drives it. */
export async function drive(open: OpenStore, tail = wideTail): Promise<Driver> {
  let written = 0;
  let upTo = 0;
  let wake: () => void = () => {};
  const store = await open(
    {
      persisted: (number) => {
        expect(number).toBeGreaterThan(upTo);
        upTo = number;
        wake();
      },
      failed: (error) => {
        throw new Error(error.message);
      },
    },
    tail,
  );
  return {
    store,
    write: (...ops) => {
      written += 1;
      store.write({ number: written, ops, urgent: true });
    },
    durable: async () => {
      while (upTo < written) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

async function openFounded(open: OpenStore, log: readonly Entry[]): Promise<Driver> {
  const driver = await drive(open);
  await driver.store.saveFacts(facts);
  await driver.store.saveGroup(group, log[0] ?? null);
  return driver;
}

async function reopen(open: OpenStore, before: Driver, tail = wideTail): Promise<Driver> {
  await before.store.close();
  return drive(open, tail);
}

/** Adds the suite; `fresh` gives the opener of a new folder for each test. */
export function testStore(fresh: () => OpenStore): void {
  test('a fresh folder holds nothing', async () => {
    const { store } = await drive(fresh());
    expect(store.stored).toEqual({ facts: null, group: null, durable: null });
    await store.close();
  });

  test('a joiner knows who it is before it knows the group', async () => {
    const open = fresh();
    const first = await drive(open);
    await first.store.saveFacts(facts);
    const second = await reopen(open, first);
    expect(second.store.stored).toEqual({ facts, group: null, durable: null });
    await second.store.saveGroup(group, null);
    const third = await reopen(open, second);
    expect(third.store.stored).toEqual({
      facts,
      group,
      durable: {
        promised: { number: 0, leader: 0 },
        mark: 0,
        tail: [],
        tailPrev: {
          position: { epoch: { number: 0, leader: 0 }, seq: 0 },
          hash: hashZero(),
        },
        lists: [],
        pending: [],
        lastOwn: null,
        known: [],
      },
    });
    await third.store.close();
  });

  test('everything written is there again, in order', async () => {
    const open = fresh();
    const log = makeLog(40);
    const first = await openFounded(open, log);
    const known = {
      member: { id: 9, key: new Uint8Array(32).fill(4), name: 'Zoë', address: '[::1]:6001' },
      bound: true,
      promised: { number: 5, leader: 9 },
      nonce: 77,
    };
    first.write(
      { kind: 'promise', epoch: { number: 1, leader: 3 } },
      { kind: 'append', entries: log.slice(1, 33) },
      { kind: 'append', entries: log.slice(33) },
      { kind: 'mark', seq: 30 },
      { kind: 'last-own', id: idOf(39) },
      { kind: 'know', peer: { ...known, nonce: 1 } },
      { kind: 'know', peer: known },
    );
    await first.durable();
    const second = await reopen(open, first);
    const { durable } = second.store.stored;
    expect(durable).toEqual({
      promised: { number: 1, leader: 3 },
      mark: 30,
      tail: log,
      tailPrev: {
        position: { epoch: { number: 0, leader: 0 }, seq: 0 },
        hash: hashZero(),
      },
      lists: [
        {
          seq: 1,
          members: [{ id: 3, key: new Uint8Array(32).fill(1), name: 'Ada', address: 'a:1' }],
        },
      ],
      pending: [],
      lastOwn: idOf(39),
      known: [known],
    });
    await second.store.close();
  });

  test('the tail has everything after the mark and a bounded part before it', async () => {
    const open = fresh();
    const log = makeLog(60);
    const first = await openFounded(open, log);
    first.write(
      { kind: 'promise', epoch: { number: 1, leader: 3 } },
      { kind: 'append', entries: log.slice(1) },
      { kind: 'mark', seq: 50 },
    );
    const byCount = await reopen(open, first, { entries: 5, bytes: 1_000 });
    const fifth = byCount.store.stored.durable;
    expect(fifth?.tail).toEqual(log.slice(45));
    expect(fifth?.tailPrev).toEqual({
      position: { epoch: log[44]?.epoch, seq: 45 },
      hash: log[44]?.hash,
    });
    const byBytes = await reopen(open, byCount, { entries: 50, bytes: 20 });
    expect(byBytes.store.stored.durable?.tail).toEqual(log.slice(47));
    await byBytes.store.close();
  });

  test('a cut takes the open end, and its replacement follows', async () => {
    const open = fresh();
    const log = makeLog(12);
    const other = makeLog(15, { epochOf: () => ({ number: 2, leader: 3 }), salt: 500 });
    const first = await openFounded(open, log);
    first.write(
      { kind: 'promise', epoch: { number: 2, leader: 3 } },
      { kind: 'append', entries: log.slice(1) },
      { kind: 'mark', seq: 8 },
    );
    first.write({ kind: 'cut', after: 8 }, { kind: 'append', entries: other.slice(8) });
    await first.durable();
    expect(await first.store.readEntries({ from: 1, to: 99, bytesMax: 9_999 })).toEqual([
      ...log.slice(0, 8),
      ...other.slice(8),
    ]);
    await first.store.close();
  });

  test('pending keeps its order: front, back, known ids where they are', async () => {
    const open = fresh();
    const first = await openFounded(open, makeLog(1));
    const add = (at: 'front' | 'back', ...numbers: number[]): WriteOp => ({
      kind: 'add-pending',
      messages: numbers.map(messageOf),
      at,
    });
    first.write(add('back', 10, 11, 12));
    first.write(add('front', 1, 2, 11));
    first.write(add('back', 10, 13), { kind: 'remove-pending', ids: [idOf(12), idOf(99)] });
    const second = await reopen(open, first);
    expect(second.store.stored.durable?.pending).toEqual([1, 2, 10, 11, 13].map(messageOf));
    second.write(add('front', 0), add('back', 14));
    const many = Array.from({ length: 100 }, (_, i) => 1_000 + i);
    second.write(add('back', ...many));
    second.write({ kind: 'remove-pending', ids: many.slice(0, 90).map(idOf) });
    const third = await reopen(open, second);
    expect(third.store.stored.durable?.pending).toEqual(
      [0, 1, 2, 10, 11, 13, 14, ...many.slice(90)].map(messageOf),
    );
    await third.store.close();
  });

  test('reads see what was queued before them, and stop at their limits', async () => {
    const open = fresh();
    const log = makeLog(30);
    const { store, write } = await openFounded(open, log);
    write(
      { kind: 'promise', epoch: { number: 1, leader: 3 } },
      { kind: 'append', entries: log.slice(1) },
    );
    expect(await store.findIds([idOf(5), idOf(400), idOf(30)])).toEqual([idOf(5), idOf(30)]);
    expect(await store.readEntries({ from: 3, to: 6, bytesMax: 9_999 })).toEqual(log.slice(2, 6));
    expect(await store.readEntries({ from: 25, to: 90, bytesMax: 9_999 })).toEqual(log.slice(24));
    expect(await store.readEntries({ from: 2, to: 30, bytesMax: 1 })).toEqual([log[1]]);
    expect(await store.readEntries({ from: 31, to: 40, bytesMax: 1 })).toEqual([]);
    const lists = { only: 'members', bytesMax: 1 } as const;
    expect(await store.readEntries({ from: 1, to: 30, ...lists })).toEqual([log[0]]);
    expect(await store.readEntries({ from: 2, to: 30, ...lists })).toEqual([]);
    // Short messages count as what they take in a frame: an ENTRIES frame has a limit.
    const three = log.slice(1, 4).reduce((sum, { body }) => sum + framedBytes(body), 0);
    expect(await store.readEntries({ from: 2, to: 30, bytesMax: three })).toEqual(log.slice(1, 4));
    await store.close();
  });

  test('a write that nothing waits for is stored without being asked for', async () => {
    const open = fresh();
    const log = makeLog(2);
    let persisted: (upTo: number) => void = () => {};
    const stored = new Promise<number>((resolve) => {
      persisted = resolve;
    });
    const failed = (): void => {
      throw new Error('nothing may fail here');
    };
    const store = await open({ persisted: (upTo) => persisted(upTo), failed }, wideTail);
    await store.saveFacts(facts);
    await store.saveGroup(group, log[0] ?? null);
    store.write({ number: 1, ops: [{ kind: 'mark', seq: 1 }], urgent: false });
    expect(await stored).toBe(1);
    await store.close();
    const again = await drive(open);
    expect(again.store.stored.durable?.mark).toBe(1);
    await again.store.close();
  });

  test('closing stores what is queued, and reads answer with nothing afterwards', async () => {
    const open = fresh();
    const first = await openFounded(open, makeLog(1));
    first.write({ kind: 'add-pending', messages: [messageOf(5)], at: 'back' });
    const closing = first.store.close();
    expect(await first.store.findIds([idOf(1)])).toEqual([]);
    await closing;
    await first.store.close();
    const second = await drive(open);
    expect(second.store.stored.durable?.pending).toEqual([messageOf(5)]);
    await second.store.close();
  });

  test('an abandoned store is closed at once, and its folder free', async () => {
    const open = fresh();
    const first = await openFounded(open, makeLog(1));
    await first.store.abandon();
    await first.store.close();
    const second = await drive(open);
    expect(second.store.stored.group).toEqual(group);
    await second.store.close();
  });
}
