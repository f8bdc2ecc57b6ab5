/**
 * Marks inside one line: `code`, **strong**, *emphasis* or _emphasis_, ~~struck~~, links. A mark counts only
 * at the borders of words, as people set it and programs do not: 2*3*4, __init__.py and *.ts stay as typed.
 * Whatever is no mark is handed on character by character. Takes time in proportion to the line's length.
 */
import { addressAt, labelledLinkAt } from './links.ts';
import type { Piece } from './links.ts';
import type { TextNode, TextTag } from './text-node.ts';

/** Where a mark or a link may begin. */
const SPECIAL = /[`*_~[]|https?:\/\/|mailto:/gi;

/** What may stand before an opening mark, beside a blank and nothing. */
const BEFORE = /[\s("'“‘«—–]/;

/** What an opening mark may not be followed by: code and patterns are full of it. */
const NOT_AFTER_OPENING = /[\s.,;:!?)\]}>"'”’»…/\\]/;

/** What a closing mark may not follow. */
const NOT_BEFORE_CLOSING = /[\s([{<]/;

/** What may stand between a closing mark and the next blank. */
const AFTER = /[.,;:!?)\]}>"'”’»…]*(?:\s|$)/y;

/** How many of a character, on each side, mean what. Three are two and one. */
const MARKS: Readonly<Record<string, Readonly<Record<number, { width: number; tag: TextTag }>>>> = {
  '*': {
    1: { width: 1, tag: 'em' },
    2: { width: 2, tag: 'strong' },
    3: { width: 2, tag: 'strong' },
  },
  // Two underscores are how names in programs begin.
  _: { 1: { width: 1, tag: 'em' } },
  '~': { 2: { width: 2, tag: 's' } },
};

/** One line that is being read. */
interface Reading {
  readonly line: string;
  /** Marks that are open around it: none stands inside its like. */
  readonly inside: readonly TextTag[];
  /** Marks that are known not to be closed in the rest of the line. */
  readonly unclosed: Set<string>;
}

/** A line as nodes. */
export function parseLine(line: string, inside: readonly TextTag[] = []): readonly TextNode[] {
  const reading: Reading = { line, inside, unclosed: new Set() };
  const nodes: TextNode[] = [];
  let typedFrom = 0;
  let at = 0;
  for (;;) {
    SPECIAL.lastIndex = at;
    const found = SPECIAL.exec(line);
    if (found === null) break;
    const piece = pieceAt(reading, found.index);
    if (piece === null) {
      at = runEnd(line, found.index);
    } else {
      if (found.index > typedFrom) nodes.push(line.slice(typedFrom, found.index));
      nodes.push(piece.node);
      typedFrom = piece.end;
      at = piece.end;
    }
  }
  if (typedFrom < line.length) nodes.push(line.slice(typedFrom));
  return nodes;
}

function pieceAt(reading: Reading, at: number): Piece | null {
  switch (reading.line.charAt(at)) {
    case '`':
      return codeAt(reading, at);
    case '*':
    case '_':
    case '~':
      return markedAt(reading, at);
    case '[':
      return labelledLinkAt(reading.line, at);
    default:
      return addressAt(reading.line, at);
  }
}

/** Code ends at as many backticks as it began with. */
function codeAt({ line, unclosed }: Reading, at: number): Piece | null {
  const from = runEnd(line, at);
  const width = from - at;
  if (unclosed.has(`code ${width}`)) return null;
  let close = line.indexOf('`', from);
  while (close !== -1 && runEnd(line, close) - close !== width) {
    close = line.indexOf('`', runEnd(line, close));
  }
  if (close === -1) {
    unclosed.add(`code ${width}`);
    return null;
  }
  const typed = line.slice(from, close);
  if (typed.trim() === '') return null;
  // A blank on both sides lets code begin or end with a backtick.
  const code = typed.startsWith(' ') && typed.endsWith(' ') ? typed.slice(1, -1) : typed;
  return { node: { tag: 'code', children: [code] }, end: close + width };
}

function markedAt({ line, inside, unclosed }: Reading, at: number): Piece | null {
  const mark = MARKS[line.charAt(at)]?.[runEnd(line, at) - at];
  if (mark === undefined || inside.includes(mark.tag)) return null;
  const { tag, width } = mark;
  const from = at + width;
  if (at > 0 && !BEFORE.test(line.charAt(at - 1))) return null;
  if (from === line.length || NOT_AFTER_OPENING.test(line.charAt(from))) return null;
  const name = line.slice(at, from);
  if (unclosed.has(name)) return null;
  const close = closingMark(line, name, from);
  if (close === -1) {
    unclosed.add(name);
    return null;
  }
  const children = parseLine(line.slice(from, close), [...inside, tag]);
  return { node: { tag, children }, end: close + width };
}

/** Where the mark that closes one begins, after at least one character; -1 if there is none. */
function closingMark(line: string, name: string, from: number): number {
  const character = name.charAt(0);
  let run = line.indexOf(character, from + 1);
  while (run !== -1) {
    const end = runEnd(line, run);
    const close = end - name.length;
    const width = end - run;
    if (
      // Of three, the last close what was opened first.
      (width === name.length || (width === 3 && character === '*')) &&
      !NOT_BEFORE_CLOSING.test(line.charAt(close - 1)) &&
      matchesAt(AFTER, line, end)
    ) {
      return close;
    }
    run = line.indexOf(character, end);
  }
  return -1;
}

function matchesAt(pattern: RegExp, line: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(line);
}

/** The position after the last of the same characters in a row. */
function runEnd(line: string, at: number): number {
  let end = at + 1;
  while (line.charAt(end) === line.charAt(at)) end += 1;
  return end;
}
