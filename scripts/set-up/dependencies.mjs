/**
 * The npm packages of this repository: whether node_modules is what package-lock.json asks for, and
 * `npm ci` when it is not. No package's install script runs but that of `node`, the Node 24 which
 * every other script uses: the rest would compile or download what set-up handles itself.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeModules, projectNode, root } from '../lib/paths.mjs';
import { runNpm, tail } from '../lib/processes.mjs';
import { Complaint, step } from '../lib/terminal.mjs';

/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean, link?: boolean }} Locked */

/** Whether every package of the lock file lies there in its version. */
export function dependenciesArePresent() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(nodeModules, '.package-lock.json'));
  if (!wanted || !installed || !existsSync(projectNode)) return false;
  return Object.entries(wanted).every(([path, locked]) => {
    if (path === '') return true;
    const found = installed[path];
    // Packages for other platforms are in the lock file but never on this disk.
    if (!found) return locked.optional === true;
    return found.version === locked.version && existsSync(join(root, path, 'package.json'));
  });
}

/** @param {string} file @returns {Record<string, Locked> | null} */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? null;
  } catch {
    // Missing or cut off by an interruption: both mean that npm has to run.
    return null;
  }
}

export async function installDependencies() {
  await step('Installing packages with npm ci (about a minute the first time)', async () => {
    // The alias of an older Electron, there for its type definitions, would download its binary.
    const env = { ELECTRON_SKIP_BINARY_DOWNLOAD: '1' };
    const installed = await runNpm(['ci', '--ignore-scripts', '--prefer-offline'], { env });
    if (installed.code !== 0) {
      throw new Complaint(
        `${tail(installed.output)}\n\nnpm ci failed; its reason is above. Most often the package ` +
          'registry cannot be reached: check the network or proxy, then run this again.',
      );
    }
    const node = await runNpm(['rebuild', 'node', '--foreground-scripts'], { env });
    if (node.code !== 0 || !existsSync(projectNode)) {
      throw new Complaint(
        `${tail(node.output)}\n\nThe npm package of Node 24 could not be installed; its reason is ` +
          'above. Check the network or proxy, then run this again.',
      );
    }
  });
}
