/** The items of a right click, and what those without a role do. */
import { expect, test } from 'vitest';
import { contextMenu, type RightClick } from './context-menu.ts';

const editFlags = {
  canUndo: false,
  canRedo: false,
  canCut: true,
  canCopy: true,
  canPaste: true,
  canDelete: false,
  canSelectAll: true,
  canEditRichly: false,
};
const onText: RightClick = {
  dictionarySuggestions: [],
  editFlags,
  isEditable: false,
  linkURL: '',
  misspelledWord: '',
};

/** What is offered at this click; `-` is a separator. Every item without a role is clicked. */
function offered(part: Partial<RightClick>): { items: (string | undefined)[]; done: string[] } {
  const done: string[] = [];
  const items = contextMenu(
    { ...onText, ...part },
    {
      copy: (text) => done.push(`copy ${text}`),
      replaceWord: (word) => done.push(`replace ${word}`),
      learnWord: (word) => done.push(`learn ${word}`),
    },
  );
  for (const { click } of items) (click as (() => void) | undefined)?.();
  return {
    items: items.map(({ label, role, type }) => (type === 'separator' ? '-' : (label ?? role))),
    done,
  };
}

test.each([
  ['text', {}, ['copy', '-', 'selectAll'], []],
  ['the composer', { isEditable: true }, ['cut', 'copy', 'paste', '-', 'selectAll'], []],
  [
    'a link',
    { linkURL: 'https://a.example/' },
    ['Copy Link', '-', 'copy', '-', 'selectAll'],
    ['copy https://a.example/'],
  ],
  [
    'a misspelled word',
    { isEditable: true, misspelledWord: 'wrod', dictionarySuggestions: ['word', 'rod'] },
    ['word', 'rod', '-', 'Add to Dictionary', '-', 'cut', 'copy', 'paste', '-', 'selectAll'],
    ['replace word', 'replace rod', 'learn wrod'],
  ],
  [
    'a word that is like none',
    { isEditable: true, misspelledWord: 'qqq' },
    ['No suggestions', '-', 'Add to Dictionary', '-', 'cut', 'copy', 'paste', '-', 'selectAll'],
    ['learn qqq'],
  ],
])('on %s', (_, click, items, done) => {
  expect(offered(click)).toEqual({ items, done });
});

test('what cannot be done now is shown and off', () => {
  const none = { ...editFlags, canCut: false, canCopy: false };
  const items = contextMenu(
    { ...onText, isEditable: true, editFlags: none },
    { copy: () => undefined, replaceWord: () => undefined, learnWord: () => undefined },
  );
  const off = items.filter(({ enabled }) => enabled === false).map(({ role }) => role);
  expect(off).toEqual(['cut', 'copy']);
});
