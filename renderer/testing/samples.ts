/** Plain sample data in the contract's types: statuses, entries, snapshots. Each call may override parts. */
import type { Phase, Snapshot, StartView } from '../../shared/ipc/contract.ts';
import type {
  FinalEntry,
  MembersChange,
  MemberView,
  NodeStatus,
  PeerId,
  PeerView,
  Seq,
  WaitingMessage,
} from '../../shared/model.ts';

/** The wall clock of samples: noon UTC of a working day. */
export const SAMPLE_NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

const NAMES = ['Ann', 'Ben Okafor', 'Chiara', 'Dmitri', 'Edda', 'Farid', 'Grete'];

export function member(id: PeerId): MemberView {
  return { id, name: NAMES[(id - 1) % NAMES.length] ?? '', address: `192.168.1.${id + 10}:6001` };
}

export function peer(id: PeerId, part: Partial<PeerView> = {}): PeerView {
  return { id, connected: true, suspected: false, phi: 0.2, rttMs: 2 + id, commit: 41, ...part };
}

/** Three members, peer 3 leads, this is peer 1, all is well. */
export function status(part: Partial<NodeStatus> = {}): NodeStatus {
  return {
    id: 1,
    role: 'follower',
    established: true,
    synchronising: false,
    leader: 3,
    epoch: [4, 3],
    members: [1, 2, 3],
    lists: [part.members ?? [1, 2, 3]],
    commit: 41,
    hash: '3fa9c1d27be04415a6f0d2c4',
    pending: 0,
    peers: [peer(2), peer(3)],
    roster: [1, 2, 3].map((id) => ({ ...member(id), listed: true })),
    diverged: false,
    progress: null,
    ...part,
  };
}

export function messageEntry(seq: Seq, part: Partial<FinalEntry> = {}): FinalEntry {
  return {
    kind: 'message',
    seq,
    epoch: [4, 3],
    message: `m${seq}`,
    author: 2,
    sentAt: SAMPLE_NOW + seq * 1000,
    hash: `h${seq}`,
    text: `message ${seq}`,
    ...part,
  } as FinalEntry;
}

export function leaderEntry(seq: Seq, leader: PeerId, epoch: number): FinalEntry {
  return {
    ...messageEntry(seq),
    kind: 'leader',
    author: leader,
    epoch: [epoch, leader],
    text: null,
  };
}

/** A change that says nothing else. */
export function membersChange(part: Partial<MembersChange> = {}): MembersChange {
  return { joined: [], back: [], gone: [], renamed: [], moved: [], ...part };
}

/** A list, and what it changed: by default its last member joined. */
export function membersEntry(
  seq: Seq,
  ids: readonly PeerId[],
  change: MembersChange = membersChange({ joined: ids.slice(-1).map(member) }),
): FinalEntry {
  return { ...messageEntry(seq), kind: 'members', text: null, members: ids.map(member), change };
}

let made = 0;

/** An own message that waits; every call makes a new id unless one is given. */
export function waitingMessage(text: string, part: Partial<WaitingMessage> = {}): WaitingMessage {
  made += 1;
  return { message: `w${made}`, author: 1, text, sentAt: Date.now(), n: null, ...part };
}

export function openPhase(): Extract<Phase, { kind: 'open' }> {
  return {
    kind: 'open',
    self: { id: 1, name: 'Ann', host: '0.0.0.0', port: 6001 },
    group: '9d41c7e20b8a4f6c',
    invite:
      'lockstep://join/9d41c7e20b8a4f6c?key=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MDEyMzQ1Njc&seed=192.168.1.11:6001',
  };
}

export function startView(part: Partial<StartView> = {}): StartView {
  return {
    proposed: { id: 4711, name: 'Ann', host: '0.0.0.0', port: 6001 },
    groups: [],
    invite: '',
    version: '0.1.0',
    ...part,
  };
}

export function snapshot(part: Partial<Snapshot> = {}): Snapshot {
  return {
    phase: openPhase(),
    status: status(),
    entries: [],
    waiting: [],
    settings: { theme: 'system', statusPanel: true },
    draft: '',
    ...part,
  };
}
