/**
 * Prints the Electron executable that `npm start` and the tests use, and nothing else on stdout.
 * It sets up what is missing first.
 */
import { setUp } from './set-up.mjs';
import { Complaint, runScript } from './lib/terminal.mjs';
import { findElectron } from './set-up/electron-runtime.mjs';

runScript(async () => {
  await setUp({ electron: true });
  const runtime = findElectron();
  if (runtime === null) throw new Complaint('No Electron is here; run node scripts/set-up.mjs');
  process.stdout.write(`${runtime.executable}\n`);
});
