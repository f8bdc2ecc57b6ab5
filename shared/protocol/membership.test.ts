/** Entry 1 of a new group, and the most members that one has. What else membership does is told by scripts. */
import { expect, test } from 'vitest';
import { MEMBERS_MAX } from '../model.ts';
import { decodeMembers } from './codec.ts';
import { defaultConfig } from './config.ts';
import { foundGroup, maybeChangeMembers, onJoin, onLeave } from './membership.ts';
import { PeerState } from './peers.ts';
import type { Leading } from './roles.ts';
import { State, newestList } from './state.ts';
import {
  chain,
  durable,
  epoch,
  hashZero,
  idOf,
  memberOf,
  readableHash,
} from './testing/entries.ts';
import { EPOCH_ZERO } from './types.ts';

test('a founder writes a list of itself behind hash 0, below every epoch that can be led', () => {
  const options = { id: idOf(1), sentAt: 5, chainHash: readableHash, groupHash: hashZero };
  const entry = foundGroup(memberOf(3), options);
  expect(entry).toMatchObject({
    seq: 1,
    kind: 'members',
    epoch: { number: 0, leader: 3 },
    id: idOf(1),
    author: 3,
    after: null,
    sentAt: 5,
  });
  expect(decodeMembers(entry.body)).toEqual({ ok: true, value: [memberOf(3)] });
  expect(entry.hash).toEqual(readableHash(hashZero, entry));
});

test('two groups never share a prefix', () => {
  const found = (groupHash: Uint8Array): Uint8Array =>
    foundGroup(memberOf(1), { id: idOf(1), sentAt: 5, chainHash: readableHash, groupHash }).hash;
  expect(found(new Uint8Array([1]))).not.toEqual(found(new Uint8Array([2])));
});

test('who comes to a full group waits until somebody leaves it', () => {
  const ids = Array.from({ length: MEMBERS_MAX }, (_, i) => i + 1);
  const newcomer = MEMBERS_MAX + 1;
  const self = MEMBERS_MAX;
  const s = new State({
    self: memberOf(self),
    nonce: 1,
    seed: 1,
    config: defaultConfig,
    chainHash: readableHash,
    durable: durable(chain(epoch(1, self), [ids, 'leader']), 2),
  });
  const role: Leading = {
    kind: 'leading',
    epoch: epoch(1, self),
    leaderSeq: 2,
    progress: new Map(),
    ownStored: 2,
    refusedSince: null,
    refusedAt: 0,
  };
  s.role = role;
  // Everybody is connected and holds the whole log: the list is full, and nothing else is in the way.
  for (const id of [...ids, newcomer].filter((one) => one !== self)) {
    const peer = { ...memberOf(id), promised: EPOCH_ZERO, nonce: id };
    s.peers.set(id, new PeerState(peer, defaultConfig, 0));
    const at = { next: 3, matched: 2, known: 2, markSent: 2 };
    role.progress.set(id, { ...at, open: [], openBytes: 0, lagging: false });
  }
  const peerOf = (id: number): PeerState => s.peers.get(id) as PeerState;
  const listed = (): readonly number[] => (newestList(s)?.members ?? []).map(({ id }) => id);
  onJoin(s, peerOf(newcomer), { kind: 'join', member: memberOf(newcomer) });
  maybeChangeMembers(s, role);
  expect(listed()).toEqual(ids);
  onLeave(s, peerOf(1));
  maybeChangeMembers(s, role);
  expect(listed()).toEqual([...ids.slice(1), newcomer]);
});
