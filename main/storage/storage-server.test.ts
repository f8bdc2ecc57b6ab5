/** What the storage thread says and does after a disk has refused once. */
import { expect, test } from 'vitest';
import type { NodeError } from '../../shared/model.ts';
import { type Reply, type Request, type ServedDatabase, StorageServer } from './storage-server.ts';
import { facts, group } from './store.acceptance.ts';

const full: NodeError = { code: 'DISK', message: 'full', fatal: true };
const packed = new Uint8Array(1);

/** A server on a disk that refuses what it is told to, and what it did and said. */
function serve(refuses: (attempt: number) => boolean, refusesCopy = false) {
  const done: string[] = [];
  const said: Reply[] = [];
  let attempts = 0;
  const database: ServedDatabase = {
    handle: undefined as never,
    lastSeq: 0,
    transaction: (work) => {
      attempts += 1;
      if (refuses(attempts)) return full;
      work();
      return null;
    },
    apply: () => done.push('write'),
    saveFacts: () => done.push('facts'),
    saveGroup: () => done.push('group'),
    findIds: () => new Uint8Array(0),
    readEntries: () => new Uint8Array(0),
    checkpoint: () => (refusesCopy ? full : null),
    close: () => done.push('close'),
  };
  const server = new StorageServer(database, 'folder', (reply) => said.push(reply));
  return { server, done, said };
}

function write(upTo: number): Request {
  return { kind: 'write', upTo, packed };
}

test('a batch is one transaction and one answer', () => {
  const { server, done, said } = serve(() => false);
  expect(server.run([write(1), write(2), { kind: 'close' }])).toBe('closed');
  expect(done).toEqual(['write', 'write', 'close']);
  expect(said).toEqual([{ kind: 'persisted', upTo: 2 }]);
});

test('after a refused write nothing is written or called stored, though the disk has room again', () => {
  const { server, done, said } = serve((attempt) => attempt === 1);
  server.run([write(1)]);
  server.run([write(2)]);
  server.run([{ kind: 'save-facts', token: 1, facts }]);
  server.run([{ kind: 'read-entries', token: 2, range: { from: 1, to: 1, bytesMax: 1 } }]);
  expect(server.run([write(3), { kind: 'close' }])).toBe('closed');
  expect(done).toEqual(['close']);
  expect(said).toEqual([{ kind: 'failed', error: full }]);
});

test('who this is counts as stored once it is in the database file, too', () => {
  const { server, done, said } = serve(() => false, true);
  server.run([{ kind: 'save-group', token: 1, group, first: new Uint8Array(0) }, write(1)]);
  server.run([write(2)]);
  expect(done).toEqual(['group', 'write', 'write']);
  expect(said).toEqual([{ kind: 'failed', error: full }]);
});
