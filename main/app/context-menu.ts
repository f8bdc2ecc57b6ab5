/**
 * What a right click offers: the words under it to copy or to replace, the link, the misspelled word. It
 * decides the items only; roles act on the page by themselves. Pure.
 */
import type { ContextMenuParams, MenuItemConstructorOptions } from 'electron';

/** The part of a right click that decides. */
export type RightClick = Pick<
  ContextMenuParams,
  'dictionarySuggestions' | 'editFlags' | 'isEditable' | 'linkURL' | 'misspelledWord'
>;

/** What no role does. */
export interface ContextActions {
  readonly copy: (text: string) => void;
  /** Puts a word in the place of the misspelled one. */
  readonly replaceWord: (word: string) => void;
  readonly learnWord: (word: string) => void;
}

/** The menu as data. */
export function contextMenu(
  click: RightClick,
  actions: ContextActions,
): MenuItemConstructorOptions[] {
  const { editFlags, isEditable, linkURL, misspelledWord } = click;
  const parts = [
    misspelledWord === '' ? [] : spelling(click, actions),
    linkURL === '' ? [] : [{ label: 'Copy Link', click: () => actions.copy(linkURL) }],
    isEditable
      ? [
          { role: 'cut' as const, enabled: editFlags.canCut },
          { role: 'copy' as const, enabled: editFlags.canCopy },
          { role: 'paste' as const, enabled: editFlags.canPaste },
        ]
      : [{ role: 'copy' as const, enabled: editFlags.canCopy }],
    [{ role: 'selectAll' as const, enabled: editFlags.canSelectAll }],
  ];
  return parts
    .filter((items) => items.length > 0)
    .flatMap((items, index) => (index === 0 ? items : [{ type: 'separator' as const }, ...items]));
}

function spelling(
  { dictionarySuggestions, misspelledWord }: RightClick,
  { learnWord, replaceWord }: ContextActions,
): MenuItemConstructorOptions[] {
  const suggested = dictionarySuggestions.map((word) => ({
    label: word,
    click: () => replaceWord(word),
  }));
  return [
    ...(suggested.length > 0 ? suggested : [{ label: 'No suggestions', enabled: false }]),
    { type: 'separator' },
    { label: 'Add to Dictionary', click: () => learnWord(misspelledWord) },
  ];
}
