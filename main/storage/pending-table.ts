/**
 * The table of messages that are not in the log, in their order. Which ids it holds, and where, is kept
 * in memory: messages come and go a thousand at a time, mostly first in first out, so that an index
 * on disk would cost more than the rows, and a whole run of them goes with one DELETE.
 */
import type { Database, Statement } from 'better-sqlite3';
import { insertRows, placeholders, ROWS_AT_ONCE } from './statements.ts';
import type { PendingRow } from './write-codec.ts';

/** Used inside a transaction of its owner; after one that failed it must not be used again. */
export class PendingTable {
  readonly #places = new Map<string, number>();
  readonly #insertOne: Statement;
  readonly #insertMany: Statement;
  readonly #removeRange: Statement;
  #first = 1;
  #next = 1;

  constructor(db: Database) {
    const columns = 'ord, id, author, after, sent_at, body, crc';
    const insert = (count: number): Statement =>
      db.prepare(`INSERT INTO pending (${columns}) VALUES ${placeholders(7, count)}`);
    this.#insertOne = insert(1);
    this.#insertMany = insert(ROWS_AT_ONCE);
    this.#removeRange = db.prepare('DELETE FROM pending WHERE ord BETWEEN ? AND ?');
    const rows = db.prepare('SELECT ord, id FROM pending ORDER BY ord').raw().all() as [
      number,
      Buffer,
    ][];
    for (const [ord, id] of rows) this.#places.set(keyOf(id), ord);
    this.#first = rows[0]?.[0] ?? 1;
    this.#next = (rows.at(-1)?.[0] ?? 0) + 1;
  }

  /**
   * Adds messages before or behind all others, giving the rows their places; known ids stay where they
   * are. Their places stay empty: only the order of places matters.
   */
  add(rows: readonly PendingRow[], at: 'front' | 'back'): void {
    if (at === 'front') this.#first -= rows.length;
    let ord = at === 'front' ? this.#first : this.#next;
    if (at === 'back') this.#next += rows.length;
    const fresh: PendingRow[] = [];
    for (const row of rows) {
      row[0] = ord++;
      const key = keyOf(row[1]);
      if (this.#places.has(key)) continue;
      this.#places.set(key, row[0]);
      fresh.push(row);
    }
    insertRows(fresh, this.#insertMany, this.#insertOne);
  }

  /** Removes messages; ids that are not held are left out. */
  remove(ids: readonly Buffer[]): void {
    let from = 0;
    let to = -1;
    for (const id of ids) {
      const key = keyOf(id);
      const ord = this.#places.get(key);
      if (ord === undefined) continue;
      this.#places.delete(key);
      if (ord !== to + 1 || to < from) {
        if (to >= from) this.#removeRange.run(from, to);
        from = ord;
      }
      to = ord;
    }
    if (to >= from) this.#removeRange.run(from, to);
  }
}

/** One character for each byte: compared and hashed faster than the bytes. */
function keyOf(id: Buffer): string {
  return id.toString('latin1');
}
