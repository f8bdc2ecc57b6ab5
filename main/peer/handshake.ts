/**
 * The first words on every connection, as bytes and checks, without a socket. Both sides send HELLO
 * at once, PROOF on the other's HELLO, and WELCOME when they agree to a link; REFUSE at any time ends
 * it with a reason. PROOF signs (identity key) and authenticates (group key) both HELLOs whole, so
 * both random values, ids, keys, promises and names, the group, and the direction. A HELLO proves
 * nothing by itself. Its first seven bytes and REFUSE keep their form in every version.
 */
import { NAME_BYTES_MAX, type PeerId } from '../../shared/model.ts';
import { ByteReader } from '../../shared/protocol/byte-reader.ts';
import { ByteWriter } from '../../shared/protocol/byte-writer.ts';
import { ADDRESS_BYTES_MAX } from '../../shared/protocol/codec.ts';
import { readEpoch, readText, writeEpoch } from '../../shared/protocol/entry-codec.ts';
import type { Epoch } from '../../shared/protocol/types.ts';
import { encodeUtf8 } from '../../shared/protocol/utf8.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import { HEADER_BYTES, sealFrame } from './frame-codec.ts';
import {
  DIGEST_BYTES,
  GROUP_ID_BYTES,
  hmac,
  type Identity,
  KEY_BYTES,
  secretsEqual,
  sha256,
  SIGNATURE_BYTES,
  verifySignature,
} from './identity.ts';
import type { Group, Refusal, RefusalCode } from './transport.ts';

/** Version of everything that is sent; peers of different versions refuse each other. */
export const PROTOCOL_VERSION = 1;

/** First bytes of the transport's own frames; protocol messages stay below 0xf0. */
export const FRAME = {
  hello: 0xf0,
  proof: 0xf1,
  welcome: 0xf2,
  refuse: 0xf3,
  ping: 0xf4,
  pong: 0xf5,
} as const;

/** "LKSP": what is not this program is told apart from what is another version of it. */
const MAGIC = 0x4c4b_5350;
/** Random bytes of one side in one handshake. */
const RANDOM_BYTES = 32;
/** UTF-8 bytes of the message in a REFUSE. */
const REASON_BYTES_MAX = 500;

/** Who dialled; the two sides of a handshake sign different bytes. */
export type Side = 'dialler' | 'acceptor';

/** What a side says about itself. */
export interface Hello {
  /** Null: a fresh joiner that learns its group from the other side. */
  readonly group: Uint8Array | null;
  readonly id: PeerId;
  readonly name: string;
  readonly address: string;
  /** Ed25519 public key. */
  readonly key: Uint8Array;
  readonly promised: Epoch;
  /** Identifies the process. */
  readonly nonce: number;
  /** How long the process has been up, milliseconds: of two with one identity the younger yields. */
  readonly upMs: number;
  /** {@link RANDOM_BYTES} that were never used before. */
  readonly random: Uint8Array;
}

/** Makes a frame of the transport's own: its kind and fields. */
function frame(kind: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  writer.reset(HEADER_BYTES);
  writer.u8(kind);
  write(writer);
  return sealFrame(writer.take());
}

const nothing = (): void => undefined;

/** The frame that agrees to a link. */
export const WELCOME_FRAME = frame(FRAME.welcome, nothing);
/** The frame that asks an up link for a {@link PONG_FRAME}. */
export const PING_FRAME = frame(FRAME.ping, nothing);
/** The answer to a {@link PING_FRAME}. */
export const PONG_FRAME = frame(FRAME.pong, nothing);

/** HELLO as a frame. */
export function helloFrame(hello: Hello): Uint8Array {
  return frame(FRAME.hello, (w) => {
    w.u32(MAGIC);
    w.u16(PROTOCOL_VERSION);
    w.u8(hello.group === null ? 0 : 1);
    if (hello.group !== null) w.bytes(hello.group);
    w.peer(hello.id);
    const name = encodeUtf8(hello.name);
    w.u8(name.length);
    w.bytes(name);
    const address = encodeUtf8(hello.address);
    w.u16(address.length);
    w.bytes(address);
    w.bytes(hello.key);
    writeEpoch(w, hello.promised);
    w.u32(hello.nonce);
    w.u53(hello.upMs);
    w.bytes(hello.random);
  });
}

/** Reads the payload of a HELLO frame; the error is a refusal to send back. */
export function decodeHello(payload: Uint8Array): Result<Hello, Refusal> {
  const r = new ByteReader(payload);
  if (r.u8() !== FRAME.hello || r.u32() !== MAGIC) return err(badFrame('not a HELLO'));
  const version = r.u16();
  if (r.error === null && version !== PROTOCOL_VERSION) return err(wrongVersion(version));
  const hello: Hello = {
    group: r.flag() ? r.bytes(GROUP_ID_BYTES) : null,
    id: r.peer(),
    name: readText(r, r.u8(), NAME_BYTES_MAX),
    address: readText(r, r.u16(), ADDRESS_BYTES_MAX),
    key: r.bytes(KEY_BYTES),
    promised: readEpoch(r),
    nonce: r.u32(),
    upMs: r.u53(),
    random: r.bytes(RANDOM_BYTES),
  };
  r.end();
  return r.error === null ? ok(hello) : err(badFrame(r.error));
}

function wrongVersion(version: number): Refusal {
  const newer = version > PROTOCOL_VERSION ? 'older' : 'newer';
  return {
    code: 'VERSION',
    message: `the peers speak protocol versions ${PROTOCOL_VERSION} and ${version}; the ${newer} program needs an update`,
  };
}

/** The refusal of bytes that are none of this protocol. */
export function badFrame(what: string): Refusal {
  return { code: 'BAD_FRAME', message: what };
}

/** What one side proves: both HELLO payloads in full, the group, and that it is this side. */
export interface ProofInput {
  readonly side: Side;
  readonly group: Group;
  /** HELLO payloads as they were sent. */
  readonly dialler: Uint8Array;
  readonly acceptor: Uint8Array;
}

function provenBytes({ side, group, dialler, acceptor }: ProofInput): Uint8Array {
  const label = Buffer.from(`lockstep proof ${PROTOCOL_VERSION} ${side}\0`);
  return Buffer.concat([label, group.id, sha256(dialler), sha256(acceptor)]);
}

/** PROOF as a frame: a signature, and a MAC that covers it too. */
export function proofFrame(identity: Identity, input: ProofInput): Uint8Array {
  const proven = provenBytes(input);
  const signature = identity.sign(proven);
  return frame(FRAME.proof, (w) => {
    w.bytes(signature);
    w.bytes(hmac(input.group.key, Buffer.concat([proven, signature])));
  });
}

/** Whether the payload of a PROOF frame proves `input` for the holder of `key`. */
export function verifyProof(payload: Uint8Array, key: Uint8Array, input: ProofInput): boolean {
  if (payload.length !== 1 + SIGNATURE_BYTES + DIGEST_BYTES) return false;
  const signature = payload.subarray(1, 1 + SIGNATURE_BYTES);
  const proven = provenBytes(input);
  const mac = hmac(input.group.key, Buffer.concat([proven, signature]));
  // The MAC first: without the group key nobody makes this process verify signatures.
  return (
    secretsEqual(mac, payload.subarray(1 + SIGNATURE_BYTES)) &&
    verifySignature(key, proven, signature)
  );
}

/** Codes by byte; a byte never changes its meaning. */
const CODES: readonly RefusalCode[] = [
  'VERSION',
  'WRONG_GROUP',
  'WRONG_KEY',
  'ID_TAKEN',
  'ID_IN_USE',
  'ROLLED_BACK',
  'DIVERGED',
  'JOINING',
  'SELF',
  'DUPLICATE',
  'BAD_FRAME',
];

/** REFUSE as a frame; a message that is too long is cut. */
export function refuseFrame(refusal: Refusal): Uint8Array {
  return frame(FRAME.refuse, (w) => {
    w.u8(CODES.indexOf(refusal.code));
    const message = encodeUtf8(refusal.message.slice(0, Math.floor(REASON_BYTES_MAX / 3)));
    w.u16(message.length);
    w.bytes(message);
  });
}

/** Reads the payload of a REFUSE frame. */
export function decodeRefuse(payload: Uint8Array): Result<Refusal, string> {
  const r = new ByteReader(payload);
  r.u8();
  const code = CODES[r.u8()];
  const message = readText(r, r.u16(), REASON_BYTES_MAX);
  r.end();
  if (code === undefined) r.fail('unknown code of a REFUSE');
  return r.error === null && code !== undefined
    ? ok({ code, message })
    : err(r.error ?? 'bad REFUSE');
}
