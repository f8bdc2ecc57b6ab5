/**
 * Every protocol message as bytes and back. The layout is laid by hand, because one message costs a
 * fraction of what a general format costs, and because each message then has exactly one encoding.
 * Decoding trusts nothing: whatever does not re-encode to the same bytes is refused with a reason;
 * it never throws and never allocates by a number that it has not checked. A decoded message never
 * refers to the memory it was read from, so one kept message does not keep a socket's buffer; what
 * belongs to one frame shares blocks of 8 KiB at most.
 *
 * A frame's payload is one kind byte and the fields in the order below, big endian: ids 4 bytes, seqs
 * and other integers 8 (at most 2^53-1), epoch = number and leader, UUIDs 16, lists a count first.
 */
import { assert, assertNever } from '../assert.ts';
import { MEMBERS_MAX } from '../model.ts';
import { err, ok, type Result } from '../result.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  checkList,
  HASH_BYTES,
  KEY_BYTES,
  readEntries,
  readEpoch,
  readMember,
  readMemberRows,
  readMessages,
  readPosition,
  writeEntries,
  writeEpoch,
  writeMember,
  writeMemberRows,
  writeMessages,
  writePosition,
} from './entry-codec.ts';
import type { Electorate, LogView, ProtocolMessage, Run } from './messages.ts';
import { UUID_BYTES } from './uuid.ts';

export {
  ADDRESS_BYTES_MAX,
  canonicalEntry,
  chainHashWith,
  decodeMembers,
  encodeMembers,
  groupHash,
} from './entry-codec.ts';

/** Kind bytes. From 0xf0 on they belong to the transport's own frames. */
const KIND = {
  heartbeat: 0x01,
  election: 0x02,
  answer: 0x03,
  support: 0x04,
  refuse: 0x05,
  prepare: 0x06,
  promise: 0x07,
  reject: 0x08,
  coordinator: 0x09,
  submit: 0x0a,
  offer: 0x0b,
  want: 0x0c,
  accept: 0x0d,
  ack: 0x0e,
  behind: 0x0f,
  tentative: 0x10,
  fetch: 0x11,
  entries: 0x12,
  join: 0x13,
  'join-refused': 0x14,
  leave: 0x15,
  addresses: 0x16,
} as const satisfies Record<ProtocolMessage['kind'], number>;

type MessageOf<K extends ProtocolMessage['kind']> = Extract<ProtocolMessage, { kind: K }>;

/** First of the kind bytes that no protocol message has. */
export const TRANSPORT_KINDS_FROM = 0xf0;

const shared = new ByteWriter();

/**
 * The payload of one frame, with `headroom` zero bytes in front for the caller's own header. A message
 * that breaks the rules of the layout (ids, lengths, order of lists) is a bug and is asserted.
 */
export function encodeMessage(message: ProtocolMessage, headroom = 0): Uint8Array {
  shared.reset(headroom);
  shared.u8(KIND[message.kind]);
  writeFields(shared, message);
  return shared.take();
}

function writeFields(w: ByteWriter, message: ProtocolMessage): void {
  switch (message.kind) {
    case 'accept':
      writeEpoch(w, message.epoch);
      w.u53(message.mark);
      writePosition(w, message.prev);
      writeEntries(w, message.prev, message.entries);
      return;
    case 'ack':
      writeEpoch(w, message.epoch);
      w.u53(message.seq);
      return;
    case 'submit':
      writeMessages(w, message.messages);
      return;
    case 'heartbeat':
      writeHeartbeat(w, message);
      return;
    case 'offer':
    case 'want':
      writeIds(w, message.ids);
      return;
    case 'tentative':
      writeRun(w, message.run);
      w.u53(message.from);
      writeMessages(w, message.messages);
      return;
    case 'fetch':
    case 'entries':
    case 'behind':
      writeCatchUp(w, message);
      return;
    case 'join':
      writeMember(w, message.member);
      return;
    case 'addresses':
      writeMemberRows(w, message.members);
      return;
    case 'join-refused':
    case 'leave':
      return;
    default:
      writeElection(w, message);
  }
}

type ElectionMessage = MessageOf<
  'election' | 'answer' | 'support' | 'refuse' | 'prepare' | 'promise' | 'reject' | 'coordinator'
>;

function writeElection(w: ByteWriter, message: ElectionMessage): void {
  switch (message.kind) {
    case 'election':
      w.u53(message.round);
      writePosition(w, message.last);
      writeElectorate(w, message.list);
      return;
    case 'answer':
      w.u53(message.round);
      return;
    case 'support':
      w.u53(message.round);
      writeLogView(w, message);
      return;
    case 'refuse':
      w.u53(message.round);
      w.peer(message.leader);
      return;
    case 'prepare':
      writeEpoch(w, message.epoch);
      return;
    case 'promise':
      writeEpoch(w, message.epoch);
      writeLogView(w, message);
      return;
    case 'reject':
      writeEpoch(w, message.epoch);
      writeEpoch(w, message.promised);
      w.peerOrZero(message.leader ?? 0);
      return;
    case 'coordinator':
      w.u8(message.lead.kind === 'established' ? 1 : 0);
      if (message.lead.kind === 'established') writeEpoch(w, message.lead.epoch);
      else writeRun(w, message.lead.run);
      return;
    default:
      assertNever(message, 'message');
  }
}

function writeCatchUp(w: ByteWriter, message: MessageOf<'fetch' | 'entries' | 'behind'>): void {
  switch (message.kind) {
    case 'fetch':
      w.u53(message.request);
      writePosition(w, message.after);
      w.u8(message.epoch === null ? 0 : 1);
      if (message.epoch !== null) writeEpoch(w, message.epoch);
      return;
    case 'entries':
      w.u53(message.request);
      w.u8(message.matched ? 1 : 0);
      w.u53(message.mark);
      writePosition(w, message.prev);
      writeEntries(w, message.prev, message.entries);
      return;
    case 'behind':
      writeEpoch(w, message.epoch);
      w.u53(message.last);
      w.u53(message.mark);
      return;
    default:
      assertNever(message, 'message');
  }
}

const ESTABLISHED = 0x01;
const LEAVING = 0x02;
const HAS_RUN = 0x04;
const SYNCHRONISING = 0x08;
const HAS_ECHO = 0x10;

function writeHeartbeat(w: ByteWriter, message: MessageOf<'heartbeat'>): void {
  const { run, synchronising, echo } = message;
  w.u8(
    (message.established ? ESTABLISHED : 0) |
      (message.leaving ? LEAVING : 0) |
      (run === null ? 0 : HAS_RUN) |
      (synchronising === null ? 0 : SYNCHRONISING) |
      (echo === null ? 0 : HAS_ECHO),
  );
  w.peerOrZero(message.leader ?? 0);
  writeEpoch(w, message.epoch);
  if (run !== null) writeRun(w, run);
  writePosition(w, message.last);
  w.u53(message.mark);
  assert(message.markHash.length === HASH_BYTES, 'a chain hash has 32 bytes');
  w.bytes(message.markHash);
  w.u16(message.hears.length);
  let before = 0;
  for (const id of message.hears) {
    assert(id > before, 'heard ids are not ascending');
    w.peer(id);
    before = id;
  }
  if (synchronising !== null) w.u53(synchronising);
  w.f64(message.stamp);
  w.f64(message.intervalMs);
  if (echo === null) return;
  w.f64(echo.stamp);
  w.f64(echo.heldMs);
}

function writeRun(w: ByteWriter, run: Run): void {
  w.peer(run.leader);
  w.u32(run.nonce);
  w.u53(run.counter);
}

function writeIds(w: ByteWriter, ids: readonly string[]): void {
  assert(ids.length > 0, 'no ids in a frame that carries ids');
  w.u32(ids.length);
  for (const id of ids) w.uuid(id);
}

function writeElectorate(w: ByteWriter, list: Electorate): void {
  assert(list.length <= MEMBERS_MAX, 'too many members');
  w.u16(list.length);
  let before = 0;
  for (const { id, key } of list) {
    assert(id > before && key.length === KEY_BYTES, 'electorate is not ascending, or a bad key');
    w.peer(id);
    w.bytes(key);
    before = id;
  }
}

function writeLogView(w: ByteWriter, view: LogView): void {
  writePosition(w, view.last);
  w.u53(view.mark);
  assert(view.lists.length <= 2, 'more than two lists in effect');
  w.u8(view.lists.length);
  for (const list of view.lists) {
    assert(list.length > 0, 'empty members list');
    writeElectorate(w, list);
  }
}

/** Reads the payload of one frame; the error says what is wrong with it. */
export function decodeMessage(bytes: Uint8Array): Result<ProtocolMessage, string> {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  const read = READERS[kind];
  if (read === undefined) return err(bytes.length === 0 ? 'empty frame' : 'unknown kind');
  const message = read(reader);
  reader.end();
  return reader.error === null ? ok(message) : err(reader.error);
}

const READERS: readonly (((r: ByteReader) => ProtocolMessage) | undefined)[] = readersByKind({
  heartbeat: readHeartbeat,
  election: readElection,
  answer: (r) => ({ kind: 'answer', round: r.u53() }),
  support: (r) => ({ kind: 'support', round: r.u53(), ...readLogView(r) }),
  refuse: (r) => ({ kind: 'refuse', round: r.u53(), leader: r.peer() }),
  prepare: (r) => ({ kind: 'prepare', epoch: readEpoch(r) }),
  promise: (r) => ({ kind: 'promise', epoch: readEpoch(r), ...readLogView(r) }),
  reject: readReject,
  coordinator: readCoordinator,
  submit: (r) => ({ kind: 'submit', messages: readMessages(r) }),
  offer: (r) => ({ kind: 'offer', ids: readIds(r) }),
  want: (r) => ({ kind: 'want', ids: readIds(r) }),
  accept: readAccept,
  ack: (r) => ({ kind: 'ack', epoch: readEpoch(r), seq: r.u53() }),
  behind: (r) => ({ kind: 'behind', epoch: readEpoch(r), last: r.u53(), mark: r.u53() }),
  tentative: readTentative,
  fetch: readFetch,
  entries: readEntriesMessage,
  join: (r) => ({ kind: 'join', member: readMember(r) }),
  'join-refused': () => ({ kind: 'join-refused', code: 'ID_TAKEN' }),
  leave: () => ({ kind: 'leave' }),
  addresses: (r) => ({ kind: 'addresses', members: readMemberRows(r) }),
});

type Readers = { readonly [K in ProtocolMessage['kind']]: (r: ByteReader) => MessageOf<K> };

function readersByKind(readers: Readers): ((r: ByteReader) => ProtocolMessage)[] {
  const table: ((r: ByteReader) => ProtocolMessage)[] = [];
  for (const [kind, read] of Object.entries(readers)) {
    table[KIND[kind as ProtocolMessage['kind']]] = read;
  }
  return table;
}

function readHeartbeat(r: ByteReader): MessageOf<'heartbeat'> {
  const flags = r.u8();
  if (flags > 0x1f) r.fail('unknown flags of a heartbeat');
  const leader = r.peerOrZero();
  const epoch = readEpoch(r);
  const run = (flags & HAS_RUN) === 0 ? null : readRun(r);
  const last = readPosition(r);
  const mark = r.u53();
  const markHash = r.bytes(HASH_BYTES);
  const hears = readHears(r);
  const synchronising = (flags & SYNCHRONISING) === 0 ? null : r.u53();
  const stamp = r.f64();
  const intervalMs = r.f64();
  const echo = (flags & HAS_ECHO) === 0 ? null : { stamp: r.f64(), heldMs: r.f64() };
  return {
    kind: 'heartbeat',
    leader: leader === 0 ? null : leader,
    established: (flags & ESTABLISHED) !== 0,
    epoch,
    run,
    last,
    mark,
    markHash,
    hears,
    synchronising,
    leaving: (flags & LEAVING) !== 0,
    stamp,
    intervalMs,
    echo,
  };
}

function readHears(r: ByteReader): number[] {
  const count = r.count(r.u16(), 4);
  const hears: number[] = [];
  let before = 0;
  for (let i = 0; i < count; i++) {
    const id = r.peer();
    if (id <= before) r.fail('list is not ascending');
    hears.push(id);
    before = id;
  }
  return hears;
}

function readElection(r: ByteReader): MessageOf<'election'> {
  const round = r.u53();
  const last = readPosition(r);
  const list = readElectorate(r);
  if (list.length === 0 && last.seq > 0) r.fail('empty members list');
  return { kind: 'election', round, last, list };
}

/** A peer whose log is empty has no list yet; every other log starts with one. */
function readLogView(r: ByteReader): LogView {
  const last = readPosition(r);
  const mark = r.u53();
  const count = r.u8();
  if (count > 2) r.fail('more than two lists in effect');
  if (count === 0 && last.seq > 0) r.fail('no members list');
  const lists: Electorate[] = [];
  for (let i = 0; i < count && r.error === null; i++) {
    const list = readElectorate(r);
    if (list.length === 0) r.fail('empty members list');
    lists.push(list);
  }
  return { last, mark, lists };
}

function readElectorate(r: ByteReader): Electorate {
  const count = r.count(r.u16(), 4 + KEY_BYTES);
  const list: { id: number; key: Uint8Array }[] = [];
  for (let i = 0; i < count; i++) list.push({ id: r.peer(), key: r.bytes(KEY_BYTES) });
  if (list.length > 0) checkList(r, list);
  return list;
}

function readReject(r: ByteReader): MessageOf<'reject'> {
  const epoch = readEpoch(r);
  const promised = readEpoch(r);
  const leader = r.peerOrZero();
  return { kind: 'reject', epoch, promised, leader: leader === 0 ? null : leader };
}

function readCoordinator(r: ByteReader): MessageOf<'coordinator'> {
  const lead = r.flag()
    ? ({ kind: 'established', epoch: readEpoch(r) } as const)
    : ({ kind: 'provisional', run: readRun(r) } as const);
  return { kind: 'coordinator', lead };
}

function readRun(r: ByteReader): Run {
  return { leader: r.peer(), nonce: r.u32(), counter: r.u53() };
}

function readIds(r: ByteReader): string[] {
  const count = r.count(r.u32(), UUID_BYTES);
  if (count === 0) r.fail('no ids');
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(r.uuid());
  return ids;
}

function readAccept(r: ByteReader): MessageOf<'accept'> {
  const epoch = readEpoch(r);
  const mark = r.u53();
  const prev = readPosition(r);
  return { kind: 'accept', epoch, prev, entries: readEntries(r, prev), mark };
}

function readTentative(r: ByteReader): MessageOf<'tentative'> {
  const run = readRun(r);
  const from = r.u53();
  const messages = readMessages(r);
  if (from + messages.length > Number.MAX_SAFE_INTEGER) r.fail('place beyond 2^53');
  return { kind: 'tentative', run, from, messages };
}

function readFetch(r: ByteReader): MessageOf<'fetch'> {
  const request = r.u53();
  const after = readPosition(r);
  return { kind: 'fetch', request, after, epoch: r.flag() ? readEpoch(r) : null };
}

function readEntriesMessage(r: ByteReader): MessageOf<'entries'> {
  const request = r.u53();
  const matched = r.flag();
  const mark = r.u53();
  const prev = readPosition(r);
  const entries = readEntries(r, prev);
  if (!matched && entries.length > 0) r.fail('entries that do not match');
  return { kind: 'entries', request, matched, prev, entries, mark };
}
