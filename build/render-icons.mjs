/**
 * Renders build/icon.svg to the PNGs that packages carry; run by hand when the drawing changes.
 * Needs rsvg-convert (Debian: librsvg2-bin). macOS and Windows icons are made from icon.png.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const source = `${folder}icon.svg`;
for (const size of [16, 32, 48, 64, 128, 256, 512]) {
  render(size, `${folder}icons/${size}x${size}.png`);
}
render(1024, `${folder}icon.png`);

/** @param {number} size @param {string} file */
function render(size, file) {
  execFileSync('rsvg-convert', ['-w', String(size), '-h', String(size), source, '-o', file]);
}
