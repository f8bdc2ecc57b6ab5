/**
 * What a replica tells people about itself: plain data, made from the state on demand. It decides
 * nothing.
 */
import type { NodeStatus, PeerView, Role, RosterEntry } from '../model.ts';
import { leaderOf } from './heartbeat.ts';
import { type State, electoratesInEffect, isListed, newestList } from './state.ts';
import type { Member, PeerId } from './types.ts';

/** The status of now. */
export function statusOf(s: State): NodeStatus {
  const { role } = s;
  const followed = role.kind === 'following' ? s.peers.get(role.leader) : undefined;
  const { winner } = s;
  const waitsForWinner = winner !== null && s.now < winner.until;
  return {
    id: s.self.id,
    role: roleOf(s),
    established: role.kind === 'leading' || role.kind === 'following',
    synchronising:
      s.attempt?.kind === 'synchronising' ||
      waitsForWinner ||
      typeof followed?.heartbeat?.synchronising === 'number',
    leader: leaderOf(s),
    epoch: [s.epoch.number, s.epoch.leader],
    members: (newestList(s)?.members ?? []).map(({ id }) => id),
    lists: electoratesInEffect(s).map((list) => list.map(({ id }) => id)),
    commit: s.mark,
    hash: hexOf(s.log.hashAt(s.mark)),
    pending: s.pending.size + openMessages(s),
    peers: [...s.peers.keys()].sort((a, b) => a - b).map((id) => peerView(s, id)),
    roster: rosterOf(s),
    diverged: s.stopped,
    progress: s.catchUp === null ? null : { at: s.mark, target: s.catchUp.target },
  };
}

function roleOf(s: State): Role {
  const { role } = s;
  if (role.kind === 'leading' || role.kind === 'leading-provisionally') return 'leader';
  if (!isListed(s)) return 'joining';
  if (role.kind === 'leaderless') return 'candidate';
  return 'follower';
}

/** Messages in the log that are not final. */
function openMessages(s: State): number {
  let count = 0;
  for (let seq = s.mark + 1; seq <= s.log.last.seq; seq++) {
    if (s.log.at(seq)?.kind === 'message') count++;
  }
  return count;
}

function peerView(s: State, id: PeerId): PeerView {
  const peer = s.peers.get(id);
  const phi = peer?.detector.phi(s.now) ?? 0;
  return {
    id,
    connected: peer?.connected === true && peer.linked,
    suspected: peer?.suspected ?? true,
    phi: Math.round(Math.min(phi, 99) * 100) / 100,
    rttMs: peer?.rttMs ?? null,
    commit: peer?.mark ?? 0,
  };
}

function rosterOf(s: State): readonly RosterEntry[] {
  const members = newestList(s)?.members ?? [];
  const roster = new Map<PeerId, RosterEntry>();
  for (const { member, bound } of s.known.values()) {
    if (bound) roster.set(member.id, rosterEntry(member, false));
  }
  for (const member of members) roster.set(member.id, rosterEntry(member, true));
  return [...roster.values()].sort((a, b) => a.id - b.id);
}

function rosterEntry({ id, name, address }: Member, listed: boolean): RosterEntry {
  return { id, name, address, listed };
}

function hexOf(bytes: Uint8Array | undefined): string {
  let text = '';
  for (const byte of bytes ?? []) text += byte.toString(16).padStart(2, '0');
  return text;
}
