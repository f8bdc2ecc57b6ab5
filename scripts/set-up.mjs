/**
 * Makes a fresh clone ready: packages, Electron, the compiled SQLite addon, system libraries. Every
 * script that people start calls this first; run by itself it prepares everything.
 * It runs on plain Node ≥ 20.19 and imports nothing from node_modules before they are there. What
 * is present is found by looking, not by a stamp, so it is repeatable and may be interrupted; with
 * nothing missing it takes a fraction of a second and says nothing.
 */
import { pathToFileURL } from 'node:url';
import { withLock } from './lib/lock.mjs';
import { Complaint, runScript, say } from './lib/terminal.mjs';
import { dependenciesArePresent, installDependencies } from './set-up/dependencies.mjs';
import { findElectron, installElectron, pinnedVersion } from './set-up/electron-runtime.mjs';
import { addonIsMissing, installAddon } from './set-up/native-addon.mjs';
import {
  installSystemPackages,
  missingDisplayServer,
  missingLibraries,
} from './set-up/system-libraries.mjs';

const oldestNode = /** @type {const} */ ([20, 19]);

/**
 * @typedef {object} Wanted
 * @property {boolean} [electron] an Electron and the libraries it links to
 * @property {boolean} [displayServer] Xvfb, where there is no display
 */

/** Sees to it that what is wanted is there. Throws a Complaint that says what to do.
 * @param {Wanted} wanted */
export async function setUp(wanted) {
  requireNode();
  if (!(await isReady(wanted))) await withLock('set-up', () => install(wanted));
  const runtime = wanted.electron ? findElectron() : null;
  if (runtime?.kind === 'fallback') {
    say(
      `Using the stand-in Electron ${runtime.version} (pinned: ${pinnedVersion()}): for development ` +
        `and tests only.\nTo try the official one again, delete ${runtime.dist}`,
    );
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new Complaint(
    `Lockstep's scripts need Node ${oldestNode.join('.')} or newer; this is ${process.versions.node}. ` +
      'Install a current Node from https://nodejs.org, then run this again.',
  );
}

/** @param {Wanted} wanted */
async function isReady(wanted) {
  if (!dependenciesArePresent()) return false;
  const runtime = wanted.electron ? findElectron() : null;
  if (wanted.electron && !runtime) return false;
  if (runtime && (await missingLibraries(runtime.executable)).length > 0) return false;
  if (wanted.displayServer && missingDisplayServer().length > 0) return false;
  return !(await addonIsMissing(runtime?.kind === 'fallback'));
}

/** Each step looks again: the holder of the lock before us may have done it.
 * @param {Wanted} wanted */
async function install(wanted) {
  if (!dependenciesArePresent()) await installDependencies();
  const runtime = wanted.electron ? (findElectron() ?? (await installElectron())) : null;
  const libraries = runtime ? await missingLibraries(runtime.executable) : [];
  const display = wanted.displayServer ? missingDisplayServer() : [];
  await installSystemPackages('show windows', [...libraries, ...display]);
  if (runtime && (await missingLibraries(runtime.executable)).length > 0) {
    throw new Complaint(
      `Libraries that Electron needs are still missing. See which with: ldd ${runtime.executable}`,
    );
  }
  if (await addonIsMissing(runtime?.kind === 'fallback')) await installAddon();
}

/** Whether windows can be shown as things stand. */
export function hasDisplay() {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  runScript(async () => {
    await setUp({ electron: true, displayServer: !hasDisplay() });
    say('Everything is in place.');
  });
}
