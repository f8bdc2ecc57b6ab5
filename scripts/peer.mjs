/**
 * `npm run peer -- …`: makes the headless peer ready and becomes it. Everything it says of its own
 * goes to stderr. Programs that drive a peer start `node dist/main/cli.js` themselves.
 */
import { becomePeer } from './lib/headless.mjs';
import { runScript } from './lib/terminal.mjs';
import { buildIfStale } from './build.mjs';
import { setUp } from './set-up.mjs';

runScript(async () => {
  await setUp({});
  await buildIfStale();
  return becomePeer(process.argv.slice(2));
});
