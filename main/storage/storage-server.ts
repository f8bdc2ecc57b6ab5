/**
 * What the storage thread does with requests. Group commit: the writes of a batch go into one
 * transaction, and one reply covers them all. After the first failure nothing is written any more, and
 * nothing is called stored.
 */
import { assertNever } from '../../shared/assert.ts';
import type { NodeError } from '../../shared/model.ts';
import { BackgroundCheck } from './damage.ts';
import { corrupt, type LogDatabase, readingError, storageError } from './database.ts';
import type { EntryRange, FolderFacts, StoredGroup } from './log-store.ts';
import type { PackedStored } from './stored-state.ts';

/** Requests, in the one FIFO queue. `token` comes back with the answer. */
export type Request =
  | { readonly kind: 'write'; readonly upTo: number; readonly packed: Uint8Array }
  | { readonly kind: 'save-facts'; readonly token: number; readonly facts: FolderFacts }
  | {
      readonly kind: 'save-group';
      readonly token: number;
      readonly group: StoredGroup;
      /** A founder's first entry and its promise, packed; empty for a joiner. */
      readonly first: Uint8Array;
    }
  | { readonly kind: 'find-ids'; readonly token: number; readonly ids: Uint8Array }
  | { readonly kind: 'read-entries'; readonly token: number; readonly range: EntryRange }
  | { readonly kind: 'close' };

/** Answers. */
export type Reply =
  | { readonly kind: 'opened'; readonly stored: PackedStored }
  | { readonly kind: 'refused'; readonly error: NodeError }
  | { readonly kind: 'persisted'; readonly upTo: number }
  | { readonly kind: 'answered'; readonly token: number; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly error: NodeError };

/** Pause between two steps of the background check, milliseconds: a tenth of one core. */
const CHECK_PAUSE_MS = 10;

const NOTHING = new Uint8Array(0);

/** What it needs of a database. */
export type ServedDatabase = Pick<
  LogDatabase,
  | 'transaction'
  | 'apply'
  | 'checkpoint'
  | 'saveFacts'
  | 'saveGroup'
  | 'findIds'
  | 'readEntries'
  | 'handle'
  | 'lastSeq'
  | 'close'
>;

/** Serves one database until `close`. */
export class StorageServer {
  readonly #db: ServedDatabase;
  readonly #folder: string;
  readonly #reply: (message: Reply) => void;
  #checkTimer: NodeJS.Timeout | null = null;
  #failed = false;

  constructor(db: ServedDatabase, folder: string, reply: (message: Reply) => void) {
    this.#db = db;
    this.#folder = folder;
    this.#reply = reply;
  }

  /** Carries out a batch: its writes in one transaction, and answers once that is durable. */
  run(batch: readonly Request[]): 'open' | 'closed' {
    const answers: Extract<Reply, { kind: 'answered' }>[] = [];
    let upTo = 0;
    const work = (): void => {
      for (const request of batch) {
        if (request.kind === 'write') {
          this.#db.apply(asBuffer(request.packed));
          upTo = request.upTo;
        } else if (request.kind !== 'close') {
          const bytes = this.#answer(request);
          answers.push({ kind: 'answered', token: request.token, bytes });
        }
      }
    };
    const closes = batch.some(({ kind }) => kind === 'close');
    if (!this.#failed) this.#perform(batch.some(isWrite), work);
    if (!this.#failed && batch.some(isIdentity)) {
      const error = this.#db.checkpoint();
      if (error !== null) this.#fail(error);
    }
    if (!this.#failed) {
      if (upTo > 0) this.#reply({ kind: 'persisted', upTo });
      for (const answer of answers) this.#reply(answer);
    }
    if (!closes) return 'open';
    this.#close();
    return 'closed';
  }

  /** Looks through the older part of the log, a little at a time. */
  checkInBackground(): void {
    const check = new BackgroundCheck(this.#db.handle, this.#db.lastSeq);
    const step = (): void => {
      let damage: string | null = null;
      try {
        const result = check.step();
        if (result.kind === 'done') return;
        if (result.kind === 'damaged') damage = result.what;
      } catch (error) {
        this.#fail(readingError(error, this.#folder));
        return;
      }
      if (damage !== null) this.#fail(corrupt(this.#folder, damage));
      else this.#checkTimer = setTimeout(step, CHECK_PAUSE_MS);
    };
    this.#checkTimer = setTimeout(step, CHECK_PAUSE_MS);
  }

  #perform(writes: boolean, work: () => void): void {
    if (writes) {
      const error = this.#db.transaction(work);
      if (error !== null) this.#fail(error);
      return;
    }
    try {
      work();
    } catch (error) {
      this.#fail(storageError(error, this.#folder));
    }
  }

  #answer(request: Exclude<Request, { kind: 'write' | 'close' }>): Uint8Array {
    switch (request.kind) {
      case 'save-facts':
        this.#db.saveFacts(request.facts);
        return NOTHING;
      case 'save-group':
        this.#db.saveGroup(request.group);
        this.#db.apply(asBuffer(request.first));
        return NOTHING;
      case 'find-ids':
        return this.#db.findIds(asBuffer(request.ids));
      case 'read-entries':
        return this.#db.readEntries(request.range);
      default:
        return assertNever(request, 'request');
    }
  }

  #fail(error: NodeError): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#reply({ kind: 'failed', error });
  }

  #close(): void {
    if (this.#checkTimer !== null) clearTimeout(this.#checkTimer);
    this.#db.close();
  }
}

function isWrite(request: Request): boolean {
  return request.kind === 'write' || isIdentity(request);
}

/** It says who this is, or which group it belongs to. */
function isIdentity({ kind }: Request): boolean {
  return kind === 'save-facts' || kind === 'save-group';
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
