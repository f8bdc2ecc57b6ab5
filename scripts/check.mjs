/**
 * `npm run check`: types (for the pinned and for the oldest Electron), lint, format, dead code, at
 * the same time and in seconds. Prints what failed, and one line for each.
 */
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isWindows, nodeModules } from './lib/paths.mjs';
import { capture } from './lib/processes.mjs';
import { runScript, say, secondsSince } from './lib/terminal.mjs';
import { setUp } from './set-up.mjs';

const limitMs = 120_000;
const checks = /** @type {const} */ ([
  ['types', 'tsc', ['-b']],
  ['types, oldest Electron', 'tsc', ['-p', 'main/tsconfig.electron-33.json']],
  ['lint', 'oxlint', []],
  ['format', 'oxfmt', ['--check']],
  ['dead code', 'knip', []],
]);

/** @returns {Promise<{ passed: number, failed: number }>} */
export async function runChecks() {
  const bin = join(nodeModules, '.bin');
  const env = { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  const results = await Promise.all(
    checks.map(async ([name, tool, args]) => {
      const begin = performance.now();
      const command = join(bin, isWindows ? `${tool}.cmd` : tool);
      const { code, output } = await capture(command, args, { env, limitMs });
      if (code !== 0) say(`\n${output.trimEnd()}\n`);
      say(`  ${code === 0 ? 'ok    ' : 'FAILED'}  ${name} (${secondsSince(begin)} s)`);
      return code === 0;
    }),
  );
  const failed = results.filter((ok) => !ok).length;
  return { passed: results.length - failed, failed };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  runScript(async () => {
    await setUp({});
    return (await runChecks()).failed === 0 ? 0 : 1;
  });
}
