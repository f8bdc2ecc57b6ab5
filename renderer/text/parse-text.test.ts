/** Light markdown: what becomes what, what stays as typed, and that hostile text neither runs nor hangs. */
import { describe, expect, test } from 'vitest';
import { MARKDOWN_LENGTH_MAX, isOpenable, parseText } from './parse-text.ts';
import type { TextNode } from './parse-text.ts';

/** The tree as short text: tag(children). */
function show(nodes: readonly TextNode[]): string {
  return nodes
    .map((node) => {
      if (typeof node === 'string') return node;
      const extra = [node.href, node.start].filter((value) => value !== undefined).join('');
      return `${node.tag}${extra === '' ? '' : `[${extra}]`}(${show(node.children)})`;
    })
    .join('');
}

const cases: readonly (readonly [text: string, shown: string])[] = [
  ['plain', 'p(plain)'],
  ['**b** *i* ~~s~~ `c`', 'p(strong(b) em(i) s(s) code(c))'],
  ['one\ntwo', 'p(onebr()two)'],
  ['one\n\ntwo', 'p(one)p(two)'],
  ['- a\n- b', 'ul(li(a)li(b))'],
  ['3. a\n4. b', 'ol[3](li(a)li(b))'],
  ['> q', 'blockquote(p(q))'],
  ['```js\nlet a = 1;\n```', 'pre(let a = 1;)'],
  ['see https://a.example/x?y=1.', 'p(see a[https://a.example/x?y=1](https://a.example/x?y=1).)'],
  ['[t](https://a.example)', 'p(a[https://a.example](t))'],
  ['mailto:ann@a.example', 'p(a[mailto:ann@a.example](mailto:ann@a.example))'],
  ['# no heading', 'p(# no heading)'],
  ['    no code block', 'p(no code block)'],
  ['***', 'p(***)'],
  ['file.name and readme.md', 'p(file.name and readme.md)'],
  ['<b onclick="x()">hi</b>', 'p(<b onclick="x()">hi</b>)'],
  ['[x](javascript:alert(1))', 'p([x](javascript:alert(1)))'],
  ['[x](file:///etc/passwd)', 'p([x](file:///etc/passwd))'],
  ['![i](https://a.example/i.png)', 'p(!a[https://a.example/i.png](i))'],
  ['&amp; &lt;', 'p(&amp; &lt;)'],
  ['\\*no\\*', 'p(*no*)'],
  ['', ''],
];

test.each(cases)('%j', (text, shown) => {
  expect(show(parseText(text))).toBe(shown);
});

describe('hostile text', () => {
  test.each([
    ['deep quotes', `${'>'.repeat(200)} end`],
    ['deep lists', Array.from({ length: 60 }, (_, i) => `${'  '.repeat(i)}- x`).join('\n')],
    ['deep emphasis', '*a '.repeat(2000)],
    ['open brackets', '['.repeat(MARKDOWN_LENGTH_MAX)],
    ['many backticks', '`a``b'.repeat(1500)],
    ['too long', '*x*'.repeat(MARKDOWN_LENGTH_MAX)],
  ])('%s: nothing that was written is lost', (_, text) => {
    const letters = (some: string) => some.replaceAll(/[^a-z]/g, '');
    const flat = (nodes: readonly TextNode[]): string =>
      nodes.map((node) => (typeof node === 'string' ? node : flat(node.children))).join('');
    expect(letters(flat(parseText(text)))).toBe(letters(text));
  });
});

test.each([
  ['https://a.example', true],
  ['HTTP://a.example', true],
  ['mailto:a@b.example', true],
  ['javascript:alert(1)', false],
  ['data:text/html,x', false],
  ['file:///etc/passwd', false],
  ['lockstep://join', false],
  ['//a.example', false],
  ['https:///x', false],
])('openable %s: %s', (url, expected) => {
  expect(isOpenable(url)).toBe(expected);
});
