/**
 * Builds the headless peer with a slow disk into the folder named on the command line, from the
 * sources and with the settings of the real build: only the import of the database is led elsewhere.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { buildConfigs } from '../../../vite.config.ts';

const slowDisk = fileURLToPath(new URL('slow-disk.ts', import.meta.url));
const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: build.mjs FOLDER');

const { main } = buildConfigs;
await build({
  ...main,
  logLevel: 'warn',
  build: { ...main.build, outDir: folder, sourcemap: false },
  plugins: [
    {
      name: 'slow-disk',
      enforce: 'pre',
      resolveId: (source, importer) =>
        source === './database.ts' && importer?.endsWith('/storage-worker.ts') ? slowDisk : null,
    },
  ],
});
