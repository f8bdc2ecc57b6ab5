/**
 * Light markdown for messages: markdown-it's tokens as a small tree of our own nodes. No HTML goes in or
 * comes out, no image, no heading, no table; only http, https and mailto become links. Text from the network
 * may be hostile: nesting is limited, and beyond a length it is shown as it is.
 */
import MarkdownIt from 'markdown-it';
import type { Token } from 'markdown-it';

/** Longest text that is parsed, in UTF-16 units; a longer one is a single plain paragraph. */
export const MARKDOWN_LENGTH_MAX = 8_000;

/** Deepest nesting of lists, quotes and emphasis; a text that goes deeper is shown as typed. */
const NESTING_MAX = 24;

export type TextTag =
  | 'p'
  | 'strong'
  | 'em'
  | 's'
  | 'code'
  | 'pre'
  | 'blockquote'
  | 'ul'
  | 'ol'
  | 'li'
  | 'br'
  | 'a';

/** Plain text, or an element with children. */
export type TextNode =
  | string
  | {
      readonly tag: TextTag;
      readonly children: readonly TextNode[];
      /** Target of a link. */
      readonly href?: string;
      /** First number of an ordered list. */
      readonly start?: number;
    };

const markdown = new MarkdownIt('default', {
  html: false,
  linkify: true,
  breaks: true,
  typographer: false,
  maxNesting: NESTING_MAX,
}).disable([
  'heading',
  'lheading',
  'hr',
  'table',
  'html_block',
  'html_inline',
  'image',
  'reference',
  'code',
  'entity',
]);
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
markdown.validateLink = isOpenable;

/** Whether a link may be shown as one: main checks again before it opens anything. */
export function isOpenable(url: string): boolean {
  return /^(https?:\/\/[^\s/]|mailto:[^\s])/i.test(url);
}

/** A message's text as nodes. */
export function parseText(text: string): readonly TextNode[] {
  if (text.length > MARKDOWN_LENGTH_MAX) return asTyped(text);
  const tokens = markdown.parse(text, {});
  // The parser drops what lies deeper than its limit; nothing that somebody wrote may disappear.
  if (tokens.some((token) => token.level >= NESTING_MAX - 2)) return asTyped(text);
  return toNodes(tokens);
}

function asTyped(text: string): readonly TextNode[] {
  return [{ tag: 'p', children: [text] }];
}

interface Open {
  readonly tag: TextTag | null;
  readonly children: TextNode[];
  readonly attributes: { readonly href?: string; readonly start?: number };
}

const CONTAINERS: Readonly<Record<string, TextTag>> = {
  paragraph: 'p',
  strong: 'strong',
  em: 'em',
  s: 's',
  blockquote: 'blockquote',
  bullet_list: 'ul',
  ordered_list: 'ol',
  list_item: 'li',
  link: 'a',
};

/** Opening and closing tokens are matched by a stack; a closing one always belongs to the top. */
function toNodes(tokens: readonly Token[]): readonly TextNode[] {
  const root: Open = { tag: null, children: [], attributes: {} };
  const stack: Open[] = [root];
  for (const token of tokens) {
    const top = stack.at(-1) ?? root;
    if (token.nesting === 1) {
      stack.push({ tag: tagOf(token), children: [], attributes: attributesOf(token) });
    } else if (token.nesting === -1) {
      if (stack.length > 1) stack.pop();
      closeInto(stack.at(-1) ?? root, top);
    } else {
      top.children.push(...leaf(token));
    }
  }
  return root.children;
}

/** What has no tag (the hidden paragraph of a tight list) hands its children up. */
function closeInto(parent: Open, closed: Open): void {
  const { tag, children, attributes } = closed;
  if (tag === null) parent.children.push(...children);
  else parent.children.push({ tag, children, ...attributes });
}

function tagOf(token: Token): TextTag | null {
  if (token.hidden) return null;
  return CONTAINERS[token.type.replace(/_open$/, '')] ?? null;
}

function attributesOf(token: Token): { readonly href?: string; readonly start?: number } {
  const href = token.attrGet('href');
  if (token.type === 'link_open' && typeof href === 'string') return { href };
  const start = Number(token.attrGet('start'));
  return token.type === 'ordered_list_open' && start > 1 ? { start } : {};
}

function leaf(token: Token): readonly TextNode[] {
  switch (token.type) {
    case 'inline':
      return toNodes(token.children ?? []);
    case 'softbreak':
    case 'hardbreak':
      return [{ tag: 'br', children: [] }];
    case 'code_inline':
      return [{ tag: 'code', children: [token.content] }];
    case 'fence':
      return [{ tag: 'pre', children: [token.content.replace(/\n$/, '')] }];
    default:
      return token.content === '' ? [] : [token.content];
  }
}
