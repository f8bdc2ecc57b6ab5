/**
 * The main thread's side of the SQLite store: packs writes, keeps those that nothing waits for until
 * one comes that something does, and hands everything to the storage thread in one FIFO queue.
 */
import { Worker } from 'node:worker_threads';
import type { NodeError } from '../../shared/model.ts';
import { ByteWriter } from '../../shared/protocol/byte-writer.ts';
import type { Write } from '../../shared/protocol/ready.ts';
import type { Entry, MessageId } from '../../shared/protocol/types.ts';
import { readUuid, UUID_BYTES } from '../../shared/protocol/uuid.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import type {
  EntryRange,
  FolderFacts,
  LogStore,
  Stored,
  StoredGroup,
  StoreHandlers,
  StoreOptions,
} from './log-store.ts';
import { unpackStored } from './stored-state.ts';
import type { Reply, Request } from './storage-server.ts';
import type { WorkerStart } from './storage-worker.ts';
import { packIds, packOp, unpackEntries } from './write-codec.ts';

/** How long a write that nothing waits for may stay in memory, milliseconds. */
const LAZY_MS = 50;

const NOTHING = new Uint8Array(0);

/** Opens a data folder. Codes: BAD_OPTION, DATA_IN_USE, CORRUPT, VERSION, DISK. */
export async function openSqliteLogStore(
  options: StoreOptions,
): Promise<Result<LogStore, NodeError>> {
  const { folder, tail, handlers } = options;
  const start: WorkerStart = { folder, tail };
  const worker = new Worker(workerUrl(), {
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_MB },
  });
  return new Promise((resolve) => {
    // A thread that ends by an exception met a bug of ours; the process ends with it.
    worker.once('error', (error) => {
      throw error;
    });
    worker.once('message', (reply: Reply) => {
      if (reply.kind === 'opened') {
        resolve(ok(new SqliteLogStore(worker, unpackStored(reply.stored), handlers)));
      } else if (reply.kind === 'refused') {
        worker.once('exit', () => resolve(err(reply.error)));
      }
    });
  });
}

/** Young generation of the worker's heap, MB: it handles packed bytes and makes few objects. */
const WORKER_YOUNG_MB = 4;

/** The worker lies beside this module, as source in development and as a bundle in dist. */
function workerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = `./storage-worker.${extension}`;
  return new URL(file, import.meta.url);
}

class SqliteLogStore implements LogStore {
  readonly stored: Stored;
  readonly #worker: Worker;
  readonly #handlers: StoreHandlers;
  readonly #exited: Promise<void>;
  readonly #packer = new ByteWriter();
  readonly #answers = new Map<number, (bytes: Uint8Array) => void>();
  #tokens = 0;
  /** Highest number among packed writes that were not handed over; 0 without any. */
  #packedUpTo = 0;
  #lazyTimer: NodeJS.Timeout | null = null;
  #ended = false;
  #closing: Promise<void> | null = null;

  constructor(worker: Worker, stored: Stored, handlers: StoreHandlers) {
    this.stored = stored;
    this.#worker = worker;
    this.#handlers = handlers;
    this.#packer.reset();
    worker.on('message', (reply: Reply) => this.#onReply(reply));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => resolve());
    });
  }

  async saveFacts(facts: FolderFacts): Promise<void> {
    await this.#ask((token) => ({ kind: 'save-facts', token, facts }));
  }

  async saveGroup(group: StoredGroup, first: Entry | null): Promise<void> {
    const w = new ByteWriter();
    if (first !== null) {
      packOp(w, { kind: 'promise', epoch: first.epoch });
      packOp(w, { kind: 'append', entries: [first] });
    }
    const packed = w.take();
    await this.#ask((token) => ({ kind: 'save-group', token, group, first: packed }));
  }

  write(write: Write): void {
    if (this.#ended) return;
    for (const op of write.ops) packOp(this.#packer, op);
    this.#packedUpTo = write.number;
    if (write.urgent) this.#handOver();
    else this.#lazyTimer ??= setTimeout(() => this.#handOver(), LAZY_MS);
  }

  async findIds(ids: readonly MessageId[]): Promise<readonly MessageId[]> {
    const packed = packIds(ids);
    const found = await this.#ask((token) => ({ kind: 'find-ids', token, ids: packed }));
    const texts: MessageId[] = [];
    for (let at = 0; at < found.length; at += UUID_BYTES) {
      const text = readUuid(found, at);
      if (text !== null) texts.push(text);
    }
    return texts;
  }

  async readEntries(range: EntryRange): Promise<readonly Entry[]> {
    return unpackEntries(await this.#ask((token) => ({ kind: 'read-entries', token, range })));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async abandon(): Promise<void> {
    this.#end();
    await this.#worker.terminate();
  }

  async #close(): Promise<void> {
    this.#handOver();
    this.#post({ kind: 'close' });
    await this.#exited;
    this.#end();
  }

  #ask(request: (token: number) => Request): Promise<Uint8Array> {
    if (this.#ended || this.#closing !== null) return Promise.resolve(NOTHING);
    this.#handOver();
    this.#tokens += 1;
    const token = this.#tokens;
    return new Promise((resolve) => {
      this.#answers.set(token, resolve);
      this.#post(request(token));
    });
  }

  #handOver(): void {
    if (this.#lazyTimer !== null) clearTimeout(this.#lazyTimer);
    this.#lazyTimer = null;
    if (this.#packedUpTo === 0) return;
    const packed = this.#packer.take();
    this.#packer.reset();
    this.#post({ kind: 'write', upTo: this.#packedUpTo, packed }, packed);
    this.#packedUpTo = 0;
  }

  #post(request: Request, owned?: Uint8Array): void {
    const transfer = owned === undefined ? [] : [owned.buffer as ArrayBuffer];
    this.#worker.postMessage(request, transfer);
  }

  #onReply(reply: Reply): void {
    switch (reply.kind) {
      case 'persisted':
        this.#handlers.persisted(reply.upTo);
        return;
      case 'answered': {
        const resolve = this.#answers.get(reply.token);
        this.#answers.delete(reply.token);
        resolve?.(reply.bytes);
        return;
      }
      case 'failed':
        this.#end();
        this.#handlers.failed(reply.error);
        return;
      case 'opened':
      case 'refused':
        return;
    }
  }

  /** Nothing is stored from now on; whoever waits for an answer gets an empty one. */
  #end(): void {
    this.#ended = true;
    for (const resolve of this.#answers.values()) resolve(NOTHING);
    this.#answers.clear();
  }
}
