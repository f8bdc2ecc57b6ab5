/**
 * House rules that no other tool knows: what the text of this repository may not say, that modules
 * and protocol scripts introduce themselves, that README's tree is true, and that released
 * migrations stay as they are. Each failure names the place and what to do.
 */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const thisFile = 'e2e/tidy.test.ts';

/** sha256 of each migration once it is released: an old database must meet the same steps for ever. */
const releasedMigrations: Readonly<Record<string, string>> = {
  '0001-messages.ts': 'a7939cadf93cd26adce74caeaea29242658fb0a923dde8e5ee413eaf40640feb',
  '0002-seal.ts': '28745bbc5c8ca22ebfc485ab1905fb31966d157e3e38e86627c4a10a2e7b6c95',
  '0003-checksums.ts': '12547856164e8e9426fe1615da121c47b4235ff889c15392f17d31a798a7f8d3',
};

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const code = files.filter((file) => /\.(?:ts|tsx|mjs)$/.test(file));
const text = files.filter((file) => !/\.(?:png|ico|icns)$/.test(file));

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Places where a pattern matches, as `file:line text`. */
function placesOf(pattern: RegExp, among: readonly string[]): readonly string[] {
  return among
    .filter((file) => file !== thisFile && file !== 'package-lock.json')
    .flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, index) =>
          pattern.test(line) ? [`${file}:${index + 1} ${line.trim().slice(0, 120)}`] : [],
        ),
    );
}

test('nothing is left for later', () => {
  expect(placesOf(/\b(?:TODO|FIXME|XXX|HACK)\b/, text)).toEqual([]);
});

test('no test is focused or switched off', () => {
  const tests = code.filter((file) => file.includes('.test.'));
  expect(placesOf(/\b(?:test|it|describe)\.(?:only|skip|todo|fails)\b/, tests)).toEqual([]);
});

test('lint rules are switched off with a reason', () => {
  const bare = code
    .filter((file) => file !== thisFile)
    .flatMap((file) => {
      const lines = read(file).split('\n');
      return lines.flatMap((line, index) => {
        if (/@ts-ignore|@ts-nocheck/.test(line)) return [`${file}:${index + 1}`];
        if (!/(?:oxlint|eslint)-disable/.test(line)) return [];
        // The reason follows ` -- `, or is the comment above.
        const explained =
          / -- \S/.test(line) || /^\s*(?:\/\/|\*|\{\/\*)/.test(lines[index - 1] ?? '');
        return explained ? [] : [`${file}:${index + 1}`];
      });
    });
  expect(bare).toEqual([]);
});

test('the text speaks of the product alone', () => {
  // Where and by whom it is built has no place in it: absolute paths of one machine, hosts of a
  // package registry, trackers, keys.
  const foreign = [
    /(?:^|[\s"'`(=])\/(?:work|root)\//,
    /registry\.[a-z0-9-]+\.(?:org|com|net|dev)|\.npmrc:_auth|_authToken/i,
    /\b(?:Claude|Anthropic|OpenAI|ChatGPT|Copilot|LLM)\b/,
    /shared\/design\//,
    /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  ];
  expect(foreign.flatMap((pattern) => placesOf(pattern, text))).toEqual([]);
});

test('the lock file names no host', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});

test('every module opens with what it is for', () => {
  // A test is introduced by the module it stands beside; one in e2e/ stands beside none.
  const modules = code.filter((file) => !file.includes('.test.') || file.startsWith('e2e/'));
  const silent = modules.filter((file) => {
    const comment = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//.exec(read(file))?.[1] ?? '';
    return comment.replaceAll(/[\s*]/g, '').length < 12;
  });
  expect(silent).toEqual([]);
});

test('every protocol script opens with its point', () => {
  const scripts = files.filter((file) => /\/testdata\/.*\.txt$/.test(file));
  expect(scripts.length).toBeGreaterThan(0);
  expect(scripts.filter((file) => !/^# \S/.test(read(file)))).toEqual([]);
});

test('every rule that is cited is in the specification', () => {
  const tag = /\b(?:G\d|I\d{1,2}|[SVE]\d{1,2})\b/g;
  const defined = new Set(
    [...read('shared/protocol/README.md').matchAll(/^(?:\| |- \*\*)([GISVE]\d{1,2})\b/gm)].map(
      (match) => match[1],
    ),
  );
  const cited = text
    .filter((file) => /^shared\/(?:protocol|sim)\//.test(file))
    .flatMap((file) => [...read(file).matchAll(tag)].map(([name]) => ({ file, name })));
  expect(cited.length).toBeGreaterThan(100);
  expect(cited.filter(({ name }) => !defined.has(name))).toEqual([]);
});

test('files are named in kebab-case', () => {
  const name = /^[a-z0-9.]+(?:-[a-z0-9.]+)*$/;
  const odd = code.filter((file) => !file.split('/').every((part) => name.test(part)));
  expect(odd).toEqual([]);
});

test('the tree in README.md is the tree on disk', () => {
  const { entries, problems } = treeInReadme();
  expect(problems).toEqual([]);
  expect(entries.length).toBeGreaterThan(5);
  expect(entries.filter((entry) => !existsSync(join(root, entry)))).toEqual([]);
  const folders = new Set(files.filter((file) => file.includes('/')).map((f) => f.split('/')[0]));
  const shown = new Set(entries.map((entry) => entry.split('/')[0]));
  const unshown = [...folders].filter((folder) => !folder?.startsWith('.') && !shown.has(folder));
  expect(unshown).toEqual([]);
});

/**
 * Reads the code block under the heading “Layout”: a path at the start of a line, what it holds after
 * two or more spaces. An indented line, or one drawn with branches, lies in the folder above it.
 */
function treeInReadme(): { entries: readonly string[]; problems: readonly string[] } {
  const block = /^#+ Layout\n[\s\S]*?^```\w*\n([\s\S]*?)^```/m.exec(read('README.md'))?.[1];
  if (block === undefined) return { entries: [], problems: ['README.md has no tree under Layout'] };
  const entries: string[] = [];
  const above: { depth: number; path: string }[] = [];
  for (const line of block.split('\n')) {
    const match = /^([\s│├└─|`+-]*)(\.?[\w@][\w@./{},-]*)(?:\s|$)/.exec(line);
    if (match?.[2] === undefined) continue;
    const depth = match[1]?.length ?? 0;
    while ((above.at(-1)?.depth ?? -1) >= depth) above.pop();
    const parent = above.at(-1)?.path ?? '';
    const path = `${parent}${match[2]}`;
    entries.push(path);
    if (path.endsWith('/')) above.push({ depth, path });
  }
  return { entries, problems: [] };
}

test('released migrations are unchanged', () => {
  const folder = 'main/storage/migrations/';
  const numbered = files.filter((file) => file.startsWith(folder) && /\/\d{4}-/.test(file));
  const hashes = Object.fromEntries(
    numbered
      .filter((file) => !file.includes('.test.'))
      .map((file) => [
        file.slice(folder.length),
        createHash('sha256').update(read(file)).digest('hex'),
      ]),
  );
  // A new migration is added to the list; a changed one is a mistake: write another one instead.
  expect(hashes).toEqual(releasedMigrations);
});
