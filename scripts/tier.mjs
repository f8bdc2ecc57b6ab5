/**
 * Runs one tier by itself, with everything it needs: `node scripts/tier.mjs app [vitest arguments]`.
 */
import { Complaint, runScript } from './lib/terminal.mjs';
import { tiers } from './lib/tiers.mjs';
import { buildIfStale } from './build.mjs';
import { hasDisplay, setUp } from './set-up.mjs';

runScript(async () => {
  const [name = '', ...args] = process.argv.slice(2);
  const windows = name === 'app';
  await setUp({ electron: windows, displayServer: windows && !hasDisplay() });
  if (!Object.hasOwn(tiers, name)) {
    throw new Complaint(`There is no tier "${name}". There are: ${Object.keys(tiers).join(', ')}`);
  }
  await buildIfStale();
  return (await tiers[/** @type {keyof typeof tiers} */ (name)](args)).code;
});
