/** The shell around the core, where only the order of events decides: here, the end of a disk. */
import { expect, test } from 'vitest';
import type { NodeEvent } from '../../shared/model.ts';
import { ok } from '../../shared/result.ts';
import { createLogger } from '../log.ts';
import type { LogStore } from '../storage/log-store.ts';
import { memoryFolder, openMemoryLogStore } from '../storage/memory-log-store.ts';
import { createIdentity } from './identity.ts';
import { checkOptions, type PeerOptions } from './peer-options.ts';
import { Peer } from './peer.ts';

test('what the store has made durable is accepted, also when it fails right after', async () => {
  const events: NodeEvent[] = [];
  let peer: Peer | null = null;
  let sent = false;
  /** The write that stores the message; after it the disk fails. */
  let last = Infinity;
  const memory = openMemoryLogStore(
    memoryFolder(),
    { entries: 16, bytes: 1_000 },
    {
      persisted: (upTo) => {
        peer?.persisted(upTo);
        if (upTo >= last) peer?.storeFailed({ code: 'DISK', message: 'full', fatal: true });
      },
      failed: () => {},
    },
  );
  const store: LogStore = {
    ...memory,
    write: (write) => {
      if (write.ops.some(({ kind }) => kind === 'add-pending')) last = write.number;
      memory.write(write);
    },
  };
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
  const checked = checkOptions(options);
  if (!checked.ok) throw new Error(checked.error.message);
  const facts = {
    selfId: 1,
    identitySeed: createIdentity().seed,
    name: 'peer_1',
    host: '127.0.0.1',
    port: 0,
    createdAt: 0,
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
    void Peer.open({ options, checked: checked.value, facts, onEvent }, store).then((opened) => {
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
