/**
 * Runs every protocol script under testdata/ and compares it, rendered anew, with the file itself.
 * `vitest -u` rewrites the expectations; read the difference before committing it.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Interaction } from './testing/interaction.ts';
import { rerender } from './testing/script.ts';

const folder = fileURLToPath(new URL('testdata/', import.meta.url));
const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.txt'))
  .sort();

test.each(scripts)('%s', async (name) => {
  const text = readFileSync(`${folder}${name}`, 'utf8');
  expect(text, 'a script opens by saying what it shows').toMatch(/^# /);
  const interaction = new Interaction();
  const rendered = rerender(text, (commands) => interaction.execute(commands));
  await expect(rendered).toMatchFileSnapshot(`${folder}${name}`);
});
