/**
 * Stands in for main/storage/database.ts in a build for tests: every transaction takes longer, by as
 * many milliseconds as the file named by LOCKSTEP_SLOW_DISK says at that moment. Everything else is the
 * real thing. It runs on the storage thread, which is what a slow disk holds up.
 */
import { readFileSync } from 'node:fs';
import { LogDatabase } from '../../../main/storage/database.ts';

export * from '../../../main/storage/database.ts';

const controlFile = process.env['LOCKSTEP_SLOW_DISK'] ?? '';
const nothing = new Int32Array(new SharedArrayBuffer(4));
// oxlint-disable-next-line typescript/unbound-method -- called with the right `this` below
const { transaction } = LogDatabase.prototype;

LogDatabase.prototype.transaction = function (this: LogDatabase, work) {
  const result = transaction.call(this, work);
  // Nothing ever changes the cell, so this always takes its time.
  Atomics.wait(nothing, 0, 0, Number(readFileSync(controlFile, 'utf8')));
  return result;
};
