/**
 * Addresses in a message's text. A link must never lie: an address is shown in full, and a label stands for
 * one only where nobody can take the label itself for an address.
 */
import type { TextNode } from './text-node.ts';

/** A node and the position in the line after what it was made of. */
export interface Piece {
  readonly node: TextNode;
  readonly end: number;
}

/** An address up to the next blank, or to where a label ends; invisible characters are no part of one. */
const ADDRESS = /(?:https?:\/\/(?=[^\s/])|mailto:)(?:(?!\]\()[^\s<>"`\p{Cc}\p{Cf}])+/iuy;

/** Closes the sentence rather than the address. */
const SENTENCE_END = /[.,:;!?'"’”»…)\]}。，、！？；：）」』]/u;

/** `[label](address)`; the address may hold round brackets in pairs. */
const LABELLED = /\[([^[\]]+)\]\(((?:[^\s()<>"]|\([^\s()]*\))+)\)/y;

/** Words: without a dot, a colon, a slash or an at sign no label looks like an address. */
const PHRASE = /^[\p{L}\p{M}\p{Nd} ,!?'’"“”&+–-]+$/u;

/** Whether a link may be shown as one: main checks again before it opens anything. */
export function isOpenable(url: string): boolean {
  return /^(https?:\/\/[^\s/]|mailto:[^\s])/i.test(url);
}

/** The address that begins at a position, if one does. */
export function addressAt(line: string, at: number): Piece | null {
  if (at > 0 && /[\p{L}\p{N}_]/u.test(line.charAt(at - 1))) return null;
  ADDRESS.lastIndex = at;
  const href = withoutSentenceEnd(ADDRESS.exec(line)?.[0] ?? '');
  if (!isOpenable(href)) return null;
  return { node: { tag: 'a', children: [href], href }, end: at + href.length };
}

/** The link with a label that begins at a position; null also where its label could be taken for an address. */
export function labelledLinkAt(line: string, at: number): Piece | null {
  LABELLED.lastIndex = at;
  const [typed = '', label = '', href = ''] = LABELLED.exec(line) ?? [];
  if (!isOpenable(href) || !PHRASE.test(label) || !/[\p{L}\p{Nd}]/u.test(label)) return null;
  return { node: { tag: 'a', children: [label], href }, end: at + typed.length };
}

/** A closing bracket belongs to the address if it was opened there. */
function withoutSentenceEnd(address: string): string {
  let unopened = count(address, ')') - count(address, '(');
  let end = address.length;
  while (end > 0 && SENTENCE_END.test(address.charAt(end - 1))) {
    if (address.charAt(end - 1) === ')') {
      if (unopened <= 0) break;
      unopened -= 1;
    }
    end -= 1;
  }
  return address.slice(0, end);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
