/**
 * Builds dist/: the page, the preload script, and the programs that run in Node and Electron's main
 * process. A target whose sources did not change is left as it is, unless --force.
 */
import { pathToFileURL } from 'node:url';
import { fingerprint, markBuilt, staleTargets, targets } from './lib/freshness.mjs';
import { withLock } from './lib/lock.mjs';
import { projectNode } from './lib/paths.mjs';
import { capture } from './lib/processes.mjs';
import { Complaint, runScript, say, secondsSince, step } from './lib/terminal.mjs';
import { setUp } from './set-up.mjs';

/** Builds what is stale; silent and quick when nothing is. The packages must be installed. */
export async function buildIfStale() {
  if (staleTargets().length === 0) return;
  // Vite and its configuration in TypeScript want the repository's own Node.
  const result = await step('Building', () => capture(projectNode, [import.meta.filename]));
  if (result.code !== 0) throw new Complaint(`${result.output}\n\nThe build failed; see above.`);
}

/** @param {readonly import('./lib/freshness.mjs').Target[]} stale */
async function buildTargets(stale) {
  const { build } = await import('vite');
  const { buildConfigs } = await import('../vite.config.ts');
  for (const target of stale) {
    const begin = performance.now();
    const builtFrom = fingerprint(target);
    await build({ ...buildConfigs[target], logLevel: 'warn' });
    markBuilt(target, builtFrom);
    say(`built dist/${target} in ${secondsSince(begin)} s`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  runScript(async () => {
    await setUp({});
    await withLock('build', async () => {
      const stale = process.argv.includes('--force') ? targets : staleTargets();
      await buildTargets(stale);
      if (stale.length === 0) say('dist/ is up to date (npm run build -- --force builds anyway).');
    });
  });
}
