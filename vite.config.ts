/**
 * How Lockstep is bundled and tested. The default export is the renderer's configuration plus the
 * Vitest projects; `buildConfigs` adds the three bundles that run outside the page. Targets follow
 * the oldest runtime the code must work on: Chromium 130 and Node 20.18.
 * Nothing here decides when to build: scripts/build.mjs does.
 */
import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import type { InlineConfig } from 'vite';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));
const nodeTarget = 'node20.18';

const rendererConfig = {
  root: `${root}renderer`,
  base: './',
  cacheDir: `${root}node_modules/.vite`,
  plugins: [react()],
  build: {
    outDir: `${root}dist/renderer`,
    emptyOutDir: true,
    target: 'chrome130',
    sourcemap: true,
    // The page's content security policy forbids data: fonts and scripts; files are as fast.
    assetsInlineLimit: 0,
  },
} satisfies InlineConfig;

/** main/index.ts, main/cli.ts and the storage worker: ESM in one flat folder, so that a path beside
 * `import.meta.url` is right from every chunk. */
const mainConfig: InlineConfig = {
  root,
  configFile: false,
  publicDir: false,
  build: {
    outDir: `${root}dist/main`,
    emptyOutDir: true,
    target: nodeTarget,
    sourcemap: true,
    minify: false,
    ssr: true,
    rolldownOptions: {
      input: {
        index: `${root}main/index.ts`,
        cli: `${root}main/cli.ts`,
        'storage-worker': `${root}main/storage/storage-worker.ts`,
      },
      external: ['electron', 'better-sqlite3'],
      output: {
        format: 'es',
        entryFileNames: '[name].js',
        chunkFileNames: 'chunk-[name]-[hash].js',
      },
    },
  },
  ssr: { noExternal: true, external: ['electron', 'better-sqlite3'] },
};

/** A sandboxed preload script can load no other file, and must be CommonJS. */
const preloadConfig: InlineConfig = {
  root,
  configFile: false,
  publicDir: false,
  build: {
    outDir: `${root}dist/preload`,
    emptyOutDir: true,
    target: nodeTarget,
    sourcemap: true,
    minify: false,
    ssr: true,
    rolldownOptions: {
      input: `${root}preload/index.ts`,
      external: ['electron'],
      output: { format: 'cjs', entryFileNames: 'index.cjs', codeSplitting: false },
    },
  },
  ssr: { noExternal: true, external: ['electron'] },
};

/** Everything `npm run build` writes to dist/, by the folder it fills. */
export const buildConfigs: Readonly<Record<'renderer' | 'preload' | 'main', InlineConfig>> = {
  renderer: { ...rendererConfig, configFile: false },
  preload: preloadConfig,
  main: mainConfig,
};

export default defineConfig({
  ...rendererConfig,
  test: {
    projects: [
      {
        extends: false,
        test: {
          name: 'unit',
          root,
          // Nothing here waits for a clock; properties and scripts may meet a busy machine.
          testTimeout: 30_000,
          include: [
            '{shared,main,preload,scripts}/**/*.test.ts',
            'e2e/*.test.ts',
            'e2e/sim/**/*.test.ts',
          ],
        },
      },
      {
        extends: false,
        plugins: [react()],
        test: {
          name: 'renderer',
          root,
          environment: 'happy-dom',
          include: ['renderer/**/*.test.{ts,tsx}'],
        },
      },
      {
        extends: false,
        test: {
          name: 'processes',
          root,
          include: ['e2e/processes/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: false,
        test: {
          name: 'app',
          root,
          include: ['e2e/app/**/*.test.ts'],
          pool: 'forks',
          // Windows share one display, one clipboard and two cores: one file at a time.
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
