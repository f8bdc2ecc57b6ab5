/**
 * How messages, entries and members lists are laid out in bytes: in frames, and in the canonical form
 * that the hash chain covers. The canonical form and the members body are part of every history ever
 * written, so they must never change; frames may, with the protocol version.
 */
import { assert } from '../assert.ts';
import { MEMBERS_MAX, NAME_BYTES_MAX, TEXT_BYTES_MAX } from '../model.ts';
import { err, ok, type Result } from '../result.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import type {
  ChainHash,
  Entry,
  EntryKind,
  Epoch,
  Member,
  Message,
  Position,
  UnhashedEntry,
} from './types.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/** Length of a SHA-256 chain hash, bytes. */
export const HASH_BYTES = 32;
/** Length of an identity key, bytes. */
export const KEY_BYTES = 32;
/**
 * Highest number of an epoch that is believed: an election every millisecond for nine thousand years. From
 * a frame with a higher one, which only damage or malice makes, the next election could not count on.
 */
const EPOCH_NUMBER_MAX = 2 ** 48;
/** UTF-8 bytes of an address: eight interfaces with IPv6 addresses and ports. */
export const ADDRESS_BYTES_MAX = 400;

/**
 * What a message or an entry takes in a frame beside its body, at most: flags, two ids, author, time and
 * length, and of an entry a new epoch and the hash. What is sent in batches is measured with it.
 */
const FRAMING_BYTES = 96;

/** Bytes that an entry or a message with this body takes in a frame, at most. */
export function framedBytes(body: Uint8Array): number {
  return body.length + FRAMING_BYTES;
}

/** Fewest bytes of one item in a frame, by which a count is checked before anything is allocated. */
const MESSAGE_BYTES_MIN = 1 + 16 + 4 + 8 + 4;
const ENTRY_BYTES_MIN = MESSAGE_BYTES_MIN + HASH_BYTES;
const MEMBER_BYTES_MIN = 4 + KEY_BYTES + 1 + 2;

const HAS_AFTER = 0x04;
const NEW_EPOCH = 0x08;

/** By code: the low two bits of an entry's first byte. */
const ENTRY_KINDS: readonly EntryKind[] = ['message', 'members', 'leader'];

export function writeEpoch(writer: ByteWriter, epoch: Epoch): void {
  writer.u53(epoch.number);
  writer.peerOrZero(epoch.leader);
}

export function readEpoch(reader: ByteReader): Epoch {
  const number = reader.u53();
  const leader = reader.peerOrZero();
  if (number > EPOCH_NUMBER_MAX) reader.fail('epoch number out of range');
  if (leader === 0 && number > 0) reader.fail('epoch without a leader');
  return { number, leader };
}

export function writePosition(writer: ByteWriter, position: Position): void {
  writeEpoch(writer, position.epoch);
  writer.u53(position.seq);
}

export function readPosition(reader: ByteReader): Position {
  const epoch = readEpoch(reader);
  return { epoch, seq: reader.u53() };
}

/** `flags` goes into the first byte beside whether there is an `after`. */
function writeContent(writer: ByteWriter, message: Message, flags: number): void {
  writer.u8(message.after === null ? flags : flags | HAS_AFTER);
  writer.uuid(message.id);
  if (message.after !== null) writer.uuid(message.after);
  writer.peer(message.author);
  writer.u53(message.sentAt);
  assert(message.body.length <= TEXT_BYTES_MAX, 'body too long');
  writer.u32(message.body.length);
  writer.bytes(message.body);
}

function readContent(reader: ByteReader, flags: number): Message {
  const id = reader.uuid();
  const after = (flags & HAS_AFTER) === 0 ? null : reader.uuid();
  const author = reader.peer();
  const sentAt = reader.u53();
  const length = reader.u32();
  if (length > TEXT_BYTES_MAX) reader.fail('body too long');
  return { id, author, after, sentAt, body: reader.bytes(length) };
}

export function writeMessages(writer: ByteWriter, messages: readonly Message[]): void {
  assert(messages.length > 0, 'no messages in a frame that carries messages');
  writer.u32(messages.length);
  for (const message of messages) writeContent(writer, message, 0);
}

export function readMessages(reader: ByteReader): Message[] {
  const count = reader.count(reader.u32(), MESSAGE_BYTES_MIN);
  if (count === 0) reader.fail('no messages');
  const messages: Message[] = [];
  for (let i = 0; i < count && reader.error === null; i++) {
    const flags = reader.u8();
    if ((flags & ~HAS_AFTER) !== 0) reader.fail('unknown flags of a message');
    messages.push(readContent(reader, flags));
  }
  return messages;
}

/**
 * Entries directly after `prev`: their seq follows from their place and does not travel, nor does an
 * epoch that is the one before.
 */
export function writeEntries(writer: ByteWriter, prev: Position, entries: readonly Entry[]): void {
  writer.u32(entries.length);
  let { seq, epoch } = prev;
  for (const entry of entries) {
    assert(entry.seq === ++seq, 'entries of a frame are not contiguous');
    const same = entry.epoch.number === epoch.number && entry.epoch.leader === epoch.leader;
    const kind = ENTRY_KINDS.indexOf(entry.kind);
    writeContent(writer, entry, same ? kind : kind | NEW_EPOCH);
    if (!same) writeEpoch(writer, entry.epoch);
    epoch = entry.epoch;
    assert(entry.hash.length === HASH_BYTES, 'a chain hash has 32 bytes');
    writer.bytes(entry.hash);
  }
}

export function readEntries(reader: ByteReader, prev: Position): Entry[] {
  const count = reader.count(reader.u32(), ENTRY_BYTES_MIN);
  if (prev.seq + count > Number.MAX_SAFE_INTEGER) reader.fail('seq beyond 2^53');
  const entries: Entry[] = [];
  let epoch = prev.epoch;
  for (let i = 1; i <= count && reader.error === null; i++) {
    const flags = reader.u8();
    const kind = ENTRY_KINDS[flags & 0x03];
    if (kind === undefined || flags > 0x0f) {
      reader.fail('unknown kind or flags of an entry');
      break;
    }
    const { id, author, after, sentAt, body } = readContent(reader, flags);
    if ((flags & NEW_EPOCH) !== 0) epoch = readNewEpoch(reader, epoch);
    checkBody(reader, kind, body);
    const hash = reader.bytes(HASH_BYTES);
    entries.push({ id, author, after, sentAt, body, seq: prev.seq + i, epoch, kind, hash });
  }
  return entries;
}

function readNewEpoch(reader: ByteReader, before: Epoch): Epoch {
  const epoch = readEpoch(reader);
  const same = epoch.number === before.number && epoch.leader === before.leader;
  if (same) reader.fail('epoch repeated');
  return epoch;
}

function checkBody(reader: ByteReader, kind: EntryKind, body: Uint8Array): void {
  if (kind === 'message' || reader.error !== null) return;
  if (kind === 'leader') {
    if (body.length > 0) reader.fail('a leader entry has no body');
    return;
  }
  const members = decodeMembers(body);
  if (!members.ok) reader.fail(members.error);
}

export function writeMember(writer: ByteWriter, member: Member): void {
  writer.peer(member.id);
  assert(member.key.length === KEY_BYTES, 'an identity key has 32 bytes');
  writer.bytes(member.key);
  const name = encodeUtf8(member.name);
  assert(name.length <= NAME_BYTES_MAX, 'name too long');
  writer.u8(name.length);
  writer.bytes(name);
  const address = encodeUtf8(member.address);
  assert(address.length <= ADDRESS_BYTES_MAX, 'address too long');
  writer.u16(address.length);
  writer.bytes(address);
}

export function readMember(reader: ByteReader): Member {
  const id = reader.peer();
  const key = reader.bytes(KEY_BYTES);
  const name = readText(reader, reader.u8(), NAME_BYTES_MAX);
  const address = readText(reader, reader.u16(), ADDRESS_BYTES_MAX);
  return { id, key, name, address };
}

/** A short text whose length has been read; too long, or not UTF-8, is an error of the frame. */
export function readText(reader: ByteReader, length: number, max: number): string {
  if (length > max) reader.fail('text too long');
  const text = decodeUtf8(reader.bytes(length));
  if (text === null) reader.fail('text is not UTF-8');
  return text ?? '';
}

/** Members in any order, repeats included: what an address book sends. */
export function writeMemberRows(writer: ByteWriter, members: readonly Member[]): void {
  writer.u16(members.length);
  for (const member of members) writeMember(writer, member);
}

export function readMemberRows(reader: ByteReader): Member[] {
  const count = reader.count(reader.u16(), MEMBER_BYTES_MIN);
  const members: Member[] = [];
  for (let i = 0; i < count && reader.error === null; i++) members.push(readMember(reader));
  return members;
}

/** Fails unless ids ascend strictly. */
export function checkAscending(reader: ByteReader, ids: readonly { readonly id: number }[]): void {
  for (let i = 1; i < ids.length; i++) {
    const [before, here] = [ids[i - 1], ids[i]];
    if (before !== undefined && here !== undefined && before.id >= here.id) {
      reader.fail('list is not ascending');
      return;
    }
  }
}

/**
 * The body of a `members` entry: the full new list, ascending by id, 1 … {@link MEMBERS_MAX} members.
 * Anything else is a bug of the caller.
 */
export function encodeMembers(members: readonly Member[]): Uint8Array {
  assert(members.length > 0 && members.length <= MEMBERS_MAX, 'a list has 1 to 128 members');
  const writer = new ByteWriter();
  writeMemberRows(writer, members);
  const body = writer.take();
  assert(decodeMembers(body).ok, 'members are not ascending by id');
  return body;
}

/** The members list in the body of a `members` entry. */
export function decodeMembers(body: Uint8Array): Result<Member[], string> {
  const reader = new ByteReader(body);
  const members = readMemberRows(reader);
  reader.end();
  if (reader.error === null) checkList(reader, members);
  return reader.error === null ? ok(members) : err(reader.error);
}

/** Fails unless the list is one that can be in effect. */
export function checkList(reader: ByteReader, list: readonly { readonly id: number }[]): void {
  if (list.length === 0) reader.fail('empty members list');
  if (list.length > MEMBERS_MAX) reader.fail('too many members');
  checkAscending(reader, list);
}

function writeCanonical(writer: ByteWriter, entry: UnhashedEntry): void {
  writer.u53(entry.seq);
  writeEpoch(writer, entry.epoch);
  writeContent(writer, entry, ENTRY_KINDS.indexOf(entry.kind));
}

/**
 * The one byte string that stands for an entry in the hash chain: every field but the hash, each of
 * fixed length or with its length before it, so that no two entries share one.
 */
export function canonicalEntry(entry: UnhashedEntry): Uint8Array {
  const writer = new ByteWriter();
  writeCanonical(writer, entry);
  return writer.take();
}

/** SHA-256 as a pure function, as the host provides it. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** The chain hash of the product: SHA-256 of the previous hash and {@link canonicalEntry}. */
export function chainHashWith(sha256: Sha256): ChainHash {
  const writer = new ByteWriter();
  return (previous, entry) => {
    writer.reset();
    writer.bytes(previous);
    writeCanonical(writer, entry);
    return sha256(writer.peek());
  };
}

/** Hash 0, before the first entry: two groups never share a history. */
export function groupHash(sha256: Sha256, groupId: Uint8Array): Uint8Array {
  return sha256(groupId);
}
