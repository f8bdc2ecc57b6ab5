/**
 * A display for tests where the machine has none: an Xvfb of our own on a free number, ended by its
 * process id.
 */
import { spawn } from 'node:child_process';
import { hasDisplay } from '../set-up.mjs';
import { Complaint } from './terminal.mjs';

const startLimitMs = 15_000;

/**
 * The environment that windows need, and how to give it back.
 * @returns {Promise<{ env: NodeJS.ProcessEnv, close: () => Promise<void> }>}
 */
export async function openDisplay() {
  if (hasDisplay()) return { env: {}, close: async () => undefined };
  const server = spawn(
    'Xvfb',
    ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp', '-noreset'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise((done) => server.once('exit', done));
  const close = async () => {
    server.kill('SIGTERM');
    await ended;
  };
  const number = await displayNumber(server);
  process.once('exit', () => server.kill('SIGTERM'));
  return { env: { DISPLAY: `:${number}` }, close };
}

/** Xvfb writes the number it took once it accepts connections.
 * @param {import('node:child_process').ChildProcess} server
 * @returns {Promise<string>} */
function displayNumber(server) {
  return new Promise((settle, fail) => {
    const timer = setTimeout(() => {
      server.kill('SIGKILL');
      fail(new Complaint(`Xvfb was not ready within ${startLimitMs / 1000} s.`));
    }, startLimitMs);
    let text = '';
    const pipe = /** @type {import('node:stream').Readable} */ (server.stdio[3]);
    pipe.setEncoding('utf8').on('data', (/** @type {string} */ more) => {
      text += more;
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      settle(text.trim());
    });
    const gone = (/** @type {unknown} */ reason) => {
      clearTimeout(timer);
      fail(new Complaint(`Xvfb could not start (${String(reason)}). Is it installed?`));
    };
    server.once('error', gone).once('exit', gone);
  });
}
