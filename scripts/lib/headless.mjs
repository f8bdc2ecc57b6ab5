/**
 * Starting the built headless peer on the repository's own Node.
 */
import { cliBundle, projectNode } from './paths.mjs';
import { passThrough } from './processes.mjs';

/**
 * Becomes the peer where the system can (its stdin, signals and exit code are then its own), else
 * runs it as a child.
 * @param {readonly string[]} args
 * @returns {Promise<number>} its exit code, if this process outlives it
 */
export async function becomePeer(args) {
  const command = [projectNode, cliBundle, ...args];
  const execve = /** @type {{ execve?: (file: string, args: readonly string[]) => never }} */ (
    process
  ).execve;
  if (execve && process.platform !== 'win32') {
    // Node calls it experimental; that is no news for the person at the terminal.
    process.removeAllListeners('warning');
    execve.call(process, projectNode, command);
  }
  return passThrough(projectNode, [cliBundle, ...args], { cwd: process.cwd() });
}
