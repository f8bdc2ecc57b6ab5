/** The shell around the core: the end of a disk, and what is told of old entries after a restart. */
import { expect, test } from 'vitest';
import type { FinalEntry, NodeEvent } from '../../shared/model.ts';
import { ok } from '../../shared/result.ts';
import { createLogger } from '../log.ts';
import type { LogStore } from '../storage/log-store.ts';
import { memoryFolder, openMemoryLogStore } from '../storage/memory-log-store.ts';
import { createIdentity } from './identity.ts';
import { checkOptions, type PeerOptions } from './peer-options.ts';
import { Peer } from './peer.ts';

const options: PeerOptions = {
  data: '',
  id: 1,
  host: '127.0.0.1',
  port: 0,
  seeds: [],
  invite: null,
  key: null,
  name: null,
  keyStore: { put: () => Promise.resolve(ok(null)), keyFor: () => Promise.resolve(null) },
  log: createLogger({ level: 'error', write: () => {} }),
};
const facts = {
  selfId: 1,
  identitySeed: createIdentity().seed,
  name: 'peer_1',
  host: '127.0.0.1',
  port: 0,
  createdAt: 0,
};

function startWith(onEvent: (event: NodeEvent) => void): Parameters<typeof Peer.open>[0] {
  const checked = checkOptions(options);
  if (!checked.ok) throw new Error(checked.error.message);
  return { options, checked: checked.value, facts, onEvent };
}

const tail = { entries: 16, bytes: 1_000 };

test('what the store has made durable is accepted, also when it fails right after', async () => {
  const events: NodeEvent[] = [];
  let peer: Peer | null = null;
  let sent = false;
  /** The write that stores the message; after it the disk fails. */
  let last = Infinity;
  const memory = openMemoryLogStore(memoryFolder(), tail, {
    persisted: (upTo) => {
      peer?.persisted(upTo);
      if (upTo >= last) peer?.storeFailed({ code: 'DISK', message: 'full', fatal: true });
    },
    failed: () => {},
  });
  const store: LogStore = {
    ...memory,
    write: (write) => {
      if (write.ops.some(({ kind }) => kind === 'add-pending')) last = write.number;
      memory.write(write);
    },
  };
  const ended = new Promise<void>((resolve) => {
    const onEvent = (event: NodeEvent): void => {
      events.push(event);
      if (event.kind === 'closed') resolve();
      if (event.kind === 'status' && event.status.established && !sent) {
        sent = true;
        peer?.send('the last words', 7);
      }
    };
    void Peer.open(startWith(onEvent), store).then((opened) => {
      if (opened.ok) peer = opened.value;
    });
  });
  await ended;
  const told = events.flatMap((event) => {
    if (event.kind === 'accepted') return [`accepted ${String(event.ref)}`];
    return event.kind === 'error' ? [`error ${event.error.code} ${String(event.ref)}`] : [];
  });
  expect(told).toEqual(['accepted 7', 'error DISK undefined']);
});

test('what a members list changed is told when it becomes final, and after a restart', async () => {
  const folder = memoryFolder();
  async function openUntilFinal(): Promise<{ peer: Peer; told: FinalEntry[] }> {
    const told: FinalEntry[] = [];
    let peer: Peer | null = null;
    const handlers = { persisted: (upTo: number) => peer?.persisted(upTo), failed: () => {} };
    const store = openMemoryLogStore(folder, tail, handlers);
    const isFinal = new Promise<void>((resolve) => {
      const onEvent = (event: NodeEvent): void => {
        if (event.kind !== 'final') return;
        told.push(...event.entries);
        resolve();
      };
      void Peer.open(startWith(onEvent), store).then((opened) => {
        if (opened.ok) peer = opened.value;
      });
    });
    await isFinal;
    if (peer === null) throw new Error('it did not open');
    return { peer, told };
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
