/**
 * One set-up or build at a time for this user. The lock is a folder of numbered files: the highest says
 * who holds it, by the number of a process, and is empty when nobody does. A holder that is gone has
 * lost it, so an interrupted run never blocks the next one. Who takes it makes the next number, which
 * only one can; a number that was taken is never given back, so that two who found the same holder gone
 * cannot both get in.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { cacheFolder } from './paths.mjs';
import { say } from './terminal.mjs';

const pollMs = 200;

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(name, work) {
  const folder = join(cacheFolder(), 'locks', name);
  mkdirSync(folder, { recursive: true });
  let turn = tryTake(folder);
  for (let told = false; turn === null; turn = tryTake(folder)) {
    if (!told)
      say(
        `• Waiting for another run of this (process ${holderOf(folder) ?? 'ending'}) to finish …`,
      );
    told = true;
    await wait(pollMs);
  }
  const file = join(folder, String(turn));
  const release = () => {
    if (existsSync(file)) writeFileSync(file, '');
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** @param {string} folder @returns {number | null} the turn of this run, or null: not yet */
function tryTake(folder) {
  const last = lastOf(turnsIn(folder));
  if (holderOf(folder, last) !== null) return null;
  const turn = last + 1;
  if (!make(folder, turn)) return null;
  const turns = turnsIn(folder);
  if (lastOf(turns) !== turn) {
    // Long ago `last` was the highest: others have had this turn, and gone on.
    rmSync(join(folder, String(turn)));
    return null;
  }
  for (const past of turns.slice(0, -1)) rmSync(join(folder, String(past)), { force: true });
  return turn;
}

/** @param {string} folder @returns {readonly number[]} in order */
function turnsIn(folder) {
  const names = readdirSync(folder).filter((name) => /^\d+$/.test(name));
  return names.map(Number).toSorted((a, b) => a - b);
}

/** @param {readonly number[]} turns */
function lastOf(turns) {
  return turns.at(-1) ?? 0;
}

/**
 * Linked to its name with its content: nobody sees it without.
 * @param {string} folder
 * @param {number} turn
 */
function make(folder, turn) {
  const draft = join(folder, `${randomUUID()}.new`);
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, join(folder, String(turn)));
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

/** The process that has this turn, if it lives. @param {string} folder @param {number} [turn] */
function holderOf(folder, turn = lastOf(turnsIn(folder))) {
  try {
    const holder = Number(readFileSync(join(folder, String(turn)), 'utf8'));
    return holder > 0 && isAlive(holder) ? holder : null;
  } catch {
    // There is none yet, or a later holder has removed it, which the next look finds.
    return null;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
