/**
 * Light markdown for messages, as a small tree of our own nodes. What somebody reads is what was typed: each
 * line, blank and number stands where it stood, and only marks that have become visible in another way are
 * left out. No HTML, no image, no heading, no table, no list that counts for itself. Text from the network may
 * be hostile: quotes nest to a limit, and the time taken grows with the length alone.
 */
import { parseLine } from './parse-line.ts';
import type { TextNode } from './text-node.ts';

/** Deepest nesting of quotes; what goes deeper is shown as typed. */
const QUOTES_MAX = 6;

/** Three backticks or more, and perhaps the name of a language. */
const FENCE = /^ {0,3}(`{3,})([^`\s]*)\s*$/;

/** A quote needs a blank after its sign: >:( is none. */
const QUOTE = /^>+(?: |$)/;

/** A bullet or a number before something. */
const ITEM = /^[ \t]*(?:[-*+•]|\d{1,9}[.)])[ \t]+(?=\S)/;

/** A block and how many lines it was made of. */
interface Block {
  readonly node: TextNode;
  readonly lines: number;
}

/** A message's text as nodes. */
export function parseText(text: string): readonly TextNode[] {
  return text === '' ? [] : parseLines(text.split(/\r\n|[\r\n]/), 0);
}

function parseLines(lines: readonly string[], quotes: number): readonly TextNode[] {
  const nodes: TextNode[] = [];
  let typed: string[] = [];
  for (let at = 0; at < lines.length;) {
    const block = blockAt(lines, at, quotes);
    if (typeof block === 'number') {
      typed.push(...lines.slice(at, at + block));
      at += block;
    } else {
      if (typed.length > 0) nodes.push(paragraphOf(typed));
      typed = [];
      nodes.push(block.node);
      at += block.lines;
    }
  }
  if (typed.length > 0) nodes.push(paragraphOf(typed));
  return nodes;
}

/** The block that begins at a line, or how many lines stay as typed. */
function blockAt(lines: readonly string[], at: number, quotes: number): Block | number {
  const line = lines[at] ?? '';
  const fence = FENCE.exec(line);
  if (fence !== null)
    return fencedAt(lines, at, { ticks: fence[1] ?? '', language: fence[2] ?? '' });
  if (QUOTE.test(line) && quotes < QUOTES_MAX) return quoteAt(lines, at, quotes);
  const indent = ITEM.exec(line)?.[0].length;
  if (indent === undefined) return 1;
  return { node: { tag: 'item', children: parseLine(line), indent }, lines: 1 };
}

/** Code up to a fence at least as long, or to the end. An empty one would not be seen. */
function fencedAt(
  lines: readonly string[],
  at: number,
  { language, ticks }: { readonly ticks: string; readonly language: string },
): Block | number {
  let end = at + 1;
  while (end < lines.length && !closes(lines[end] ?? '', ticks)) end += 1;
  const code = lines.slice(at + 1, end).join('\n');
  const taken = Math.min(end + 1, lines.length) - at;
  if (code.trim() === '') return taken;
  const node: TextNode = { tag: 'pre', children: [code] };
  return { node: language === '' ? node : { ...node, language }, lines: taken };
}

function closes(line: string, ticks: string): boolean {
  const [, width = '', language = ''] = FENCE.exec(line) ?? [];
  return width.length >= ticks.length && language === '';
}

function quoteAt(lines: readonly string[], at: number, quotes: number): Block | number {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end] ?? '')) end += 1;
  const quoted = lines.slice(at, end).map((line) => line.replace(/^> ?/, ''));
  if (quoted.every((line) => /^[>\s]*$/.test(line))) return quoted.length;
  const children = parseLines(quoted, quotes + 1);
  return { node: { tag: 'blockquote', children }, lines: quoted.length };
}

/** Lines as typed, with their marks; in as few pieces as they allow, because there may be very many. */
function paragraphOf(lines: readonly string[]): TextNode {
  const children: TextNode[] = [];
  let plain = '';
  for (const [index, line] of lines.entries()) {
    if (index > 0) plain += '\n';
    for (const node of parseLine(line)) {
      if (typeof node === 'string') {
        plain += node;
      } else {
        if (plain !== '') children.push(plain);
        plain = '';
        children.push(node);
      }
    }
  }
  // On screen the last break of a block ends its last line and shows no further one.
  if (lines.at(-1) === '') plain += '\n';
  if (plain !== '') children.push(plain);
  return { tag: 'p', children };
}
