/** The text of scripts: what is run, what is kept, what is rendered anew. */
import { expect, test } from 'vitest';
import { type Command, rerender } from './script.ts';

const echo = (commands: readonly Command[]): string[] =>
  commands.map(({ name, args, line }) => `${line} ${name}(${args.join(',')})`);

test('renders what was shown in place of what stood there', () => {
  const text = '# story\n\nsend 1  m1\nrun 5\n----\nold\nolder\n\n# more\nstate\n----\n';
  expect(rerender(text, echo)).toBe(
    '# story\n\nsend 1  m1\nrun 5\n----\n3 send(1,m1)\n4 run(5)\n\n# more\nstate\n----\n10 state()\n',
  );
});

test('is stable', () => {
  const count = (commands: readonly Command[]): string[] => [`${commands.length}`];
  const once = rerender('# s\na\n----\n\nb\n----\n', count);
  expect(once).toBe('# s\na\n----\n1\n\nb\n----\n1\n');
  expect(rerender(once, count)).toBe(once);
});

test('shows ok where nothing was shown', () => {
  expect(rerender('a\n----\n', () => [])).toBe('a\n----\nok\n');
});

test('refuses commands without a separator', () => {
  expect(() => rerender('a\n\nb\n', echo)).toThrow('line 1');
});
