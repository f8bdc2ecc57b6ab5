/** The small tree that a message's text becomes: what is not an element is text as it was typed. */

export type TextTag = 'p' | 'item' | 'strong' | 'em' | 's' | 'code' | 'pre' | 'blockquote' | 'a';

/** Plain text, or an element with children. */
export type TextNode =
  | string
  | {
      readonly tag: TextTag;
      readonly children: readonly TextNode[];
      /** Target of a link. */
      readonly href?: string;
      /** Of an item of a list: characters before its first word, its number or bullet among them. */
      readonly indent?: number;
      /** Of a block of code: what was written after the opening fence. */
      readonly language?: string;
    };
