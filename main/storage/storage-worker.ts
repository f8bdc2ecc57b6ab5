/**
 * The storage thread: SQLite runs here, so that an fsync never delays a heartbeat. It opens the folder and
 * collects requests: whatever was queued while one transaction ran goes into the next.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { must } from '../../shared/assert.ts';
import { corrupt, LogDatabase } from './database.ts';
import type { TailLimits } from './log-store.ts';
import { type Reply, type Request, StorageServer } from './storage-server.ts';

/** What the main thread passes when it starts this one. */
export interface WorkerStart {
  readonly folder: string;
  readonly tail: TailLimits;
}

/** Bytes of writes after which a transaction is committed though more waits: bounds one fsync. */
const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024;

/** Opens the folder and serves requests until `close`. */
function serve(): void {
  const port = must(parentPort, 'this file runs as a worker');
  const { folder, tail } = workerData as WorkerStart;
  const reply = (message: Reply): void => port.postMessage(message);
  const opened = LogDatabase.open(folder);
  const stored = opened.ok ? opened.value.load(tail) : opened;
  if (!opened.ok || !stored.ok) {
    if (opened.ok) opened.value.close();
    reply({ kind: 'refused', error: stored.ok ? corrupt(folder, 'unreadable') : stored.error });
    port.close();
    return;
  }
  const server = new StorageServer(opened.value, folder, reply);
  port.on('message', (first: Request) => {
    const batch = [first];
    let bytes = sizeOf(first);
    while (bytes < TRANSACTION_BYTES_MAX) {
      const next = receiveMessageOnPort(port)?.message as Request | undefined;
      if (next === undefined) break;
      batch.push(next);
      bytes += sizeOf(next);
    }
    if (server.run(batch) === 'closed') port.close();
  });
  reply({ kind: 'opened', stored: stored.value });
  server.checkInBackground();
}

function sizeOf(request: Request): number {
  return request.kind === 'write' ? request.packed.length : 0;
}

serve();
