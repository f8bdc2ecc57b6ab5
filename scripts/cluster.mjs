/**
 * `npm run cluster`: several peers of one group on this machine, to try the product with. With a
 * display they are windows; without one they share this terminal: each line is prefixed with the
 * peer's number, and `2 hello` (or `2: hello`) is typed into peer 2.
 *
 *   --peers N    how many (3)
 *   --data DIR   where their folders live; given again, it opens the same group (a temporary one)
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { openCommand, sayIfUnsandboxed } from './lib/open-app.mjs';
import { readOptions, wholeNumber } from './lib/options.mjs';
import { cliBundle, isWindows, projectNode, root } from './lib/paths.mjs';
import { Complaint, runScript, say } from './lib/terminal.mjs';
import { buildIfStale } from './build.mjs';
import { hasDisplay, setUp } from './set-up.mjs';

const host = '127.0.0.1';
const firstPort = 6001;
const peersMax = 9;
/** A leave takes at most three seconds; who needs longer is hung. */
const leaveMs = 5_000;
const listenMs = 20_000;

/** @typedef {import('node:child_process').ChildProcess} Child */
/** @typedef {{ id: number, port: number, folder: string, seeds: readonly string[] }} Plan */

runScript(async () => {
  const { count, folder } = whatIsAskedFor();
  const windows = hasDisplay();
  await setUp({ electron: windows });
  await buildIfStale();
  const plans = await planPeers(count, folder);
  say(`${count} peers, data in ${folder}`);
  if (windows) await runWindows(plans);
  else await runInTerminal(plans);
});

function whatIsAskedFor() {
  const { values } = readOptions({
    options: { peers: { type: 'string', default: '3' }, data: { type: 'string' } },
  });
  const count = wholeNumber('peers', values.peers, { max: peersMax });
  const folder = values.data ? resolve(values.data) : mkdtempSync(join(tmpdir(), 'lockstep-'));
  mkdirSync(folder, { recursive: true });
  return { count, folder };
}

/**
 * Who listens where. A folder used before keeps its ports: the peers know each other by them.
 * @param {number} count
 * @param {string} folder
 * @returns {Promise<readonly Plan[]>}
 */
async function planPeers(count, folder) {
  const file = join(folder, 'cluster.json');
  const ports = existsSync(file) ? readPorts(file) : [];
  for (let port = firstPort; ports.length < count; port++) {
    if (port > 65_535) throw new Complaint('No free port was found from 6001 up.');
    if (!ports.includes(port) && (await isFree(port))) ports.push(port);
  }
  writeFileSync(file, `${JSON.stringify({ ports })}\n`);
  return ports.slice(0, count).map((port, index) => ({
    id: index + 1,
    port,
    folder: join(folder, `peer-${index + 1}`),
    seeds: index === 0 ? [] : [`1:${host}:${ports[0]}`],
  }));
}

/** @param {string} file @returns {number[]} */
function readPorts(file) {
  try {
    const { ports } = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(ports) && ports.every(isPort)) return ports;
  } catch {
    // Damaged like one that holds something else.
  }
  throw new Complaint(`${file} is damaged. Remove it for new ports, or choose another --data.`);
}

/** @param {unknown} value */
function isPort(value) {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', () => settle(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => settle(true)));
  });
}

/** @param {Plan} plan */
function peerArguments(plan) {
  const options = {
    data: plan.folder,
    id: plan.id,
    name: `Peer ${plan.id}`,
    host,
    port: plan.port,
  };
  return [
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...plan.seeds.flatMap((seed) => ['--seed', seed]),
  ];
}

/**
 * Starts the first peer, waits until it listens, then the others, which join through it. From the
 * first on, a signal ends all that were started.
 * @param {readonly Plan[]} plans
 * @param {(plan: Plan) => Child} startOne
 * @returns {Promise<readonly Child[]>}
 */
async function startAll(plans, startOne) {
  /** @type {Child[]} */
  const children = [];
  const ending = endOnSignal(children);
  for (const plan of plans) {
    if (ending.aborted) break;
    const child = startOne(plan);
    children.push(child);
    if (plan.id === 1) await untilListening(plan.port, child, ending);
  }
  return children;
}

/**
 * Without the first peer nobody can join: if it has ended that is the end; while it runs, in a window
 * that shows why perhaps, the others try on.
 * @param {number} port
 * @param {Child} child
 * @param {AbortSignal} ending
 */
async function untilListening(port, child, ending) {
  const deadline = performance.now() + listenMs;
  while (isRunning(child) && !ending.aborted && performance.now() < deadline) {
    if (await answers(port)) return;
    await wait(50);
  }
  if (ending.aborted) return;
  const what = `Peer 1 does not listen on ${host}:${port}`;
  if (!isRunning(child)) throw new Complaint(`${what}: it has ended.`);
  say(`${what} after ${listenMs / 1000} s; the others try on until it does.`);
}

/** @param {number} port @returns {Promise<boolean>} */
function answers(port) {
  return new Promise((settle) => {
    const socket = connect({ port, host });
    socket.once('connect', () => {
      socket.destroy();
      settle(true);
    });
    socket.once('error', () => settle(false));
  });
}

/** @param {readonly Plan[]} plans */
async function runWindows(plans) {
  sayIfUnsandboxed();
  say('Close the windows, or press Ctrl-C here, to end.');
  const children = await startAll(plans, (plan) => {
    const first = plan.id === 1 && !existsSync(plan.folder) ? ['--start-group'] : [];
    const { command, args } = openCommand([...peerArguments(plan), ...first]);
    return spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: !isWindows,
    });
  });
  await Promise.all(children.map(whenEnded));
}

/** @param {readonly Plan[]} plans */
async function runInTerminal(plans) {
  say('No display: the peers share this terminal. "2 hello" is typed into peer 2; Ctrl-C ends.');
  const children = await startAll(plans, (plan) => {
    const child = spawn(projectNode, [cliBundle, ...peerArguments(plan)], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: !isWindows,
    });
    prefixLines(child, plan.id);
    // A peer that has left no longer reads; its end is told by its exit.
    child.stdin?.on('error', () => undefined);
    return child;
  });
  // Opened only now, so that lines which were piped in early wait for their peer.
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on('line', (line) => typeLine(children, line));
  lines.once('close', () => {
    for (const child of children) child.stdin?.end();
  });
  await Promise.all(children.map(whenEnded));
  lines.close();
  process.stdin.destroy();
}

/** @param {Child} child @param {number} id */
function prefixLines(child, id) {
  for (const [from, to] of /** @type {const} */ ([
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ])) {
    if (!from) continue;
    createInterface({ input: from }).on('line', (line) => to.write(`[${id}] ${line}\n`));
  }
  child.once('exit', (code) => say(`[${id}] ended${code ? ` with code ${code}` : ''}`));
}

/** @param {readonly Child[]} children @param {string} line */
function typeLine(children, line) {
  if (line.trim() === '') return;
  const [, number, text = ''] = /^\s*(\d+)\s*[: ]\s*(.*)$/.exec(line) ?? [];
  const child = number === undefined ? undefined : children[Number(number) - 1];
  if (!child) {
    say(`Begin with a peer's number, 1 to ${children.length}: "2 hello", or "1 /status".`);
  } else if (!isRunning(child)) {
    say(`Peer ${number} has ended.`);
  } else {
    child.stdin?.write(`${text}\n`);
  }
}

/**
 * The first signal asks every peer to leave; those that do not are ended. Each peer is a process
 * group of its own, so that a terminal's Ctrl-C reaches us alone and each gets one signal.
 * @param {readonly Child[]} children
 * @returns {AbortSignal} aborted once a signal has come
 */
function endOnSignal(children) {
  const ending = new AbortController();
  const end = () => {
    if (ending.signal.aborted) return;
    ending.abort();
    say('Leaving …');
    for (const child of children) child.kill('SIGTERM');
    setTimeout(() => {
      for (const child of children) child.kill('SIGKILL');
    }, leaveMs).unref();
  };
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', end);
  return ending.signal;
}

/** @param {Child} child */
function isRunning(child) {
  return child.exitCode === null && child.signalCode === null;
}

/** @param {Child} child @returns {Promise<void>} */
function whenEnded(child) {
  if (!isRunning(child)) return Promise.resolve();
  return new Promise((settle) => void child.once('exit', () => settle()));
}
