/**
 * A chain hash for simulation: eight mixed bytes instead of SHA-256, because a run hashes every entry at
 * every peer. It covers every field of an entry, so that two histories that differ have different
 * hashes unless chance (1 in 2^64) says otherwise. It must never leave the simulator.
 */
import type { ChainHash } from '../protocol/types.ts';

/** A chain hash with this many bytes of output, at least 8; what is beyond is zero. */
export function cheapChainHash(length: number): ChainHash {
  return (previous, entry) => {
    let a = word(previous, 0) ^ 0x9e37_79b9;
    let b = word(previous, 4) ^ 0x7f4a_7c15;
    a = mix(a, entry.seq);
    b = mix(b, entry.epoch.number);
    a = mix(a, entry.epoch.leader);
    b = mix(b, entry.author);
    a = mix(a, entry.sentAt | 0);
    b = text(b, entry.id);
    a = text(a, entry.kind);
    if (entry.after !== null) b = text(b, entry.after);
    a = bytes(a, entry.body);
    b = mix(b, a);
    a = mix(a, b);
    return fromWords(length, a, b);
  };
}

/** Hash 0 of a group for {@link cheapChainHash}. */
export function cheapGroupHash(length: number, group: number): Uint8Array {
  return fromWords(length, mix(0x1234_5678, group), mix(0x0bad_cafe, group));
}

function mix(h: number, value: number): number {
  let x = Math.imul(h ^ value, 0x85eb_ca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2_ae35);
  return (x ^ (x >>> 16)) + 0x9e37 + (h << 5);
}

function text(h: number, value: string): number {
  let x = h ^ value.length;
  for (let i = 0; i < value.length; i++) x = Math.imul(x ^ value.charCodeAt(i), 0x0100_0193);
  return mix(x, h);
}

function bytes(h: number, value: Uint8Array): number {
  let x = h ^ value.length;
  for (let i = 0; i < value.length; i++) x = Math.imul(x ^ (value[i] as number), 0x0100_0193);
  return mix(x, h);
}

function word(from: Uint8Array, at: number): number {
  return (
    ((from[at] as number) << 24) |
    ((from[at + 1] as number) << 16) |
    ((from[at + 2] as number) << 8) |
    (from[at + 3] as number)
  );
}

function fromWords(length: number, a: number, b: number): Uint8Array {
  const hash = new Uint8Array(length);
  for (let i = 0; i < 4; i++) {
    hash[i] = a >>> (24 - 8 * i);
    hash[4 + i] = b >>> (24 - 8 * i);
  }
  return hash;
}
