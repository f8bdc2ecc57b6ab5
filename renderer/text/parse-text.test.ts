/** Light markdown: what becomes what, what stays as typed, and that hostile text neither runs nor hangs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOpenable } from './markdown.ts';
import { parseText } from './parse-text.ts';
import type { TextNode } from './text-node.ts';

/** The tree as short text: tag(children). */
function show(nodes: readonly TextNode[]): string {
  return nodes
    .map((node) => {
      if (typeof node === 'string') return node;
      const extra = node.href ?? node.language ?? '';
      return `${node.tag}${extra === '' ? '' : `[${extra}]`}(${show(node.children)})`;
    })
    .join('');
}

/** What somebody reads. */
function visible(nodes: readonly TextNode[]): string {
  return nodes
    .map((node) =>
      typeof node === 'string' ? node : (node.language ?? '') + visible(node.children),
    )
    .join('');
}

describe('marks', () => {
  test.each([
    ['plain', 'p(plain)'],
    ['', ''],
    ['**b** *i* _i_ ~~s~~ `c`', 'p(strong(b) em(i) em(i) s(s) code(c))'],
    ['(*i*), "**b**": x', 'p((em(i)), "strong(b)": x)'],
    ['***both***', 'p(em(strong(both)))'],
    ['**b *i***', 'p(strong(b em(i)))'],
    ['*i **b***', 'p(em(i strong(b)))'],
    ['*say `x`*', 'p(em(say code(x)))'],
    ['`` a`b ``', 'p(code(a`b))'],
    ['one\ntwo', 'p(one\ntwo)'],
    ['- **a**\n- b', 'item(- strong(a))item(- b)'],
    ['  1) a', 'item(  1) a)'],
    ['> q\n> r', 'blockquote(p(q\nr))'],
    ['> q\nanswer', 'blockquote(p(q))p(answer)'],
    ['> q\n>:(', 'blockquote(p(q))p(>:()'],
    ['>> q', 'blockquote(blockquote(p(q)))'],
    ['```\nlet a = **1**;\n```', 'pre(let a = **1**;)'],
    ['```js\nlet a = 1;', 'pre[js](let a = 1;)'],
    ['a\n````\n```\n````\nb', 'p(a)pre(```)p(b)'],
    ['```js\n```', 'pre[js]()'],
    ['```\n\n```\nafter', 'pre()p(after)'],
  ])('%j', (text, shown) => {
    expect(show(parseText(text))).toBe(shown);
  });
});

describe('links', () => {
  const url = 'https://a.example/x?y=1';
  const a = `a[${url}](${url})`;
  test.each([
    [`see ${url}.`, `p(see ${a}.)`],
    [`(${url}), <${url}>`, `p((${a}), <${a}>)`],
    [`**${url}**`, `p(strong(${a}))`],
    [`~~${url}~~ _${url}_`, `p(s(${a}) em(${a}))`],
    ['https://ann@a.example/', 'p(a[https://ann@a.example/](https://ann@a.example/))'],
    ['https://a.example/b_(c)_d_', 'p(a[https://a.example/b_(c)_d_](https://a.example/b_(c)_d_))'],
    ['mailto:ann@a.example', 'p(a[mailto:ann@a.example](mailto:ann@a.example))'],
    [`[the plan, at last](${url})`, `p(a[${url}](the plan, at last))`],
    [`![i](${url})`, `p(!a[${url}](i))`],
    // A label that might be taken for an address stands beside where it really leads.
    [`[https://bank.example](${url})`, `p([a[https://bank.example](https://bank.example)](${a}))`],
    [`[bank.example](${url})`, `p([bank.example](${a}))`],
    [`[bank\u2024example](${url})`, `p([bank\u2024example](${a}))`],
    [`[bank\u2488com](${url})`, `p([bank\u2488com](${a}))`],
    [`[ann@bank](${url})`, `p([ann@bank](${a}))`],
    [`[](${url})`, `p([](${a}))`],
    [`[ ](${url})`, `p([ ](${a}))`],
    [`[x](${url} "title")`, `p([x](${a} "title"))`],
    ['[x](javascript:alert(1))', 'p([x](javascript:alert(1)))'],
    ['[x](file:///etc/passwd)', 'p([x](file:///etc/passwd))'],
    ['file.name and readme.md', 'p(file.name and readme.md)'],
    ['xhttps://a.example', 'p(xhttps://a.example)'],
    ['https://a.example/\u202Etxt', 'p(a[https://a.example/](https://a.example/)\u202Etxt)'],
  ])('%j', (text, shown) => {
    expect(show(parseText(text))).toBe(shown);
  });
});

test('a long address is not cut', () => {
  const href = `https://a.example/${'a'.repeat(60_000)}`;
  expect(parseText(href)).toEqual([{ tag: 'p', children: [{ tag: 'a', children: [href], href }] }]);
});

describe('stays as typed', () => {
  test.each([
    'def f(x):\n    if x:\n        return 1',
    '    indented',
    '\tTab and  two blanks',
    'one\n\n\n\ntwo',
    '\\\\server\\share\\_temp',
    'C:\\*.*',
    '\\*no\\*',
    '2*3*4',
    '2 * 3 * 4',
    '__init__.py and __main__',
    '_init_.py',
    'snake_case_name',
    'f(*args, **kwargs)',
    'int *a, *b;',
    'SELECT *, count(*) FROM t',
    'src/**/*.ts and lib/**/*.js',
    '*.ts and *.js',
    '0 */2 * * *',
    '**open',
    '** blank **',
    '****',
    '~~',
    '`open',
    '`` `',
    '` `',
    '# no heading',
    'no heading\n===',
    '***',
    '---',
    '| a | b |\n|---|---|',
    '<b onclick="x()">hi</b>',
    '&amp; &lt;',
    '[ ]: x',
    '>',
    '> \n>>',
    '>:(',
    '-',
    '1.',
    '* ',
    '```',
    '~~~\nornament\n~~~',
    '\0',
  ])('%j', (text) => {
    const nodes = parseText(text);
    expect(nodes.map((node) => typeof node !== 'string' && node.tag)).toEqual(['p']);
    expect(visible(nodes).replace(/\n$/, '')).toBe(text.replace(/\n$/, ''));
    expect(show(nodes)).toBe(`p(${visible(nodes)})`);
  });

  test.each(['3. c\n5. e\n1. a', '1986. What a year', '+ 1 for me', '- [ ] todo', '007) Bond'])(
    'numbers and bullets: %j',
    (text) => {
      const nodes = parseText(text);
      expect(visible(nodes)).toBe(text.replaceAll('\n', ''));
      expect(nodes.every((node) => typeof node !== 'string' && node.tag === 'item')).toBe(true);
    },
  );
});

describe('nothing that was written is lost', () => {
  /** As it was typed, but for blanks, the signs of quotes, and how many backticks began code. */
  const typed = (nodes: readonly TextNode[]): string =>
    nodes
      .map((node) => {
        if (typeof node === 'string') return node;
        const inner = typed(node.children);
        switch (node.tag) {
          case 'strong':
            return `**${inner}**`;
          case 'em':
            return `*${inner}*`;
          case 's':
            return `~~${inner}~~`;
          case 'a':
            return inner === node.href ? inner : `[${inner}](${node.href ?? ''})`;
          default:
            return (node.language ?? '') + inner;
        }
      })
      .join('');
  const essence = (text: string) => text.replaceAll(/[\s>`]/g, '').replaceAll('_', '*');
  const words = fc.constantFrom(
    ...['a', 'b.c', ' ', '  ', '\n', '\n\n', '*', '**', '***', '_', '__', '~~', '`', '```', '``'],
    ...[
      '> ',
      '>',
      '- ',
      '3. ',
      '1)',
      '[',
      ']',
      '](',
      ')',
      '(',
      'https://a.example/p',
      '\\',
      '!',
      '.',
    ],
    ...['[t](https://a.example)', 'mailto:a@b', '"', '&amp;', '<i>', '\t', '\r\n', 'ä', '🎉', '#'],
  );
  const texts = fc.oneof(
    fc.array(words, { maxLength: 30 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 60 }),
  );

  test('of any text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const nodes = parseText(text);
        expect(essence(typed(nodes))).toBe(essence(text));
        expect(visible(nodes).trim() === '').toBe(text.trim() === '');
      }),
      { numRuns: 3_000 },
    );
  });

  const long = 64 * 1024;
  test.each([
    ['deep quotes', `${'>'.repeat(200)} end`],
    ['open emphasis', '*a '.repeat(long / 3)],
    ['open marks of all kinds', '*a _b ~~c **d `e ``f '.repeat(long / 20)],
    ['closing marks', 'a* b** '.repeat(long / 7)],
    ['open brackets', '['.repeat(long)],
    ['half links', '[a](https://a'.repeat(long / 13)],
    ['a label without an end to its words', `[${'a'.repeat(long)}.](https://a.example)`],
    ['half addresses', 'https:///'.repeat(long / 9)],
    ['many backticks', '`a``b'.repeat(long / 5)],
    ['backticks of every number', Array.from({ length: 300 }, (_, i) => '`'.repeat(i)).join(' ')],
    ['brackets after an address', `https://a${')'.repeat(long)}`],
    ['marks in marks', '*a **b ~~c~~** _d_* '.repeat(long / 20)],
    ['marks in marks in marks', '*a '.repeat(long / 6) + 'b* '.repeat(long / 6)],
    ['marks without words', '*_~~'.repeat(long / 4)],
    ['quotation marks in addresses', "https://a.example/'x".repeat(long / 20)],
    ['empty lines', '\n'.repeat(long)],
    ['empty quotes', '>\n'.repeat(long / 2)],
  ])('of %s, and in time', (_, text) => {
    const begun = performance.now();
    expect(essence(typed(parseText(text)))).toBe(essence(text));
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

test('marks and quotes nest to a limit', () => {
  const depth = (nodes: readonly TextNode[]): number =>
    Math.max(0, ...nodes.map((node) => (typeof node === 'string' ? 0 : 1 + depth(node.children))));
  const text = `${'> '.repeat(99)}${'*a '.repeat(99)}${'b* '.repeat(99)}`;
  expect(depth(parseText(text))).toBeLessThan(15);
});

test('many plain lines are one piece', () => {
  expect(parseText('a\n'.repeat(9_000))).toEqual([
    { tag: 'p', children: [`${'a\n'.repeat(9_000)}\n`] },
  ]);
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
