/**
 * Starting other programs: with their output kept until it is needed, or passed through. Every
 * wait has an end, and what is stopped is stopped by the id of a process that we started.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, delimiter } from 'node:path';
import { isWindows, machineNode, root } from './paths.mjs';
import { Complaint } from './terminal.mjs';

// Each running program listens for the signals that end us, and set-up asks dozens of small ones at once.
process.setMaxListeners(100);

/** How long a group that was asked to end may take before it is made to. */
const graceMs = 5_000;

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] added to this process's environment
 * @property {number} [limitMs] the program is ended after this long; ten minutes if not given
 */

/**
 * Runs a program to its end and returns what it printed, both streams in one. When we are told to
 * stop meanwhile, it and everything it started stop first.
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
      detached: !isWindows,
    });
    const stop = (/** @type {NodeJS.Signals} */ signal) => {
      endGroup(child, 'SIGTERM');
      process.exit(128 + constants.signals[signal]);
    };
    process.once('SIGINT', stop).once('SIGTERM', stop).once('SIGHUP', stop);
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
      endGroup(child, 'SIGKILL');
    }, limitMs);
    const finish = () => {
      clearTimeout(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop);
    };
    child.once('error', (error) => {
      finish();
      settle({ code: 127, output: error.message, stdout: '' });
    });
    child.once('close', (code) => {
      finish();
      settle({ code: code ?? 1, output, stdout });
    });
  });
}

/**
 * Runs a program on this terminal for as long as it likes; its exit code, or 128 and the signal.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Pick<RunOptions, 'cwd' | 'env'>} [options]
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
    const finish = () => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', forward);
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
 * Runs a program and everything it starts as one group, which ends with it: when the time is up, and
 * when we are asked to stop. Its exit code, 124 when the time was up.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions & { limitMs: number }} options
 * @returns {Promise<number>}
 */
export function runGroup(command, args, options) {
  return new Promise((settle, fail) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: !isWindows,
    });
    let timeIsUp = false;
    const stop = () => endGroup(child, 'SIGTERM');
    const timer = setTimeout(() => {
      timeIsUp = true;
      stop();
    }, options.limitMs);
    const lastResort = setTimeout(() => endGroup(child, 'SIGKILL'), options.limitMs + graceMs);
    process.on('SIGINT', stop).on('SIGTERM', stop);
    const finish = () => {
      clearTimeout(timer);
      clearTimeout(lastResort);
      process.off('SIGINT', stop).off('SIGTERM', stop);
      // What a test left behind must not outlive it.
      endGroup(child, 'SIGKILL');
    };
    child.once('error', (error) => {
      finish();
      fail(new Complaint(`${command} could not be started: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      finish();
      settle(timeIsUp ? 124 : (code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  });
}

/** @param {import('node:child_process').ChildProcess} child @param {NodeJS.Signals} signal */
function endGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    if (isWindows) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: everybody in the group is gone already.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
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
  if (npmCli && /\.[cm]?js$/.test(npmCli))
    return capture(node, [npmCli, ...args], { ...options, env });
  if (isWindows) return capture('cmd', ['/c', 'npm', ...args], { ...options, env });
  return capture('npm', args, { ...options, env });
}

/** The last lines of a program's output, for an error that shows its reason. */
export function tail(/** @type {string} */ output, lines = 15) {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}
