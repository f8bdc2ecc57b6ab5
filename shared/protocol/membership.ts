/**
 * Who is in the group: founding, joining, leaving, eviction, new names. Every change is a `members`
 * entry with the full new list, at most one not yet final, and only in an epoch whose `leader` entry is
 * final. A list is never empty, no leader removes itself, and only so many join at once that the
 * connected old members are a quorum of the new list (E8). Waiting changes share one entry.
 */
import { MEMBERS_MAX } from '../model.ts';
import { appendOwn } from './append.ts';
import { encodeMembers } from './codec.ts';
import type { Join } from './messages.ts';
import type { PeerState } from './peers.ts';
import { isQuorum } from './quorum.ts';
import type { Leading } from './roles.ts';
import {
  type State,
  emit,
  entryId,
  isConnected,
  isIn,
  isListed,
  newestList,
  send,
  wallNow,
} from './state.ts';
import {
  type ChainHash,
  type Entry,
  type Member,
  type MessageId,
  type PeerId,
  type UnhashedEntry,
  bytesEqual,
} from './types.ts';

/** How often a wish to join or leave is repeated until it is final, milliseconds. */
const ASK_AGAIN_MS = 500;

/** Entry 1 of a new group: its only member is its founder. */
export function foundGroup(
  self: Member,
  options: {
    readonly id: MessageId;
    readonly sentAt: number;
    readonly chainHash: ChainHash;
    readonly groupHash: Uint8Array;
  },
): Entry {
  const unhashed: UnhashedEntry = {
    seq: 1,
    epoch: { number: 0, leader: self.id },
    kind: 'members',
    id: options.id,
    author: self.id,
    after: null,
    sentAt: options.sentAt,
    body: encodeMembers([self]),
  };
  return { ...unhashed, hash: options.chainHash(options.groupHash, unhashed) };
}

/** True if `key` may speak as `id`: the id is free, or bound to this key. */
export function mayBe(s: State, who: Pick<Member, 'id' | 'key'>): boolean {
  if (who.id === s.self.id) return bytesEqual(who.key, s.self.key);
  const known = s.known.get(who.id);
  return known === undefined || !known.bound || bytesEqual(known.member.key, who.key);
}

/** JOIN: a wish to be listed, or to be listed with another name or address. */
export function onJoin(s: State, from: PeerState, { member }: Join): void {
  if (s.role.kind !== 'leading') return;
  if (member.id !== from.id || !bytesEqual(member.key, from.key)) return;
  if (!mayBe(s, member)) {
    send(s, from.id, { kind: 'join-refused', code: 'ID_TAKEN' });
    s.out.disconnects.push({ peer: from.id, reason: 'ID_TAKEN' });
    return;
  }
  s.waiting.joins.set(member.id, member);
}

/** LEAVE: takes the sender off the list with the next members entry. */
export function onLeave(s: State, from: PeerState): void {
  const list = newestList(s);
  if (s.role.kind !== 'leading' || list === null || !isIn(list.members, from)) return;
  s.waiting.leaves.add(from.id);
}

/** The leader writes waiting changes into one members entry, as soon as the rules allow it. */
export function maybeChangeMembers(s: State, role: Leading): void {
  const list = newestList(s);
  if (list === null) return;
  noteUnheard(s, list.members);
  if (list.seq > s.mark || role.leaderSeq > s.mark) return;
  evictUnheard(s);
  const { joins, leaves } = s.waiting;
  if (joins.size === 0 && leaves.size === 0 && isSelfCurrent(s, list.members)) return;
  const members = compose(s, role, list.members);
  if (members === null) return;
  appendOwn(s, role, {
    kind: 'members',
    id: entryId(s),
    author: s.self.id,
    after: null,
    sentAt: wallNow(s),
    body: encodeMembers(members),
  });
  s.out.statusChanged = true;
}

function isSelfCurrent(s: State, members: readonly Member[]): boolean {
  const own = members.find(({ id }) => id === s.self.id);
  return own === undefined || (own.name === s.self.name && own.address === s.self.address);
}

/** The new list by the waiting changes; null when it would be the old one. */
function compose(s: State, role: Leading, old: readonly Member[]): readonly Member[] | null {
  const { joins, leaves } = s.waiting;
  leaves.delete(s.self.id);
  // A wish may be older than the list that bound its id to another key.
  for (const member of joins.values()) if (!mayBe(s, member)) joins.delete(member.id);
  const isGone = goers(s, old);
  const members = new Map<PeerId, Member>();
  for (const member of old) {
    if (isGone(member)) continue;
    members.set(member.id, member.id === s.self.id ? s.self : (joins.get(member.id) ?? member));
  }
  leaves.clear();
  const added: Member[] = [];
  for (const member of joins.values()) {
    if (members.has(member.id)) joins.delete(member.id);
    else if (members.size + added.length >= MEMBERS_MAX) break;
    else if (isReadyToJoin(s, role, member)) added.push(member);
  }
  for (let count = added.length; count > 0; count--) {
    const candidate = sorted([...members.values(), ...added.slice(0, count)]);
    if (!canAdd(s, old, candidate)) continue;
    for (const member of added.slice(0, count)) joins.delete(member.id);
    return candidate;
  }
  const result = sorted([...members.values()]);
  return sameMembers(result, old) ? null : result;
}

/**
 * Who comes off the list now. Somebody whose vote those who stay need for a quorum stays listed until
 * others are back: a list without it could not become final, and only theirs would help. Who is not
 * connected is never needed.
 */
function goers(s: State, old: readonly Member[]): (member: Member) => boolean {
  const { leaves } = s.waiting;
  const staying = old.filter(({ id }) => !leaves.has(id));
  const isEnough = staying.length > 0 && isQuorum(staying, ({ id }) => isConnected(s, id));
  return ({ id }) => leaves.has(id) && (isEnough || !isConnected(s, id));
}

function sorted(members: readonly Member[]): readonly Member[] {
  return members.toSorted((a, b) => a.id - b.id);
}

function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  return (
    a.length === b.length &&
    a.every((member, i) => {
      const other = b[i];
      return (
        other !== undefined &&
        member.id === other.id &&
        member.name === other.name &&
        member.address === other.address &&
        bytesEqual(member.key, other.key)
      );
    })
  );
}

/**
 * Connected, within a few entries of the end, and known to store what is sent to it. What waited here while
 * this process stood still says nothing of now (E12): the joiner must have heard it since.
 */
function isReadyToJoin(s: State, role: Leading, member: Member): boolean {
  const peer = s.peers.get(member.id);
  const progress = role.progress.get(member.id);
  if (peer?.reachable !== true || peer.leaving || !bytesEqual(peer.key, member.key)) return false;
  if ((peer.heartbeat?.echo?.stamp ?? 0) < s.awakeSince) return false;
  if (progress === undefined || progress.matched === 0) return false;
  return progress.matched + s.config.caughtUpEntries >= s.log.last.seq;
}

/** The connected old members alone are a quorum of the new list; the second member is the exception. */
function canAdd(s: State, old: readonly Member[], next: readonly Member[]): boolean {
  if (old.length === 1 && next.length === 2) return true;
  const before = new Set(old.map(({ id }) => id));
  return isQuorum(next, ({ id }) => before.has(id) && isConnected(s, id));
}

/** Since when no connected member has heard whom. */
function noteUnheard(s: State, members: readonly Member[]): void {
  for (const id of s.unheardSince.keys()) {
    if (!members.some((member) => member.id === id)) s.unheardSince.delete(id);
  }
  for (const { id } of members) {
    if (id === s.self.id || isHeardBySomeone(s, members, id)) s.unheardSince.delete(id);
    else if (!s.unheardSince.has(id)) s.unheardSince.set(id, s.now);
  }
}

/** Members that no connected member has heard for long enough are taken off the list. */
function evictUnheard(s: State): void {
  for (const [id, since] of s.unheardSince) {
    const times = s.evictions.get(id) ?? 0;
    const patience = Math.min(s.config.evictAfterMs * 2 ** times, s.config.evictMaxMs);
    if (s.now - since < patience) continue;
    s.evictions.set(id, times + 1);
    s.unheardSince.delete(id);
    s.waiting.leaves.add(id);
  }
}

function isHeardBySomeone(s: State, members: readonly Member[], id: PeerId): boolean {
  const peer = s.peers.get(id);
  if (peer !== undefined && !peer.suspected) return true;
  return members.some((member) => {
    const other = s.peers.get(member.id);
    return other?.connected === true && other.heartbeat?.hears.includes(id) === true;
  });
}

/** What a peer that is not listed, or is listed with an old name or address, asks of its leader. */
export function maybeAskToJoin(s: State): void {
  const { role } = s;
  if (role.kind !== 'following' || role.via !== null || s.leaving || s.stopped) return;
  const list = newestList(s);
  if (list !== null && isListed(s) && isSelfCurrent(s, list.members)) return;
  if (s.joinAskedAt !== null && s.now - s.joinAskedAt < ASK_AGAIN_MS) return;
  s.joinAskedAt = s.now;
  s.askedToJoin = true;
  send(s, role.leader, { kind: 'join', member: s.self });
}

/** A graceful leave: hand over the lead, ask to be taken off the list, or just go when nobody stays. */
export function maybeLeave(s: State): void {
  if (!s.leaving || s.left) return;
  if (!isListed(s) && (mayBeListedYet(s) || isVoteNeeded(s))) return;
  if (!isListed(s) || nobodyStays(s)) {
    s.left = true;
    emit(s, { kind: 'left' });
    return;
  }
  const { role } = s;
  if (role.kind !== 'following' || role.via !== null) return;
  if (s.leaveAskedAt !== null && s.now - s.leaveAskedAt < ASK_AGAIN_MS) return;
  s.leaveAskedAt = s.now;
  send(s, role.leader, { kind: 'leave' });
}

/**
 * A JOIN of this process may be in a list that is on its way here; to vanish now would leave the leader
 * of a group of one waiting for it. Over once the leader has heard that this peer leaves, and everything
 * that it had appended by then is here; until then a leader that was lost is waited for. The host bounds
 * the wait.
 */
function mayBeListedYet(s: State): boolean {
  if (!s.askedToJoin) return false;
  const { role } = s;
  if (role.kind !== 'following') return true;
  const heartbeat = s.peers.get(role.leader)?.heartbeat;
  const heard = heartbeat?.echo ? heartbeat.echo.stamp >= s.leavingSince : false;
  return !heard || s.log.last.seq < (heartbeat?.last.seq ?? 0);
}

/**
 * The list without this peer is in its log and not final: the list before still counts its vote, which
 * may not even be on disk. Delivery tells when it is final; the host bounds the wait.
 */
function isVoteNeeded(s: State): boolean {
  const list = newestList(s);
  return list !== null && list.seq > s.mark;
}

/**
 * This is the last member, every other one has said that it leaves, be it here or gone by now, or every
 * connected one is leaving.
 */
function nobodyStays(s: State): boolean {
  const others = (newestList(s)?.members ?? []).filter(({ id }) => id !== s.self.id);
  const isLeaving = ({ id }: Member): boolean => s.peers.get(id)?.leaving === true;
  if (others.every(isLeaving)) return true;
  const connected = others.filter(({ id }) => isConnected(s, id));
  return connected.length > 0 && connected.every(isLeaving);
}
