/**
 * The tiers of the test suite, in the order they run: what each starts and how long it may take. A
 * tier tells how many tests passed and failed; one that cannot tell counts as one.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runChecks } from '../check.mjs';
import { openDisplay } from './display.mjs';
import { nodeModules, projectNode, root } from './paths.mjs';
import { runGroup } from './processes.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number, code: number }} Outcome */
/** @typedef {'check' | 'unit' | 'sim' | 'processes' | 'app'} TierName */

const minuteMs = 60_000;

/** @type {Readonly<Record<TierName, (args: readonly string[]) => Promise<Outcome>>>} */
export const tiers = {
  check: async () => {
    const { passed, failed } = await runChecks();
    return { passed, failed, skipped: 0, code: failed === 0 ? 0 : 1 };
  },
  unit: (args) => runVitest(['--project=unit', '--project=renderer', ...args], 3 * minuteMs),
  sim: runSimulation,
  processes: (args) => runVitest(['--project=processes', ...args], 4 * minuteMs),
  app: async (args) => {
    const display = await openDisplay();
    try {
      return await runVitest(['--project=app', ...args], 5 * minuteMs, display.env);
    } finally {
      await display.close();
    }
  },
};

/** @param {readonly string[]} args @returns {Promise<Outcome>} */
async function runSimulation(args) {
  const options = args.length > 0 ? args : ['--quick'];
  const code = await runGroup(projectNode, [join(root, 'e2e', 'sim', 'run.ts'), ...options], {
    env: toolsFirst(),
    limitMs: 3 * minuteMs,
  });
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, code };
}

/**
 * @param {readonly string[]} args
 * @param {number} limitMs
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<Outcome>}
 */
async function runVitest(args, limitMs, env = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-tests-'));
  try {
    const report = join(folder, 'report.json');
    const vitest = join(nodeModules, 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await runGroup(projectNode, [vitest, 'run', ...reporters, ...args], {
      env: { ...toolsFirst(), ...env },
      limitMs,
    });
    return await readReport(report, code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string} report @param {number} code @returns {Promise<Outcome>} */
async function readReport(report, code) {
  let counts;
  try {
    counts = JSON.parse(await readFile(report, 'utf8'));
  } catch {
    // Vitest did not get as far as its report: the tier failed as a whole.
    return { passed: 0, failed: 1, skipped: 0, code: code === 0 ? 1 : code };
  }
  const passed = Number(counts.numPassedTests);
  // A file that cannot even be loaded, or an unhandled error, has no failed test but fails the run.
  const failed = Number(counts.numFailedTests) || (code === 0 ? 0 : 1);
  return { passed, failed, skipped: Number(counts.numPendingTests), code };
}

/** Tests start `node` and tools by name, and must find the repository's. @returns {NodeJS.ProcessEnv} */
function toolsFirst() {
  return { PATH: `${join(nodeModules, '.bin')}${delimiter}${process.env['PATH'] ?? ''}` };
}
