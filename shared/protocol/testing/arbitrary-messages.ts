/**
 * Random protocol messages for property tests: every kind, every optional field, edge values of every
 * number. What it makes is valid; tests spoil the bytes themselves.
 */
import * as fc from 'fast-check';
import { PEER_ID_MAX } from '../../model.ts';
import { encodeMembers } from '../codec.ts';
import type { LogView, ProtocolMessage, Run } from '../messages.ts';
import type { Entry, Epoch, Member, Message, Position } from '../types.ts';

export const arbitraryPeer = fc.integer({ min: 1, max: PEER_ID_MAX });
const arbitraryInteger = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.constantFrom(2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
);
const arbitraryNumber = fc.double({ min: 0, max: 1e15, noNaN: true });
const arbitraryId = fc.uuid({ version: 7 });
const arbitraryKey = fc.uint8Array({ minLength: 32, maxLength: 32 });
export const arbitraryEpoch: fc.Arbitrary<Epoch> = fc.oneof(
  fc.record({ number: fc.nat({ max: 2 ** 48 }), leader: arbitraryPeer }),
  fc.constant({ number: 0, leader: 0 }),
);
const arbitraryPosition: fc.Arbitrary<Position> = fc.record({
  epoch: arbitraryEpoch,
  seq: fc.integer({ min: 1, max: 2 ** 52 }),
});
const arbitraryRun: fc.Arbitrary<Run> = fc.record({
  leader: arbitraryPeer,
  nonce: fc.nat(2 ** 32 - 1),
  counter: arbitraryInteger,
});
/** A text that fits in `max` UTF-8 bytes. */
const arbitraryText = (max: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme', maxLength: 20 }).filter((t) => Buffer.byteLength(t) <= max);
export const arbitraryMember: fc.Arbitrary<Member> = fc.record({
  id: arbitraryPeer,
  key: arbitraryKey,
  name: arbitraryText(64),
  address: arbitraryText(400),
});
export const arbitraryMembers: fc.Arbitrary<Member[]> = fc
  .uniqueArray(arbitraryMember, { minLength: 1, maxLength: 5, selector: (m) => m.id })
  .map((members) => members.toSorted((a, b) => a.id - b.id));
const arbitraryElectorate = arbitraryMembers.map((list) =>
  list.map(({ id, key }) => ({ id, key })),
);
export const arbitraryMessage: fc.Arbitrary<Message> = fc.record({
  id: arbitraryId,
  author: arbitraryPeer,
  after: fc.option(arbitraryId),
  sentAt: arbitraryInteger,
  body: fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.nat(64 * 1024).map((length) => new Uint8Array(length).fill(length)),
  ),
});
const arbitraryMessages = fc.array(arbitraryMessage, { minLength: 1, maxLength: 4 });
const arbitraryLogView: fc.Arbitrary<LogView> = fc.record({
  last: arbitraryPosition,
  mark: arbitraryInteger,
  lists: fc.array(arbitraryElectorate, { minLength: 1, maxLength: 2 }),
});

/** Entries in a row after `prev`. */
function arbitraryEntries(prev: Position): fc.Arbitrary<Entry[]> {
  const content = fc.oneof(
    arbitraryMessage.map((message) => ({ ...message, kind: 'message' as const })),
    fc
      .tuple(arbitraryMessage, arbitraryMembers)
      .map(([m, list]) => ({ ...m, body: encodeMembers(list), kind: 'members' as const })),
    arbitraryMessage.map((m) => ({ ...m, body: new Uint8Array(0), kind: 'leader' as const })),
  );
  const one = fc.record({ content, epoch: fc.option(arbitraryEpoch), hash: arbitraryKey });
  return fc.array(one, { maxLength: 5 }).map((rows) => {
    let epoch = prev.epoch;
    return rows.map((row, i) => {
      epoch = row.epoch ?? epoch;
      return { ...row.content, seq: prev.seq + 1 + i, epoch, hash: row.hash };
    });
  });
}

const arbitraryBatch = arbitraryPosition.chain((prev) =>
  fc.record({ prev: fc.constant(prev), entries: arbitraryEntries(prev), mark: arbitraryInteger }),
);

const arbitraryHeartbeat = fc.record({
  leader: fc.option(arbitraryPeer),
  established: fc.boolean(),
  epoch: arbitraryEpoch,
  run: fc.option(arbitraryRun),
  last: arbitraryPosition,
  mark: arbitraryInteger,
  markHash: arbitraryKey,
  hears: fc.uniqueArray(arbitraryPeer).map((ids) => ids.toSorted((a, b) => a - b)),
  synchronising: fc.option(arbitraryInteger),
  leaving: fc.boolean(),
  stamp: arbitraryNumber,
  intervalMs: arbitraryNumber,
  echo: fc.option(fc.record({ stamp: arbitraryNumber, heldMs: arbitraryNumber })),
});

type FieldsOf<M extends ProtocolMessage> = Omit<M, 'kind'>;
type FieldsByKind = {
  readonly [M in ProtocolMessage as M['kind']]: fc.Arbitrary<FieldsOf<M>>;
};

const ids = fc.array(arbitraryId, { minLength: 1, maxLength: 20 });
const round = fc.record({ round: arbitraryInteger });

/** The fields of every kind; a kind that is missing here is a compile error. */
const fields: FieldsByKind = {
  heartbeat: arbitraryHeartbeat,
  election: fc.record({
    round: arbitraryInteger,
    last: arbitraryPosition,
    list: arbitraryElectorate,
  }),
  answer: round,
  support: fc.tuple(round, arbitraryLogView).map(([a, b]) => ({ ...a, ...b })),
  refuse: fc.record({ round: arbitraryInteger, leader: arbitraryPeer }),
  prepare: fc.record({ epoch: arbitraryEpoch }),
  promise: fc
    .tuple(fc.record({ epoch: arbitraryEpoch }), arbitraryLogView)
    .map(([a, b]) => ({ ...a, ...b })),
  reject: fc.record({
    epoch: arbitraryEpoch,
    promised: arbitraryEpoch,
    leader: fc.option(arbitraryPeer),
  }),
  coordinator: fc.record({
    lead: fc.oneof(
      fc.record({ kind: fc.constant('established' as const), epoch: arbitraryEpoch }),
      fc.record({ kind: fc.constant('provisional' as const), run: arbitraryRun }),
    ),
  }),
  submit: fc.record({ messages: arbitraryMessages }),
  offer: fc.record({ ids }),
  want: fc.record({ ids }),
  accept: fc.tuple(arbitraryBatch, arbitraryEpoch).map(([batch, epoch]) => ({ ...batch, epoch })),
  ack: fc.record({ epoch: arbitraryEpoch, seq: arbitraryInteger }),
  behind: fc.record({ epoch: arbitraryEpoch, last: arbitraryInteger, mark: arbitraryInteger }),
  tentative: fc.record({
    run: arbitraryRun,
    from: fc.integer({ min: 1, max: 2 ** 52 }),
    messages: arbitraryMessages,
  }),
  fetch: fc.record({
    request: arbitraryInteger,
    after: arbitraryPosition,
    epoch: fc.option(arbitraryEpoch),
  }),
  entries: fc
    .tuple(arbitraryBatch, arbitraryInteger, fc.boolean())
    .map(([batch, request, matched]) => ({
      ...batch,
      request,
      matched,
      entries: matched ? batch.entries : [],
    })),
  join: fc.record({ member: arbitraryMember }),
  'join-refused': fc.constant({ code: 'ID_TAKEN' as const }),
  leave: fc.constant({}),
  addresses: fc.record({ members: fc.array(arbitraryMember, { maxLength: 4 }) }),
};

/** A message of any kind, each kind as likely as the next. */
export const arbitraryProtocolMessage: fc.Arbitrary<ProtocolMessage> = fc.oneof(
  ...Object.entries(fields).map(([kind, arbitrary]) =>
    (arbitrary as fc.Arbitrary<object>).map((rest) => ({ kind, ...rest }) as ProtocolMessage),
  ),
);
