/**
 * better-sqlite3's compiled half. Its prebuilt binary serves Node 22 and newer and the pinned
 * Electron; in Node 20 and in the stand-in Electron it crashes. Where either may load it, one binary
 * that serves all of them is compiled, once for this user, and put where the package looks first.
 * Packaging for release leaves it out.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder, machineNode, nodeModules, projectNode } from '../lib/paths.mjs';
import { capture, runNpm, tail } from '../lib/processes.mjs';
import { Complaint, step } from '../lib/terminal.mjs';
import { canInstallPackages, installSystemPackages, missingCompiler } from './system-libraries.mjs';

const packageFolder = join(nodeModules, 'better-sqlite3');
const placed = join(packageFolder, 'build', 'Release', 'better_sqlite3.node');
const oldestNodeForPrebuild = 22;
/** Node-API symbols are looked up at run time with these, so that one binary fits every host. */
const compilerFlags =
  '-UNAPI_VERSION -DNAPI_VERSION=2147483647 -DNAPI_EXPERIMENTAL ' +
  '-DNODE_API_EXPERIMENTAL_NOGC_ENV_OPT_OUT';
const compileLimitMs = 600_000;

/**
 * Whether a compiled binary has to be put in place. The stand-in Electron cannot do without it; for
 * an old Node of the machine, which only serves who starts dist/main/cli.js without npm, it is made
 * where a compiler is at hand.
 * @param {boolean} standInElectron
 */
export async function addonIsMissing(standInElectron) {
  if (existsSync(placed)) return false;
  if (standInElectron) return true;
  if ((await machineNodeMajor()) >= oldestNodeForPrebuild) return false;
  return missingCompiler().length === 0 || canInstallPackages();
}

async function machineNodeMajor() {
  if (machineNode() === process.execPath) return Number.parseInt(process.versions.node, 10);
  const { stdout } = await capture(machineNode(), ['-p', 'process.versions.node']);
  return Number.parseInt(stdout, 10);
}

/** Puts the compiled binary in place, from this user's cache or by compiling it. */
export async function installAddon() {
  const cached = join(cacheFolder(), `better-sqlite3-${cacheKey()}.node`);
  if (!existsSync(cached)) {
    await installSystemPackages('compile SQLite', missingCompiler());
    await step('Compiling SQLite for every Node and Electron here (about a minute, once)', () =>
      compile(cached),
    );
  }
  await mkdir(dirname(placed), { recursive: true });
  await copyFile(cached, `${placed}.${process.pid}`);
  await rename(`${placed}.${process.pid}`, placed);
  await tryLoading();
}

function cacheKey() {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const recipe = createHash('sha256').update(readFileSync(join(packageFolder, 'binding.gyp')));
  recipe.update(compilerFlags);
  return [version, process.platform, process.arch, recipe.digest('hex').slice(0, 12)].join('-');
}

/** @param {string} target */
async function compile(target) {
  // Inside node_modules, so that the sources find the headers package they ask for.
  const work = join(nodeModules, '.compiling-better-sqlite3');
  try {
    // What an interrupted run left there; the lock on set-up keeps a second one out.
    await rm(work, { recursive: true, force: true });
    await cp(packageFolder, work, { recursive: true });
    const nodeGyp = join(nodeModules, 'node-gyp', 'bin', 'node-gyp.js');
    const headers = await headersFolder(work);
    const result = await capture(
      projectNode,
      [nodeGyp, 'rebuild', '--release', '--force_build=1', `--nodedir=${headers}`],
      { cwd: work, env: { CXXFLAGS: compilerFlags }, limitMs: compileLimitMs },
    );
    const built = join(work, 'build', 'Release', 'better_sqlite3.node');
    if (result.code !== 0 || !existsSync(built)) {
      throw new Complaint(
        `${tail(result.output)}\n\nSQLite could not be compiled; the reason is above. It needs a ` +
          'C++20 compiler, make and Python 3. Install them, then run this again.',
      );
    }
    await mkdir(dirname(target), { recursive: true });
    await copyFile(built, `${target}.${process.pid}`);
    await rename(`${target}.${process.pid}`, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Node's C headers: those of the machine, else those that Node's npm package carries.
 * @param {string} work */
async function headersFolder(work) {
  const prefix = join(dirname(machineNode()), '..');
  if (existsSync(join(prefix, 'include', 'node', 'node_api.h'))) return prefix;
  const { version } = JSON.parse(readFileSync(join(nodeModules, 'node', 'package.json'), 'utf8'));
  const name = `node-${process.platform}-${process.arch}@${version}`;
  const fetched = await runNpm(['pack', name, '--silent'], { cwd: work });
  const tarball = fetched.stdout.trim().split('\n').at(-1) ?? '';
  const unpacked = await capture('tar', ['-xzf', tarball, 'package/include'], { cwd: work });
  if (fetched.code !== 0 || unpacked.code !== 0) {
    throw new Complaint(
      `${tail(fetched.output)}\n\nNode's headers (${name}) could not be fetched. Check the network ` +
        'or proxy, then run this again.',
    );
  }
  return join(work, 'package');
}

async function tryLoading() {
  const program =
    "const D = require('better-sqlite3'); const d = new D(':memory:');" +
    "if (d.prepare('select 1 as one').get().one !== 1) process.exit(2); d.close()";
  for (const node of new Set([projectNode, machineNode()])) {
    const result = await capture(node, ['-e', program], { limitMs: 30_000 });
    if (result.code !== 0) {
      await rm(placed, { force: true });
      throw new Complaint(
        `${tail(result.output)}\n\nThe compiled SQLite does not load in ${node}. Delete ` +
          `${cacheFolder()} and run this again.`,
      );
    }
  }
}
