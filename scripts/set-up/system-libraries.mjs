/**
 * Programs and shared libraries of the operating system: which are missing, and how to get them.
 * Root on Debian and Ubuntu has them installed; everybody else is told the exact command.
 * Nothing is ever removed or upgraded.
 */
import { existsSync } from 'node:fs';
import { findInPath } from '../lib/paths.mjs';
import { capture, tail } from '../lib/processes.mjs';
import { Complaint, step } from '../lib/terminal.mjs';

const aptLimitMs = 300_000;

/** Library files that Electron links to, by the Debian package that holds them (newest name first). */
const packagesOfLibrary = /** @type {const} */ ([
  [
    /^libgtk-3|^libgdk|^libpango|^libcairo|^libatk|^libatspi|^libdbus|^libglib|^libgobject|^libgio/,
    ['libgtk-3-0t64', 'libgtk-3-0'],
  ],
  [/^libnss|^libnspr|^libsmime/, ['libnss3']],
  [/^libasound/, ['libasound2t64', 'libasound2']],
  [/^libgbm|^libdrm/, ['libgbm1']],
  [/^libXss/, ['libxss1']],
  [/^libXtst/, ['libxtst6']],
  [/^libcups/, ['libcups2t64', 'libcups2']],
]);
/** Installed together with whatever is missing: opened at run time, so the linker never names them. */
const always = [
  ['libxss1'],
  ['libxtst6'],
  ['libgtk-3-0t64', 'libgtk-3-0'],
  ['libnss3'],
  ['libgbm1'],
];

/**
 * The packages of libraries that an executable misses; each a list of names to try. Empty when
 * nothing is missing or this is not Linux.
 * @param {string} executable
 * @returns {Promise<readonly (readonly string[])[]>}
 */
export async function missingLibraries(executable) {
  if (process.platform !== 'linux' || !findInPath('ldd')) return [];
  const { stdout } = await capture('ldd', [executable]);
  const missing = [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '');
  if (missing.length === 0) return [];
  const known = packagesOfLibrary.filter(([pattern]) => missing.some((name) => pattern.test(name)));
  return [...known.map(([, names]) => names), ...always];
}

/** What the tests need to open windows without a display. @returns {readonly (readonly string[])[]} */
export function missingDisplayServer() {
  if (process.platform !== 'linux' || findInPath('Xvfb')) return [];
  return [['xvfb'], ['xauth']];
}

/** What compiling the SQLite addon needs. @returns {readonly (readonly string[])[]} */
export function missingCompiler() {
  if (process.platform !== 'linux') return [];
  const names = [];
  if (!findInPath('g++')) names.push(['g++']);
  if (!findInPath('make')) names.push(['make']);
  if (!findInPath('python3')) names.push(['python3']);
  return names;
}

/**
 * Installs packages, or says the command that does.
 * @param {string} reason what they are for, as the end of "… needed to"
 * @param {readonly (readonly string[])[]} wanted each a list of names, of which one is enough
 */
export async function installSystemPackages(reason, wanted) {
  if (wanted.length === 0) return;
  const newest = unique(wanted.map((names) => names.at(-1) ?? ''));
  if (!hasApt()) {
    throw new Complaint(
      `System packages are missing that are needed to ${reason}. Install what your system calls ` +
        `these Debian packages, then run this again: ${newest.join(' ')}`,
    );
  }
  if (!canInstallPackages()) {
    throw new Complaint(
      `System packages are missing that are needed to ${reason}. Run this, then try again:\n\n` +
        `  sudo apt-get update && sudo apt-get install -y ${newest.join(' ')}`,
    );
  }
  await step(`Installing system packages to ${reason}: ${newest.join(' ')}`, async () => {
    await apt(['update']);
    const names = unique(await Promise.all(wanted.map(availableName)));
    await apt(['install', '-y', '--no-install-recommends', ...names]);
  });
}

function hasApt() {
  return existsSync('/etc/debian_version') && findInPath('apt-get') !== null;
}

/** Whether set-up may install system packages itself: root, on Debian or a system made from it. */
export function canInstallPackages() {
  return hasApt() && process.getuid?.() === 0;
}

/** Distributions rename packages (…t64); the first name with a candidate is the one here.
 * @param {readonly string[]} names */
async function availableName(names) {
  for (const name of names) {
    const { stdout } = await capture('apt-cache', ['policy', name]);
    if (/Candidate: (?!\(none\))/.test(stdout)) return name;
  }
  return names.at(-1) ?? '';
}

/** @param {readonly string[]} args */
async function apt(args) {
  const result = await capture('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    limitMs: aptLimitMs,
  });
  if (result.code !== 0) {
    throw new Complaint(
      `${tail(result.output)}\n\napt-get ${args[0]} failed; its reason is above. Mend that (often ` +
        'the network, or another apt-get that is running), then run this again.',
    );
  }
}

/** @param {readonly string[]} names */
function unique(names) {
  return [...new Set(names)];
}
