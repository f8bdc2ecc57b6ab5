/**
 * Links coming up and going down, and who is suspected. A peer that reports a lower promise than it did
 * before, from another process, runs on an old copy of its data and is refused (S7); an id that is
 * bound to another key is refused too.
 */
import { onRelinkedForCatchUp } from './catch-up.ts';
import { onRelinkedForAttempt } from './election.ts';
import { PeerState } from './peers.ts';
import type { Disconnect, KnownPeer, LinkedPeer } from './ready.ts';
import { type State, knownAs, listsInEffect, newestList, send, write } from './state.ts';
import { leaderRoute, resubmit } from './submission.ts';
import { becomeLeaderless, startProgress } from './transitions.ts';
import { type Epoch, type Member, type PeerId, bytesEqual, compareEpochs } from './types.ts';

/** Addresses told on a new link, members first: a few hundred bytes each, well under a frame. */
const ADDRESSES_MAX = 256;

/** An authenticated link is up. */
export function onLinkUp(s: State, peer: LinkedPeer): void {
  const reason = refusalOf(s, peer);
  if (reason !== null) {
    const known = s.peers.get(peer.id);
    if (known !== undefined) known.linked = false;
    s.out.disconnects.push({ peer: peer.id, reason });
    return;
  }
  const known = s.peers.get(peer.id);
  s.wanted.drop(peer.id);
  const restarted = known !== undefined && known.nonce !== peer.nonce;
  // What an earlier process of this peer wished for does not bind this one.
  if (known?.nonce !== peer.nonce) {
    s.waiting.joins.delete(peer.id);
    s.waiting.leaves.delete(peer.id);
  }
  if (known !== undefined && !bytesEqual(known.key, peer.key)) dropVotes(s, peer.id);
  if (known === undefined) s.peers.set(peer.id, new PeerState(peer, s.config, s.now));
  else known.relink(peer, s.now);
  noteReported(s, peer, peer.promised);
  if (restarted) leaveLeader(s, peer.id);
  s.out.statusChanged = true;
  send(s, peer.id, { kind: 'addresses', members: addresses(s).slice(0, ADDRESSES_MAX) });
  greet(s, peer.id);
  if (leaderRoute(s) === peer.id) resubmit(s);
  askAgain(s, peer.id);
}

/** The process that led has ended, and the next one of that peer does not go on (S6). */
function leaveLeader(s: State, peer: PeerId): void {
  const { role } = s;
  const follows = role.kind === 'following' || role.kind === 'following-provisionally';
  if (follows && role.leader === peer) becomeLeaderless(s);
}

/** What the old link swallowed, or would have answered, is asked or said once more. */
function askAgain(s: State, peer: PeerId): void {
  const { role } = s;
  if (role.kind === 'following' && role.via === null && role.leader === peer) {
    role.acked = 0;
    s.behind = false;
    s.joinAskedAt = null;
    s.leaveAskedAt = null;
  }
  onRelinkedForCatchUp(s, peer);
  onRelinkedForAttempt(s, peer);
}

/** Votes count by (id, key): those that came with the old key are not this peer's. */
function dropVotes({ attempt }: State, id: PeerId): void {
  if (attempt?.kind === 'looking') attempt.supports.delete(id);
  if (attempt?.kind === 'preparing') attempt.promises.delete(id);
}

/** Why a link must not come up; null if it may. */
export function refusalOf(s: State, peer: LinkedPeer): Disconnect['reason'] | null {
  if (peer.id === s.self.id) return 'ID_TAKEN';
  const met = s.peers.get(peer.id);
  if (met?.diverged === true && met.nonce === peer.nonce) return 'DIVERGED';
  return objectionTo(peer, s.known.get(peer.id));
}

/** What is held against a peer that proved who it is, by what is remembered of its id; null for nothing. */
export function objectionTo(
  peer: LinkedPeer,
  known: KnownPeer | undefined,
): 'ID_TAKEN' | 'ROLLED_BACK' | null {
  if (known === undefined) return null;
  if (!bytesEqual(known.member.key, peer.key)) {
    // Under an id that nobody is bound to it is somebody else, who has promised nothing yet.
    return known.bound ? 'ID_TAKEN' : null;
  }
  // A late word of the same process.
  if (known.nonce === peer.nonce) return null;
  return compareEpochs(peer.promised, known.promised) < 0 ? 'ROLLED_BACK' : null;
}

/** A new link learns at once who leads. */
function greet(s: State, peer: PeerId): void {
  const { role } = s;
  if (role.kind === 'leading') {
    startProgress(s, role, peer);
    const lead = { kind: 'established', epoch: role.epoch } as const;
    send(s, peer, { kind: 'coordinator', lead });
  } else if (role.kind === 'leading-provisionally') {
    send(s, peer, { kind: 'coordinator', lead: { kind: 'provisional', run: role.run } });
  }
}

/** Remembers the highest promise that a peer reported, and where the peer is. */
export function noteReported(s: State, peer: Omit<LinkedPeer, 'promised'>, promised: Epoch): void {
  const { id, key, name, address, nonce } = peer;
  s.highestNumber = Math.max(s.highestNumber, promised.number);
  const known = knownAs(s, peer);
  if (known === undefined && isOthers(s, peer)) return;
  const isHigher = known === undefined || compareEpochs(promised, known.promised) > 0;
  if (!isHigher && known.nonce === nonce && known.member.address === address) return;
  const member: Member =
    known?.bound === true ? { ...known.member, address } : { id, key, name, address };
  const entry = {
    member,
    bound: known?.bound ?? false,
    promised: isHigher ? promised : known.promised,
    nonce,
  };
  s.known.set(id, entry);
  write(s, { kind: 'know', peer: entry }, false);
}

/**
 * The id belongs to another key: for good, or by a list that is not final yet. That key counts already, so
 * what it has promised must not be forgotten for somebody else's word.
 */
function isOthers(s: State, { id, key }: Pick<Member, 'id' | 'key'>): boolean {
  if (s.known.get(id)?.bound === true) return true;
  const isAnother = (member: Member): boolean => member.id === id && !bytesEqual(member.key, key);
  return listsInEffect(s).some(({ members }) => members.some(isAnother));
}

/** A link is gone; `refused`: nothing listens there any more, which is suspicion enough. */
export function onLinkDown(s: State, id: PeerId, refused: boolean): void {
  const peer = s.peers.get(id);
  if (peer === undefined) return;
  peer.linked = false;
  s.wanted.drop(id);
  s.out.statusChanged = true;
  if (refused) peer.suspected = true;
}

/** Suspects and trusts by the detectors; a peer trusted again is given more time from then on. */
export function judgePeers(s: State): void {
  for (const peer of s.peers.values()) {
    const silent = peer.detector.isSuspect(s.now);
    if (silent && !peer.suspected) {
      peer.suspected = true;
      s.out.statusChanged = true;
    } else if (!silent && peer.suspected && peer.linked) {
      peer.suspected = false;
      peer.detector.widen(s.now);
      s.out.statusChanged = true;
    }
  }
}

/** This process itself stood still: every silence is its own doing (E12), also one that would evict. */
export function forgiveSilence(s: State): void {
  s.awakeSince = s.now;
  s.unheardSince.clear();
  // Who wished to join may be gone since, and a list with it would wait for it; who is not wishes again.
  s.waiting.joins.clear();
  s.waiting.leaves.clear();
  for (const peer of s.peers.values()) peer.detector.restart(s.now);
}

/** Everyone worth dialling: members and former members, where they were last. */
export function addresses(s: State): readonly Member[] {
  const all = new Map<PeerId, Member>();
  for (const { id } of newestList(s)?.members ?? []) {
    const known = s.known.get(id);
    if (known !== undefined) all.set(id, known.member);
  }
  for (const member of newestList(s)?.members ?? []) {
    if (!all.has(member.id)) all.set(member.id, member);
  }
  for (const { member } of s.known.values()) all.set(member.id, member);
  all.delete(s.self.id);
  return [...all.values()];
}

/** ADDRESSES: where others were last seen; a hint for dialling, never more. */
export function onAddresses(s: State, members: readonly Member[]): void {
  for (const member of members) {
    if (member.id === s.self.id || s.known.has(member.id)) continue;
    const peer = { member, bound: false, promised: { number: 0, leader: 0 }, nonce: 0 };
    s.known.set(member.id, peer);
    write(s, { kind: 'know', peer }, false);
    s.out.addressesChanged = true;
  }
}
