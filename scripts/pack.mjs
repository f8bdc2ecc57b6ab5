/**
 * `npm run pack`: the app as people get it, for this platform: unpacked in release/, and as one
 * portable archive. `--dir` leaves the archive out. Made from the stand-in Electron it is named so
 * that nobody releases it.
 */
import { join } from 'node:path';
import { findInPath, projectNode, root } from './lib/paths.mjs';
import { passThrough } from './lib/processes.mjs';
import { Complaint, runScript, say, step } from './lib/terminal.mjs';
import { buildIfStale } from './build.mjs';
import { setUp } from './set-up.mjs';
import { findElectron } from './set-up/electron-runtime.mjs';
import { installSystemPackages } from './set-up/system-libraries.mjs';

const unpackedOnly = process.argv.includes('--dir');
const archiveType = process.platform === 'linux' ? 'tar.gz' : 'zip';

runScript(async () => {
  if (process.execPath !== projectNode) {
    // electron-builder wants a newer Node than a fresh machine may have.
    await setUp({ electron: true });
    return passThrough(projectNode, process.argv.slice(1));
  }
  await setUp({ electron: true });
  await buildIfStale();
  const runtime = findElectron();
  if (runtime === null) throw new Complaint('No Electron is here; run: node scripts/set-up.mjs');
  const seven = process.platform === 'linux' && !unpackedOnly ? await findSevenZip() : null;
  if (seven) process.env['ELECTRON_BUILDER_7ZIP_PATH'] ??= seven;
  process.env['ELECTRON_BUILDER_COMPRESSION_LEVEL'] ??= runtime.kind === 'fallback' ? '1' : '9';
  const files = await step('Packaging', () => pack(runtime));
  for (const file of files) say(file);
  if (runtime.kind === 'fallback') {
    say(
      `This package holds the stand-in Electron ${runtime.version}. It shows that packaging works; ` +
        'it is not for release.',
    );
  }
  return 0;
});

/** electron-builder would download its own. */
async function findSevenZip() {
  if (!findInPath('7za')) await installSystemPackages('pack a tar.gz', [['p7zip-full']]);
  return findInPath('7za');
}

/** @param {import('./set-up/electron-runtime.mjs').ElectronRuntime} runtime */
async function pack(runtime) {
  const { build } = await import('electron-builder');
  const standIn = runtime.kind === 'fallback';
  const addon = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
  return build({
    projectDir: root,
    config: {
      extends: join(root, 'electron-builder.yml'),
      electronDist: runtime.dist,
      electronVersion: runtime.version,
      ...(standIn
        ? {
            files: [addon],
            directories: { output: 'release/not-for-release' },
            artifactName: 'NOT-FOR-RELEASE-${productName}-${version}-${os}-${arch}.${ext}',
          }
        : {}),
    },
    ...(unpackedOnly ? { dir: true } : { [platformOption()]: ['dir', archiveType] }),
  });
}

function platformOption() {
  if (process.platform === 'darwin') return 'mac';
  return process.platform === 'win32' ? 'win' : 'linux';
}
