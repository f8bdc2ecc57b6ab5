/**
 * What the scripts say to the person at the terminal. Everything goes to stderr, so that stdout
 * stays free for what a script was asked for (a path, a peer's JSON lines).
 * A failure that a person can mend is a Complaint: one sentence that says what to do, no stack.
 */

const progressEveryMs = 15_000;

/** An expected failure; its message is a sentence with the way out. */
export class Complaint extends Error {}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** @param {number} sinceMs from performance.now() */
export function secondsSince(sinceMs) {
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}

/**
 * Runs one slow step, says that it began, that it still goes on, and how long it took.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const begin = performance.now();
  say(`• ${title} …`);
  const still = setInterval(
    () => say(`  … ${title}: still going, ${secondsSince(begin)} s`),
    progressEveryMs,
  );
  try {
    const result = await work();
    say(`  done in ${secondsSince(begin)} s`);
    return result;
  } finally {
    clearInterval(still);
  }
}

/**
 * Runs a script's body; ends the process with 1 and a sentence when it fails.
 * @param {() => Promise<number | void>} body its result is the exit code
 */
export function runScript(body) {
  body().then(
    (code) => {
      process.exitCode = code ?? 0;
    },
    (/** @type {unknown} */ error) => {
      if (error instanceof Complaint) say(`\n${error.message}`);
      else say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      process.exitCode = 1;
    },
  );
}
