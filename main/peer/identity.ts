/**
 * Who a peer is, in bytes: its Ed25519 identity key, signatures, the group's secret, and SHA-256. The
 * only file that knows which algorithms these are. Keys cross it raw (32 bytes), so that what is
 * stored and sent does not depend on a container format.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign as signBytes,
  timingSafeEqual,
  verify as verifyBytes,
} from 'node:crypto';
import type { Group } from './transport.ts';

/** Length of an Ed25519 public key and of its private seed, bytes. */
export const KEY_BYTES = 32;
/** Length of an Ed25519 signature, bytes. */
export const SIGNATURE_BYTES = 64;
/** Length of a SHA-256 digest and of an HMAC over it, bytes. */
export const DIGEST_BYTES = 32;
/** Length of a group id, bytes: as unguessable as a random UUID. */
export const GROUP_ID_BYTES = 16;
/** Length of a group key, bytes. */
export const GROUP_KEY_BYTES = 32;

/** A peer's own key pair. The seed is the secret; it belongs in the peer's database and nowhere else. */
export interface Identity {
  /** Raw Ed25519 public key, {@link KEY_BYTES}. */
  readonly publicKey: Uint8Array;
  /** Raw Ed25519 private seed, {@link KEY_BYTES}. */
  readonly seed: Uint8Array;
  /** Ed25519 signature, {@link SIGNATURE_BYTES}. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

/** DER around a raw Ed25519 private seed (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** DER around a raw Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A new identity from the system's random source. */
export function createIdentity(): Identity {
  const { privateKey } = generateKeyPairSync('ed25519');
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  return identityFromSeed(der.subarray(PKCS8_PREFIX.length));
}

/** The identity with this private seed. Throws if it is not {@link KEY_BYTES} long. */
export function identityFromSeed(seed: Uint8Array): Identity {
  if (seed.length !== KEY_BYTES) throw new RangeError('an Ed25519 seed has 32 bytes');
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    publicKey: new Uint8Array(spki.subarray(SPKI_PREFIX.length)),
    seed: new Uint8Array(seed),
    sign: (bytes) => new Uint8Array(signBytes(null, bytes, privateKey)),
  };
}

/** Whether `signature` over `bytes` was made with the private half of `publicKey`; never throws. */
export function verifySignature(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  try {
    const der = Buffer.concat([SPKI_PREFIX, publicKey]);
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return verifyBytes(null, bytes, key, signature);
  } catch {
    // Not every 32 bytes are a point on the curve; such a key has signed nothing.
    return false;
  }
}

/** HMAC-SHA256, {@link DIGEST_BYTES}. */
export function hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(bytes).digest());
}

/** Compares two secrets in time that depends on their length only. */
export function secretsEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * SHA-256, {@link DIGEST_BYTES}. On the path of every entry; by way of a string it takes half the time
 * of asking node:crypto for a buffer, which allocates outside the heap.
 */
export function sha256(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/** A new group with a random id and key. */
export function createGroup(): Group {
  return { id: random(GROUP_ID_BYTES), key: random(GROUP_KEY_BYTES) };
}

/** A number that identifies this process: 32 bits, never 0. */
export function createNonce(): number {
  return randomBytes(4).readUInt32BE() || 1;
}

/** Random bytes in a buffer of their own, not in a slice of a shared pool. */
export function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}
