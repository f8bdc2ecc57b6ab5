/**
 * What Electron runs when it is given an app folder: the stand-in runtime carries no default app,
 * so this takes its place. It must be an ES module that awaits the app's main: Electron becomes
 * ready only after that, and what the app does before readiness (schemes, switches) still counts.
 */
import { app } from 'electron';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const given = process.argv.slice(1).find((argument) => !argument.startsWith('-'));
if (given === undefined) {
  process.stderr.write('This Electron opens an app folder: electron <folder> [arguments]\n');
  process.exit(1);
}
const folder = resolve(given);
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
Object.defineProperty(process, 'defaultApp', { value: true, enumerable: true });
// Electron's own default app uses these two, which are in no public type.
const undocumented =
  /** @type {typeof app & { setVersion(v: string): void, setAppPath(p: string): void }} */ (app);
undocumented.setVersion(manifest.version);
undocumented.setAppPath(folder);
app.setName(manifest.productName ?? manifest.name);
await import(pathToFileURL(join(folder, manifest.main)).href);
