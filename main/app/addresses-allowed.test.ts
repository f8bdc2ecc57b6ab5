import { expect, test } from 'vitest';
import { externalLink, pageFile } from './addresses-allowed.ts';

test.each([
  ['https://example.org/a b', 'https://example.org/a%20b'],
  ['HTTP://EXAMPLE.org', 'http://example.org/'],
  ['mailto:ada@example.org', 'mailto:ada@example.org'],
  ['https://user:secret@example.org/', null],
  ['https://example.org@evil.example/', null],
  ['file:///etc/passwd', null],
  ['javascript:alert(1)', null],
  ['lockstep://join/x', null],
  ['lockstep-app://app/index.html', null],
  ['smb://host/share', null],
  ['not a link', null],
  [`https://example.org/${'a'.repeat(5000)}`, null],
])('%s leaves the app as %s', (text, expected) => {
  expect(externalLink(text)).toBe(expected);
});

test.each([
  ['/index.html', '/page/index.html'],
  ['/assets/main.js', '/page/assets/main.js'],
  ['/../secret', null],
  ['/%2e%2e/secret', null],
  ['/assets/../../pages/secret', null],
  ['/%00', null],
  ['/%', null],
  ['/', null],
])('%s names the file %s', (path, expected) => {
  expect(pageFile('/page', path)).toBe(expected);
});
