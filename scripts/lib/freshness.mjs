/**
 * Whether what stands in dist/ was built from the sources as they are now. Each target carries the
 * fingerprint of its inputs, written last: an interrupted build counts as none.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { root } from './paths.mjs';

/** The folders each target is made of. */
const inputsOf = {
  main: ['main', 'shared'],
  preload: ['preload', 'shared'],
  renderer: ['renderer', 'shared'],
};
/** What every target depends on. */
const common = ['vite.config.ts', 'package-lock.json'];
const stampName = '.built-from';
const leftOut = /\.(?:test|acceptance)\.tsx?$|\.md$|\.txt$|tsconfig[^/]*\.json$/;
const foldersLeftOut = new Set(['node_modules', 'testing', 'testdata']);

/** @typedef {keyof typeof inputsOf} Target */

export const targets = /** @type {readonly Target[]} */ (Object.keys(inputsOf));

/** The targets whose sources are not what they were built from. @returns {readonly Target[]} */
export function staleTargets() {
  return targets.filter((target) => stampOf(target) !== fingerprint(target));
}

/** @param {Target} target @param {string} builtFrom the fingerprint taken before the build */
export function markBuilt(target, builtFrom) {
  writeFileSync(join(root, 'dist', target, stampName), builtFrom);
}

/** @param {Target} target */
export function fingerprint(target) {
  const hash = createHash('sha256');
  const files = [...common.map((name) => join(root, name)), ...inputsOf[target].flatMap(sourcesIn)];
  for (const file of files) {
    hash.update(`${relative(root, file).split(sep).join('/')}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** @param {Target} target */
function stampOf(target) {
  try {
    return readFileSync(join(root, 'dist', target, stampName), 'utf8');
  } catch {
    // Never built, or cut off before the end: stale either way.
    return null;
  }
}

/** @param {string} folder @returns {readonly string[]} */
function sourcesIn(folder) {
  const files = readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return files
    .filter((file) => !leftOut.test(file))
    .filter(
      (file) =>
        !relative(root, file)
          .split(sep)
          .some((part) => foldersLeftOut.has(part)),
    )
    .toSorted();
}
