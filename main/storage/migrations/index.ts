/**
 * Brings a database to the newest layout, one numbered step after the other. A released step never
 * changes; each runs in one transaction with its number, so that a crash leaves the layout before or
 * after it. A database that a newer program wrote is refused, not guessed at.
 */
import type { Database } from 'better-sqlite3';
import { messagesMigration } from './0001-messages.ts';
import { sealMigration } from './0002-seal.ts';
import { checksumsMigration } from './0003-checksums.ts';

/** In order; the number of a step is its place, from 1. */
const migrations: readonly string[] = [messagesMigration, sealMigration, checksumsMigration];

/** The layout that this program writes. */
export const SCHEMA_VERSION = migrations.length;

/** Layout number of an open database; 0 for an empty one. */
export function schemaVersion(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

/** Runs the steps that are missing. The version must be at most {@link SCHEMA_VERSION}. */
export function migrate(db: Database): void {
  for (let version = schemaVersion(db); version < SCHEMA_VERSION; version++) {
    const step = migrations[version] ?? '';
    db.transaction(() => {
      db.exec(step);
      db.pragma(`user_version = ${version + 1}`);
    }).immediate();
  }
}
