/**
 * markdown-it as messages need it: a well-tested reading of marks, quotes, code and addresses, and its bounds on
 * hostile text, are its own; most of its rules are off, because they take away what somebody typed. A paragraph
 * keeps its lines with all their blanks, marks count only at the borders of words, and no link lies.
 */
import MarkdownIt from 'markdown-it';
import type { StateBlock } from 'markdown-it';
import { TEXT_BYTES_MAX } from '../../shared/model.ts';

/** Deepest nesting of quotes; what goes deeper is shown as typed. */
const QUOTES_MAX = 6;

/** A quote needs a blank after its sign: >:( is none. */
const QUOTE = /^>+(?:\s|$)/;

/** Of backticks: a row of tildes is an ornament. */
const FENCE = /^ {0,3}`{3,}[^`]*$/;

/** A bullet or a number before something. */
const ITEM = /^[ \t]*(?:[-*+•]|\d{1,9}[.)])[ \t]+(?=\S)/;

/** Marks that may open: after a blank, a quotation mark or a bracket, and not before what patterns are full of. */
const OPENING = /(?<=^|[\s("'“‘«—–*_~])(?:\*+(?!\*)|_(?!_)|~+(?!~))(?![\s.,;:!?)\]}>"'”’»…/\\]|$)/y;

/** Marks that may close: before a blank, but for a few signs; a few, so that reading takes linear time. */
const CLOSING =
  /(?<=[^\s([{<])(?:\*+(?!\*)|_(?!_)|~+(?!~))(?=[.,;:!?)\]}>"'”’»…*_~]{0,9}(?:\s|$))/y;

/**
 * `[label](address)`, where the label is words: without a dot, a colon, a slash or an at sign none looks like
 * an address. The address is as typed: without a title, and without escapes and entities to be replaced.
 */
const LABELLED =
  /\[(?=[^[\]]*[\p{L}\p{Nd}])[\p{L}\p{M}\p{Nd} ,!?'’"“”&+–-]+\]\((?:[^\s()<>"\\&]|&(?!#?\w+;)|\([^\s()<>"\\&]*\))+\)/uy;

export const markdown = new MarkdownIt();
const { block, core, inline, linkify } = markdown;

// Only what begins like an address is one, however long; it is shown and opened as it was typed.
linkify.set({ fuzzyEmail: false, fuzzyLink: false, urlAuth: true, maxLength: TEXT_BYTES_MAX });
markdown.normalizeLink = (url) => url;
markdown.validateLink = isOpenable;

// Not `normalize`, which replaces a character; not `linkify`, which misses an address after ~~ or _.
core.ruler.enableOnly(['block', 'inline']);

// Not `escape`, `entity`, `newline`: they lose backslashes, characters, blanks. Not `linkify`: it takes marks
// after an address for a part of it. Not `html_inline`, `image`, `autolink`: nobody sees what was typed.
inline.ruler.enableOnly(['text', 'backticks', 'strikethrough', 'emphasis', 'link']);

/** Whether a link may be shown as one: main checks again before it opens anything. */
export function isOpenable(url: string): boolean {
  // Characters that are not seen, or turn others round, would make it look like another address.
  return /^(?:https?:\/\/[^\s/]|mailto:[^\s])/i.test(url) && !/[\p{Cc}\p{Cf}]/u.test(url);
}

/** A bracket that begins no link that may be one is text. */
inline.ruler.before('link', 'bracket', (state, silent) => {
  if (state.src.charAt(state.pos) !== '[' || matchesAt(LABELLED, state.src, state.pos))
    return false;
  if (!silent) state.pending += '[';
  state.pos += 1;
  return true;
});

inline.State = class extends inline.State {
  /** 2*3*4, __init__.py and *.ts stay as typed. */
  override scanDelims(start: number) {
    return {
      can_open: matchesAt(OPENING, this.src, start),
      can_close: matchesAt(CLOSING, this.src, start),
      length: super.scanDelims(start, false).length,
    };
  }
};

block.State = class extends block.State {
  /** Empty lines are lines like others. */
  override isEmpty(): boolean {
    return false;
  }
  override skipEmptyLines(from: number): number {
    return from;
  }
};

// Not `heading`, `lheading`, `hr`, `table`, `reference`, `html_block`: their signs would be lost. Not `code` and
// `list`: they lose blanks and number for themselves. `fence` and `blockquote` see only lines that they may take.
block.ruler.enableOnly(['fence', 'blockquote']);
const [fence, blockquote] = block.ruler.getRules('');
block.ruler.enableOnly(['paragraph']);
block.ruler.at('paragraph', (state, start, end) => {
  const kind = kindOf(state, start);
  if (kind === 'fence') return fence?.(state, start, end, false) === true;
  let until = start + 1;
  while (kind !== 'item' && until < end && kindOf(state, until) === kind) until += 1;
  // An answer below a quote is no part of it.
  if (kind === 'blockquote') return blockquote?.(state, start, until, false) === true;
  const indent = ITEM.exec(lineOf(state, start))?.[0].length;
  state.push('paragraph_open', kind, 1).meta = { indent };
  for (; state.line < until; state.line += 1) {
    if (state.line > start) state.push('text', '', 0).content = '\n';
    const line = state.push('inline', '', 0);
    line.content = lineOf(state, state.line);
    line.children = [];
  }
  // On screen the last break of a block ends its last line and shows no further one.
  if (lineOf(state, until - 1) === '') state.push('text', '', 0).content = '\n';
  state.push('paragraph_close', kind, -1);
  return true;
});

function kindOf(state: StateBlock, line: number): 'fence' | 'blockquote' | 'item' | 'p' {
  const text = lineOf(state, line);
  if (FENCE.test(text)) return 'fence';
  if (QUOTE.test(text) && state.level < QUOTES_MAX) return 'blockquote';
  return ITEM.test(text) ? 'item' : 'p';
}

/** A line without the signs of the quotes around it. */
function lineOf(state: StateBlock, line: number): string {
  return state.getLines(line, line + 1, 0, false);
}

function matchesAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}
