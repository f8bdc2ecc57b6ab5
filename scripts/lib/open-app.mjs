/**
 * How this repository's app is started with Electron: the executable, and the switches that the
 * machine requires. Both belong to development; a packaged app starts by its own file.
 */
import { readFileSync } from 'node:fs';
import { findElectron } from '../set-up/electron-runtime.mjs';
import { root } from './paths.mjs';
import { Complaint, say } from './terminal.mjs';

/**
 * The command that opens the app with these arguments of its own.
 * @param {readonly string[]} appArguments
 * @returns {{ command: string, args: readonly string[] }}
 */
export function openCommand(appArguments) {
  const runtime = findElectron();
  if (runtime === null) throw new Complaint('No Electron is here; run: node scripts/set-up.mjs');
  return { command: runtime.executable, args: [...sandboxSwitches(), root, ...appArguments] };
}

/** Says once why the sandbox is off, where it has to be. */
export function sayIfUnsandboxed() {
  const reason = reasonAgainstSandbox();
  if (reason) say(`Chromium's sandbox is off: ${reason}`);
}

function sandboxSwitches() {
  return reasonAgainstSandbox() ? ['--no-sandbox'] : [];
}

function reasonAgainstSandbox() {
  if (process.platform !== 'linux') return null;
  if (process.getuid?.() === 0) return 'it refuses to run as root. Use another user for real work.';
  const restricted =
    kernelSetting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1' ||
    kernelSetting('/proc/sys/kernel/unprivileged_userns_clone') === '0';
  return restricted ? 'this system lets only installed programs make user namespaces.' : null;
}

/** @param {string} file */
function kernelSetting(file) {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // The kernel has no such restriction.
    return null;
  }
}
