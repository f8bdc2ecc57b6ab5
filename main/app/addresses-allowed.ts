/**
 * Which addresses may be followed: files of the page inside its folder, links that may leave the app.
 * Everything else is refused; both take text that somebody else wrote. Pure.
 */
import { join, normalize, sep } from 'node:path';

/** Longest link that is handed to the system, characters: more is no address that a person sent. */
const linkLengthMax = 4096;

/** The file that a path of the page names, or null when it leads out of the folder. */
export function pageFile(folder: string, pathname: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (decoded.includes('\0')) return null;
  const path = normalize(join(folder, decoded));
  return path.startsWith(folder + sep) && !path.endsWith(sep) ? path : null;
}

/** The link that may leave the app, in its canonical spelling; null for any other. */
export function externalLink(text: string): string | null {
  if (text.length > linkLengthMax || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol === 'mailto:') return url.href;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  // A link with a name and password in it only ever disguises where it leads.
  return url.username === '' && url.password === '' ? url.href : null;
}
