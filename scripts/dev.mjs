/**
 * `npm run dev`: opens the app, rebuilds what changes, and opens it again after each build that
 * worked. Closing the window ends it.
 */
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/paths.mjs';
import { openCommand, sayIfUnsandboxed } from './lib/open-app.mjs';
import { runScript, say } from './lib/terminal.mjs';
import { buildIfStale } from './build.mjs';
import { hasDisplay, setUp } from './set-up.mjs';
import { Complaint } from './lib/terminal.mjs';

/** Editors save in several writes; a build begins when they have been quiet this long. */
const quietMs = 150;

runScript(async () => {
  if (!hasDisplay()) throw new Complaint('npm run dev opens a window, and there is no display.');
  await setUp({ electron: true });
  await buildIfStale();
  sayIfUnsandboxed();
  let app = open();
  let changed = false;
  /** @type {NodeJS.Timeout | undefined} */
  let quiet;
  const watchers = ['main', 'preload', 'renderer', 'shared'].map((folder) =>
    watch(join(root, folder), { recursive: true }, () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        changed = true;
        app.kill('SIGTERM');
      }, quietMs);
    }),
  );
  for (;;) {
    await new Promise((ended) => app.once('exit', ended));
    if (!changed) break;
    changed = false;
    await buildIfStale().catch(async (/** @type {unknown} */ error) => {
      say(error instanceof Error ? error.message : String(error));
      say('Waiting for the next change …');
      await new Promise((saved) => watchers[0]?.once('change', saved));
    });
    app = open();
  }
  clearTimeout(quiet);
  for (const watcher of watchers) watcher.close();
});

function open() {
  const { command, args } = openCommand(process.argv.slice(2));
  return spawn(command, args, { cwd: root, stdio: 'inherit' });
}
