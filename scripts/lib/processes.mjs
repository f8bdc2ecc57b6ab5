/**
 * Starting other programs: with their output kept until it is needed, or passed through. Every
 * wait has an end, and what is stopped is stopped by the id of a process that we started.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, delimiter } from 'node:path';
import { isWindows, machineNode, root } from './paths.mjs';
import { Complaint } from './terminal.mjs';

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] added to this process's environment
 * @property {number} [limitMs] the program is ended after this long; ten minutes if not given
 */

/**
 * Runs a program to its end and returns what it printed, both streams in one.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string, stdout: string }>}
 */
export function capture(command, args, options = {}) {
  return new Promise((settle) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      output += text;
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      output += text;
    });
    const limitMs = options.limitMs ?? 600_000;
    const timer = setTimeout(() => {
      output += `\nended after ${limitMs / 1000} s`;
      child.kill('SIGKILL');
    }, limitMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      settle({ code: 127, output: error.message, stdout: '' });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      settle({ code: code ?? 1, output, stdout });
    });
  });
}

/**
 * Runs a program on this terminal; its exit code, or 128 and the signal's number.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options] without limitMs it may run for ever
 * @returns {Promise<number>}
 */
export function passThrough(command, args, options = {}) {
  return new Promise((settle, fail) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: 'inherit',
    });
    // A terminal sends Ctrl-C to the whole group: the program decides, we wait for it.
    const ignore = () => undefined;
    const forward = () => void child.kill('SIGTERM');
    process.on('SIGINT', ignore);
    process.on('SIGTERM', forward);
    const timer = options.limitMs && setTimeout(() => child.kill('SIGKILL'), options.limitMs);
    const finish = () => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', forward);
      if (timer) clearTimeout(timer);
    };
    child.once('error', (error) => {
      finish();
      fail(new Complaint(`${command} could not be started: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      finish();
      settle(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * Runs npm with the Node of this machine, since the repository's own may be about to be replaced.
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function runNpm(args, options = {}) {
  const node = machineNode();
  const npmCli = process.env['npm_execpath'];
  // The first folder in PATH decides which Node a package's install script runs on.
  const env = {
    ...options.env,
    PATH: `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  if (npmCli && /\.[cm]?js$/.test(npmCli)) return capture(node, [npmCli, ...args], { ...options, env });
  if (isWindows) return capture('cmd', ['/c', 'npm', ...args], { ...options, env });
  return capture('npm', args, { ...options, env });
}

/** The last lines of a program's output, for an error that shows its reason. */
export function tail(/** @type {string} */ output, lines = 15) {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}
