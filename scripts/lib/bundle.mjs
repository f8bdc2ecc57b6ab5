/**
 * Does the bundling that scripts/build.mjs decided on. Runs on the repository's own Node, which
 * reads Vite's configuration as TypeScript; one build of this user at a time.
 */
import { build } from 'vite';
import { buildConfigs } from '../../vite.config.ts';
import { fingerprint, markBuilt, staleTargets, targets } from './freshness.mjs';
import { withLock } from './lock.mjs';
import { runScript, say, secondsSince } from './terminal.mjs';

runScript(() =>
  withLock('build', async () => {
    // Looked at again under the lock: another run may have built meanwhile.
    for (const target of process.argv.includes('--force') ? targets : staleTargets()) {
      const begin = performance.now();
      const builtFrom = fingerprint(target);
      await build({ ...buildConfigs[target], logLevel: 'warn' });
      markBuilt(target, builtFrom);
      say(`  dist/${target} in ${secondsSince(begin)} s`);
    }
  }),
);
