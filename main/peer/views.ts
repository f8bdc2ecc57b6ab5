/**
 * Where the protocol's bytes become what people and programs read, and back: bodies are UTF-8 text,
 * hashes and ids of groups are hex.
 */
import type {
  FinalEntry,
  MembersChange,
  MemberView,
  NodeStatus,
  PeerId,
  WaitingMessage,
} from '../../shared/model.ts';
import { decodeMembers } from '../../shared/protocol/codec.ts';
import type { Entry, Message } from '../../shared/protocol/types.ts';

/** The text of a body; bytes that are not UTF-8, which only a strange peer sends, become U+FFFD. */
export function textOf(body: Uint8Array): string {
  return asBuffer(body).toString('utf8');
}

/** Lower-case hex. */
export function hexOf(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A final entry as it is told; `change` is what a members list changed, where that is known. */
export function finalEntryOf(entry: Entry, change: MembersChange | null): FinalEntry {
  const { seq, epoch, id, author, sentAt } = entry;
  const base = {
    seq,
    epoch: [epoch.number, epoch.leader] as const,
    message: id,
    author,
    sentAt,
    hash: hexOf(entry.hash),
  };
  switch (entry.kind) {
    case 'message':
      return { ...base, kind: 'message', text: textOf(entry.body) };
    case 'leader':
      return { ...base, kind: 'leader', text: null };
    case 'members':
      return { ...base, kind: 'members', text: null, members: membersOf(entry), change };
    default:
      return entry.kind;
  }
}

/** The members that a `members` entry lists. */
export function membersOf(entry: Entry): MemberView[] {
  const decoded = decodeMembers(entry.body);
  if (!decoded.ok) return [];
  return decoded.value.map(({ id, name, address }) => ({ id, name, address }));
}

/** A message that is not final as it is told. */
export function waitingOf(message: Message, n: number | null): WaitingMessage {
  const { id, author, body, sentAt } = message;
  return { message: id, author, text: textOf(body), sentAt, n };
}

/** The status of a peer that has not found its group yet. */
export function joiningStatus(id: PeerId): NodeStatus {
  return {
    id,
    role: 'joining',
    established: false,
    synchronising: false,
    leader: null,
    epoch: [0, id],
    members: [],
    lists: [],
    commit: 0,
    hash: '',
    pending: 0,
    peers: [],
    roster: [],
    diverged: false,
    progress: null,
  };
}
