/**
 * A message's text on screen: React elements made from parse-text's nodes, never HTML. Links go through the
 * bridge; the page itself never navigates. A very long text is folded; its button shows the rest and folds it
 * again, and stays where it is in the page's order, so that the keyboard keeps its place.
 */
import { memo, useLayoutEffect, useRef } from 'react';
import { count } from '../store/situation.ts';
import type { CSSProperties, MouseEvent, ReactNode } from 'react';
import { useActions } from '../store/store-context.tsx';
import { parseText } from './parse-text.ts';
import type { TextNode } from './text-node.ts';

/** Longer than this a text is folded, in UTF-16 units. */
const FOLD_LENGTH = 3_000;

/** More lines than this, and a text is folded. */
const FOLD_LINES = 40;

/** Widest indent of an item's further lines, in characters. */
const INDENT_MAX = 12;

/** What is shown of a folded text. */
export function foldText(text: string): string {
  const lines = text.slice(0, FOLD_LENGTH).split('\n', FOLD_LINES + 1);
  if (text.length <= FOLD_LENGTH && lines.length <= FOLD_LINES) return text;
  return lines.slice(0, FOLD_LINES).join('\n');
}

/** The text with its marks; `unfolded` shows all of a long one, and `onToggle` asks for the other way. */
export const MessageText = memo(function MessageText(props: {
  readonly text: string;
  readonly unfolded: boolean;
  readonly onToggle: () => void;
}) {
  const folded = foldText(props.text);
  const isLong = folded.length < props.text.length;
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(props.unfolded);
  useLayoutEffect(() => {
    // The text may have been far longer than the screen: what is left of it must not be out of sight.
    if (was.current && !props.unfolded) button.current?.scrollIntoView({ block: 'nearest' });
    was.current = props.unfolded;
  }, [props.unfolded]);
  return (
    <div className="text" dir="auto">
      {parseText(props.unfolded ? props.text : folded).map(render)}
      {isLong && (
        <button
          ref={button}
          type="button"
          className="link-button"
          aria-expanded={props.unfolded}
          onClick={props.onToggle}
        >
          {props.unfolded ? 'Show less' : `Show all (${count(props.text.length)} characters)`}
        </button>
      )}
    </div>
  );
});

function render(node: TextNode, key: number): ReactNode {
  if (typeof node === 'string') return node;
  const children = node.children.map(render);
  switch (node.tag) {
    case 'a':
      return (
        <OutsideLink key={key} href={node.href ?? ''}>
          {children}
        </OutsideLink>
      );
    case 'item':
      return (
        <div key={key} style={hangingBy(node.indent ?? 0)}>
          {children}
        </div>
      );
    case 'pre':
      return (
        <pre key={key}>
          {node.language !== undefined && <span className="code-language">{node.language}</span>}
          <code>{children}</code>
        </pre>
      );
    default: {
      const Tag = node.tag;
      return <Tag key={key}>{children}</Tag>;
    }
  }
}

/** The second line of an item begins about where its first word does. */
function hangingBy(characters: number): CSSProperties {
  // Signs and blanks are narrower than the figure that `ch` measures.
  const indent = Math.min(characters, INDENT_MAX) * 0.75;
  return { paddingInlineStart: `${indent}ch`, textIndent: `-${indent}ch` };
}

function OutsideLink(props: { readonly href: string; readonly children: ReactNode }) {
  const { openLink } = useActions();
  function open(event: MouseEvent): void {
    event.preventDefault();
    openLink(props.href);
  }
  // The middle button would open a window; main refuses that, and here it opens the browser as well.
  function openWithMiddle(event: MouseEvent): void {
    if (event.button === 1) open(event);
  }
  return (
    <a
      href={props.href}
      title={props.href}
      rel="noreferrer"
      onClick={open}
      onAuxClick={openWithMiddle}
    >
      {props.children}
    </a>
  );
}
