/**
 * Where things are: the repository, its tools, and the folder of this user that keeps what is
 * costly to make (an Electron runtime, a compiled addon) across clones.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));
export const nodeModules = join(root, 'node_modules');
export const isWindows = process.platform === 'win32';
const nodeName = isWindows ? 'node.exe' : 'node';

/** The Node 24 that the repository brings along. */
export const projectNode = join(nodeModules, 'node', 'bin', nodeName);

/** The built headless peer. */
export const cliBundle = join(root, 'dist', 'main', 'cli.js');

/** The per-user cache; LOCKSTEP_CACHE moves it. */
export function cacheFolder() {
  const own = process.env['LOCKSTEP_CACHE'];
  if (own) return resolve(own);
  if (isWindows) {
    return join(process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'lockstep-dev');
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'lockstep-dev');
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lockstep-dev');
}

/** A program's path in PATH, those inside the repository left out; null where there is none. */
export function findInPath(/** @type {string} */ name) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder === '' || resolve(folder).includes(`${sep}node_modules`)) continue;
    const candidate = join(folder, name);
    if (existsSync(candidate)) return candidate;
  }
  return null;
}

/** The Node of this machine, not the repository's: what may be running while packages change. */
export function machineNode() {
  if (!process.execPath.startsWith(nodeModules)) return process.execPath;
  return findInPath(nodeName) ?? process.execPath;
}
