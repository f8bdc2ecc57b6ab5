/**
 * Stands in for main/storage/database.ts in a build for tests: every transaction takes longer, by as
 * many milliseconds as the file named by LOCKSTEP_SLOW_DISK says at that moment, or for ever. Everything
 * else is the real thing. It runs on the storage thread, which is what a slow disk holds up.
 */
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { LogDatabase } from '../../../main/storage/database.ts';

export * from '../../../main/storage/database.ts';

const controlFile = process.env['LOCKSTEP_SLOW_DISK'] ?? '';
const nothing = new Int32Array(new SharedArrayBuffer(4));
// oxlint-disable-next-line typescript/unbound-method -- called with the right `this` below
const { transaction } = LogDatabase.prototype;

LogDatabase.prototype.transaction = function (this: LogDatabase, work) {
  const result = transaction.call(this, work);
  const delay = readFileSync(controlFile, 'utf8');
  if (delay === 'never') hang();
  // Nothing ever changes the cell, so this always takes its time.
  Atomics.wait(nothing, 0, 0, Number(delay));
  return result;
};

/** In a call of the system, as a disk does: no exception and no end of the thread gets it out of there. */
function hang(): void {
  writeFileSync(`${controlFile}.hangs`, '');
  // A pipe that nobody ever writes to.
  openSync(`${controlFile}.never`, 'r');
}
