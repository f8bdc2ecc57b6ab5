/**
 * The shell around the core: what a founder keeps first, the end of a disk, at the start and later, and
 * what is told of old entries after a restart.
 */
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { FinalEntry, NodeError, NodeEvent } from '../../shared/model.ts';
import { ok } from '../../shared/result.ts';
import { createLogger } from '../log.ts';
import type { LogStore, StoreHandlers } from '../storage/log-store.ts';
import { memoryFolder, openMemoryLogStore } from '../storage/memory-log-store.ts';
import type { KeyStore } from './key-store.ts';
import type { PeerOptions } from './peer-options.ts';
import { openPeer, type Peer } from './peer.ts';

const full: NodeError = { code: 'DISK', message: 'full', fatal: true };

/** A store in memory, and what a test changes of it and of what it tells. */
interface Disk {
  readonly folder?: ReturnType<typeof memoryFolder>;
  readonly change?: (store: LogStore, handlers: StoreHandlers) => Partial<LogStore>;
  readonly persisted?: (upTo: number, handlers: StoreHandlers) => void;
}

/** A founder on a disk in memory. */
function optionsOn({ folder = memoryFolder(), change, persisted }: Disk, port = 0): PeerOptions {
  return {
    data: '',
    id: 1,
    host: '127.0.0.1',
    port,
    seeds: [],
    invite: null,
    key: null,
    name: null,
    keyStore: { put: () => Promise.resolve(ok(null)), keyFor: () => Promise.resolve(null) },
    openStore: ({ tail, handlers }) => {
      const store = openMemoryLogStore(folder, tail, {
        ...handlers,
        persisted: (upTo) => (persisted ?? handlers.persisted)(upTo, handlers),
      });
      return Promise.resolve(ok({ ...store, ...change?.(store, handlers) }));
    },
    log: createLogger({ level: 'error', write: () => {} }),
  };
}

/** The port on which this process can listen for a moment, `0` being any; null if it cannot. */
function canListen(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const bound = typeof address === 'object' ? (address?.port ?? null) : null;
      server.close(() => resolve(bound));
    });
  });
}

test('what the store has made durable is accepted, also when it fails right after', async () => {
  const events: NodeEvent[] = [];
  let peer: Peer | null = null;
  let sent = false;
  /** The write that stores the message; after it the disk fails. */
  let last = Infinity;
  const options = optionsOn({
    change: (memory) => ({
      write: (write) => {
        if (write.ops.some(({ kind }) => kind === 'add-pending')) last = write.number;
        memory.write(write);
      },
    }),
    persisted: (upTo, handlers) => {
      handlers.persisted(upTo);
      if (upTo >= last) handlers.failed(full);
    },
  });
  await new Promise<void>((resolve) => {
    const onEvent = (event: NodeEvent): void => {
      events.push(event);
      if (event.kind === 'closed') resolve();
      if (event.kind === 'status' && event.status.established && !sent) {
        sent = true;
        peer?.send('the last words', 7);
      }
    };
    void openPeer(options, onEvent).then((opened) => {
      if (opened.ok) peer = opened.value;
    });
  });
  const told = events.flatMap((event) => {
    if (event.kind === 'accepted') return [`accepted ${String(event.ref)}`];
    return event.kind === 'error' ? [`error ${event.error.code} ${String(event.ref)}`] : [];
  });
  expect(told).toEqual(['accepted 7', 'error DISK undefined']);
});

test.each(['its identity', 'its place', 'its group'])(
  'a disk that refuses %s at the start leaves no peer behind',
  async (what) => {
    const port = (await canListen(0)) ?? 0;
    let saves = 0;
    const change: Disk['change'] = (memory, handlers) => ({
      saveFacts: async (facts) => {
        saves += 1;
        if (what === (saves === 1 ? 'its identity' : 'its place')) handlers.failed(full);
        else await memory.saveFacts(facts);
      },
      saveGroup: async (group, first) => {
        if (what === 'its group') handlers.failed(full);
        else await memory.saveGroup(group, first);
      },
    });
    const events: NodeEvent[] = [];
    const opened = await openPeer(optionsOn({ change }, port), (event) => events.push(event));
    expect(opened).toEqual({ ok: false, error: full });
    expect(events).toEqual([]);
    expect(await canListen(port)).toBe(port);
  },
);

test('what a members list changed is told when it becomes final, and after a restart', async () => {
  const options = optionsOn({ folder: memoryFolder() });
  async function openUntilFinal(): Promise<{ peer: Peer; told: FinalEntry[] }> {
    const told: FinalEntry[] = [];
    let finals = (): void => {};
    const isFinal = new Promise<void>((resolve) => {
      finals = resolve;
    });
    const opened = await openPeer(options, (event) => {
      if (event.kind !== 'final') return;
      told.push(...event.entries);
      finals();
    });
    if (!opened.ok) throw new Error(opened.error.message);
    await isFinal;
    return { peer: opened.value, told };
  }
  const founder = { id: 1, name: 'peer_1' };
  const change = { joined: [founder], back: [], gone: [] };
  const first = await openUntilFinal();
  expect(first.told[0]).toMatchObject({ seq: 1, kind: 'members', change });
  await first.peer.close();
  const second = await openUntilFinal();
  expect(second.told[0]?.seq).toBeGreaterThan(1);
  expect(await second.peer.history(1, 1)).toMatchObject([{ seq: 1, change }]);
  await second.peer.close();
});

test('the key of a new group is kept before anybody can reach its founder and look for it', async () => {
  const port = (await canListen(0)) ?? 0;
  let free: number | null = null;
  const keyStore: KeyStore = {
    put: async () => {
      free = await canListen(port);
      return ok(null);
    },
    keyFor: () => Promise.resolve(null),
  };
  const opened = await openPeer({ ...optionsOn({}, port), keyStore }, () => {});
  if (!opened.ok) throw new Error(opened.error.message);
  expect(free).toBe(port);
  await opened.value.close();
});
