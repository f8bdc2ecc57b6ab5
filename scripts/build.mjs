/**
 * Builds dist/: the page, the preload script, and the programs that run in Node and Electron's main
 * process. A target whose sources did not change is left as it is, unless --force.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { staleTargets } from './lib/freshness.mjs';
import { projectNode, root } from './lib/paths.mjs';
import { capture } from './lib/processes.mjs';
import { Complaint, runScript, say, step } from './lib/terminal.mjs';
import { setUp } from './set-up.mjs';

/** Builds what is stale; silent and quick when nothing is. The packages must be installed. */
export async function buildIfStale() {
  if (staleTargets().length > 0) await bundle([]);
}

/** @param {readonly string[]} options */
async function bundle(options) {
  const program = join(root, 'scripts', 'lib', 'bundle.mjs');
  const { code, output } = await step('Building', () =>
    capture(projectNode, [program, ...options]),
  );
  if (code !== 0) throw new Complaint(`${output.trimEnd()}\n\nThe build failed; see above.`);
  process.stderr.write(output);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  runScript(async () => {
    await setUp({});
    if (process.argv.includes('--force')) return bundle(['--force']);
    if (staleTargets().length > 0) return bundle([]);
    say('dist/ is up to date (npm run build -- --force builds anyway).');
  });
}
