/**
 * `npm test`: makes everything ready, builds, and runs every tier in order, the quick ones first. A
 * tier that fails does not keep the next one from running. Ends with how long each took and the
 * line `N passed, N failed` over all of them.
 */
import { runScript, secondsSince } from './lib/terminal.mjs';
import { tiers } from './lib/tiers.mjs';
import { buildIfStale } from './build.mjs';
import { hasDisplay, setUp } from './set-up.mjs';

runScript(async () => {
  await setUp({ electron: true, displayServer: !hasDisplay() });
  await buildIfStale();
  const lines = [];
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, run] of Object.entries(tiers)) {
    console.log(`\n━━ ${name} ━━`);
    const begin = performance.now();
    const outcome = await run([]);
    total.passed += outcome.passed;
    total.failed += outcome.failed;
    total.skipped += outcome.skipped;
    const result = outcome.code === 0 ? 'ok' : outcome.code === 124 ? 'TOOK TOO LONG' : 'FAILED';
    lines.push(
      `${name.padEnd(10)} ${result.padEnd(14)} ${String(outcome.passed).padStart(5)} passed ` +
        `${String(outcome.failed).padStart(3)} failed ${secondsSince(begin).padStart(7)} s`,
    );
    console.log(`━━ ${name}: ${result} ━━`);
  }
  console.log(`\n${lines.join('\n')}\n`);
  if (total.skipped > 0) console.log(`${total.skipped} tests were skipped.`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
});
