/**
 * Finds damage in a write-ahead log before SQLite opens it (https://sqlite.org/fileformat2.html, section
 * 4). SQLite takes the first frame whose checksum is wrong for a write that a crash tore off, and forgets
 * it with everything behind it, be it a thousand committed transactions. But every transaction here is
 * on disk before the next one begins, and a process that opens the database empties the log first: what
 * stands behind a whole transaction cannot be torn, only damaged. In the last transaction the two look the
 * same.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** First word of the file; its last bit tells the order of bytes in checksums. */
const MAGIC = 0x377f_0682;
/** Frames read at once. */
const FRAMES_AT_ONCE = 64;

/** The salts of one generation of the file, and the sums so far. */
interface Chain {
  readonly littleEndian: boolean;
  readonly salts: readonly [number, number];
  sums: [number, number];
}

/** What is wrong with the write-ahead log of this database, in words; null if nothing is known to be. */
export function walDamage(databaseFile: string): string | null {
  const fd = openIfThere(`${databaseFile}-wal`);
  if (fd === null) return null;
  try {
    return damageIn(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

function openIfThere(file: string): number | null {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function damageIn(fd: number, size: number): string | null {
  if (size < HEADER_BYTES) return null;
  const header = read(fd, 0, HEADER_BYTES);
  const pageBytes = header.getUint32(8);
  const chain = chainOf(header);
  if (chain === null) {
    // A header is written once and on disk before the first frame.
    const torn = size <= HEADER_BYTES + FRAME_HEADER_BYTES;
    const empty = new Uint8Array(header.buffer).every((byte) => byte === 0);
    return torn || empty ? null : 'the header of the write-ahead log does not hold';
  }
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const frames = Math.floor((size - HEADER_BYTES) / frameBytes);
  let bad: number | null = null;
  let committed = false;
  for (let first = 0; first < frames; first += FRAMES_AT_ONCE) {
    const count = Math.min(FRAMES_AT_ONCE, frames - first);
    const bytes = read(fd, HEADER_BYTES + first * frameBytes, count * frameBytes);
    for (let i = 0; i < count; i++) {
      const at = i * frameBytes;
      const current =
        bytes.getUint32(at + 8) === chain.salts[0] && bytes.getUint32(at + 12) === chain.salts[1];
      if (bad === null && current && follows(chain, bytes, { at, pageBytes })) continue;
      bad ??= first + i;
      if (!current) continue;
      if (committed) return `frame ${bad + 1} of the write-ahead log does not hold`;
      committed = bytes.getUint32(at + 4) !== 0;
    }
  }
  return null;
}

function read(fd: number, position: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return new DataView(bytes.buffer);
}

function chainOf(header: DataView): Chain | null {
  const magic = header.getUint32(0);
  if ((magic & ~1) >>> 0 !== MAGIC) return null;
  const chain: Chain = {
    littleEndian: magic === MAGIC,
    salts: [header.getUint32(16), header.getUint32(20)],
    sums: [0, 0],
  };
  add(chain, header, 0, 24);
  const holds = chain.sums[0] === header.getUint32(24) && chain.sums[1] === header.getUint32(28);
  return holds ? chain : null;
}

/** Takes the next frame into the sums; false if it does not end in them. */
function follows(
  chain: Chain,
  bytes: DataView,
  frame: { readonly at: number; readonly pageBytes: number },
): boolean {
  const { at, pageBytes } = frame;
  add(chain, bytes, at, 8);
  add(chain, bytes, at + FRAME_HEADER_BYTES, pageBytes);
  const [a, b] = chain.sums;
  return a === bytes.getUint32(at + 16) && b === bytes.getUint32(at + 20);
}

function add(chain: Chain, bytes: DataView, from: number, length: number): void {
  let [a, b] = chain.sums;
  for (let at = from; at < from + length; at += 8) {
    a = (a + bytes.getUint32(at, chain.littleEndian) + b) >>> 0;
    b = (b + bytes.getUint32(at + 4, chain.littleEndian) + a) >>> 0;
  }
  chain.sums = [a, b];
}
