/**
 * The text of a protocol script, in the manner of data-driven tests: comments that tell the story, then
 * blocks of commands, a line `----`, and what the commands showed, up to an empty line. Running a script
 * renders it anew with what was shown now, so that comparing the two texts is the test. It knows nothing
 * of what commands mean.
 */

/** One line of a block, split at spaces. */
export interface Command {
  readonly name: string;
  readonly args: readonly string[];
  /** Number of the line in the file, from 1. */
  readonly line: number;
}

const SEPARATOR = '----';

/**
 * Runs every block of `text` with `execute`, which is given the block's commands and returns the lines to
 * show, and returns the whole text with those lines in place.
 */
export function rerender(
  text: string,
  execute: (commands: readonly Command[]) => readonly string[],
): string {
  const out: string[] = [];
  let block: Command[] = [];
  let skipping = false;
  for (const [i, line] of text.split('\n').entries()) {
    if (skipping && line !== '') continue;
    skipping = false;
    out.push(line);
    if (line === SEPARATOR) {
      const lines = execute(block);
      out.push(...(lines.length === 0 ? ['ok'] : lines));
      block = [];
      skipping = true;
    } else if (line !== '' && !line.startsWith('#')) {
      const [name = '', ...args] = line.trim().split(/\s+/);
      block.push({ name, args, line: i + 1 });
    }
  }
  if (block.length > 0) throw new Error(`line ${block[0]?.line}: commands without ${SEPARATOR}`);
  return out.at(-1) === '' ? out.join('\n') : `${out.join('\n')}\n`;
}
