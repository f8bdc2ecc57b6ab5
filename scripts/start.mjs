/**
 * `npm start`: makes everything ready, builds what is stale, opens the app. Arguments go on to it.
 * Without a display it starts the terminal peer instead, and says so.
 */
import { becomePeer } from './lib/headless.mjs';
import { openCommand, sayIfUnsandboxed } from './lib/open-app.mjs';
import { passThrough } from './lib/processes.mjs';
import { runScript, say } from './lib/terminal.mjs';
import { buildIfStale } from './build.mjs';
import { hasDisplay, setUp } from './set-up.mjs';

runScript(async () => {
  const args = process.argv.slice(2);
  const windows = hasDisplay();
  await setUp({ electron: windows });
  await buildIfStale();
  if (!windows) {
    say('There is no display here, so this is the terminal peer (/help says what it can do).');
    return becomePeer(peerArguments(args));
  }
  sayIfUnsandboxed();
  const { command, args: all } = openCommand(args);
  return passThrough(command, all);
});

/** A first peer needs an id; the app's form would propose one. @param {readonly string[]} args */
function peerArguments(args) {
  const hasId = args.some((argument) => /^--(?:id|data|help)(?:=|$)/.test(argument));
  return hasId ? args : ['--id', '1', ...args];
}
