/**
 * Light markdown for messages, as a small tree of our own nodes. What somebody reads is what was typed: each
 * line, blank and number stands where it stood, and only marks that have become visible in another way are
 * left out. Text from the network may be hostile: nesting is limited, and the time taken grows with the length
 * alone.
 */
import type { Token } from 'markdown-it';
import { isOpenable, markdown } from './markdown.ts';
import type { TextNode, TextTag } from './text-node.ts';

/** Deepest nesting of marks in a line; those that go deeper are shown as typed. */
const MARKS_MAX = 6;

/** A message's text as nodes. */
export function parseText(text: string): readonly TextNode[] {
  if (text === '') return [];
  // A break at the end of a text begins a line as well.
  const lines = `${text.replaceAll(/\r\n?/g, '\n')}\n`;
  const nodes = toNodes(markdown.parse(lines, {}).values());
  // Marks around nothing would not be seen.
  return nodes.some(isSeen) ? nodes : [{ tag: 'p', children: [text] }];
}

/** Reads up to the token that closes what is being read. */
function toNodes(tokens: ArrayIterator<Token>): readonly TextNode[] {
  const nodes: TextNode[] = [];
  for (const token of tokens) {
    const isMark = token.nesting !== 0 && !token.block && token.tag !== 'a';
    if (isMark && token.level >= MARKS_MAX) add(nodes, token.markup);
    else if (token.nesting === -1) break;
    else if (token.nesting === 1) add(nodes, element(token, toNodes(tokens)));
    else for (const node of leaf(token)) add(nodes, node);
  }
  return nodes;
}

function element(token: Token, children: readonly TextNode[]): TextNode {
  const node = { tag: token.tag as TextTag, children };
  const href = token.attrGet('href');
  if (typeof href === 'string') return { ...node, href };
  const indent = token.meta?.['indent'];
  return typeof indent === 'number' ? { ...node, indent } : node;
}

function leaf({ children, content, info, type }: Token): readonly TextNode[] {
  const language = info.trim();
  switch (type) {
    case 'inline':
      return toNodes((children ?? []).values());
    case 'code_inline':
      return [{ tag: 'code', children: [content] }];
    case 'fence':
      return [
        {
          tag: 'pre',
          children: [content.replace(/\n$/, '')],
          ...(language !== '' && { language }),
        },
      ];
    default:
      return linked(content);
  }
}

/** Addresses as they were typed, in full; characters that are not seen are no part of one. */
function linked(text: string): readonly TextNode[] {
  const nodes: TextNode[] = [];
  let at = 0;
  const seen = text.replaceAll(/\p{Cf}/gu, (character) => ' '.repeat(character.length));
  for (const { index, lastIndex } of markdown.linkify.match(seen) ?? []) {
    const href = text.slice(index, lastIndex);
    if (!isOpenable(href)) continue;
    nodes.push(text.slice(at, index), { tag: 'a', children: [href], href });
    at = lastIndex;
  }
  return [...nodes, text.slice(at)];
}

/** In as few pieces as possible, because there may be very many lines. */
function add(nodes: TextNode[], node: TextNode): void {
  const last = nodes.at(-1);
  if (typeof last === 'string' && typeof node === 'string') nodes[nodes.length - 1] = last + node;
  else if (node !== '') nodes.push(node);
}

function isSeen(node: TextNode): boolean {
  if (typeof node === 'string') return node.trim() !== '';
  return node.language !== undefined || node.children.some(isSeen);
}
