/**
 * The options of the repository's own tools, read strictly: what is unknown or out of range ends the
 * tool with code 2 and a line that names it, before it has started, measured or overwritten anything.
 */
import { parseArgs } from 'node:util';
import { say } from './terminal.mjs';

const EXIT_BAD_OPTION = 2;

/**
 * What parseArgs makes of the command line.
 * @template {import('node:util').ParseArgsConfig} T
 * @param {T} config
 * @returns {ReturnType<typeof parseArgs<T>>}
 */
export function readOptions(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
    return refuse(message);
  }
}

/**
 * @param {string} name without its dashes
 * @param {string} text
 * @param {{ min?: number, max?: number }} [range] from 1 unless it says otherwise
 */
export function wholeNumber(name, text, { min = 1, max = Number.MAX_SAFE_INTEGER } = {}) {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const upTo = max === Number.MAX_SAFE_INTEGER ? 'up' : `to ${max}`;
  return refuse(`--${name} takes a whole number from ${min} ${upTo}, not "${text}".`);
}

/** @param {string} name without its dashes @param {string} text */
export function positiveNumber(name, text) {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return value > 0 ? value : refuse(`--${name} takes a number above 0, not "${text}".`);
}

/**
 * @template {string} T
 * @param {string} name without its dashes
 * @param {string} text
 * @param {readonly T[]} choices
 * @returns {T}
 */
export function oneOf(name, text, choices) {
  const found = choices.find((choice) => choice === text);
  return found ?? refuse(`--${name} takes ${choices.join(', ')}, not "${text}".`);
}

/** @param {string} message @returns {never} */
function refuse(message) {
  say(message);
  process.exit(EXIT_BAD_OPTION);
}
