/**
 * What components read of the state: rows of the conversation, people, names. Pure, and cheap enough to be
 * asked for the rows on screen at every render; nothing here walks the whole conversation.
 */
import type {
  EpochPair,
  FinalEntry,
  MembersChange,
  MemberView,
  MessageId,
  NodeStatus,
  PeerId,
  Seq,
} from '../../shared/model.ts';
import type { ChatState } from './apply-event.ts';
import { entryAt, pageOf } from './conversation.ts';
import type { Conversation } from './conversation.ts';
import { describePeer, listOf } from '../../shared/quorum-view.ts';
import type { Naming } from '../../shared/quorum-view.ts';

/** How settled a message is. A doubtful one is final here, in a history that is not the group's. */
export type MessageState = 'pending' | 'provisional' | 'final' | 'doubtful';

/** A message of the list, final or waiting. */
export interface MessageRow {
  readonly kind: 'message';
  readonly id: MessageId;
  readonly state: MessageState;
  /** Final number; null while it has none. */
  readonly seq: Seq | null;
  /** Provisional place; null when final or not ordered. */
  readonly n: number | null;
  readonly epoch: EpochPair | null;
  readonly author: PeerId;
  readonly text: string;
  readonly sentAt: number;
}

/** A leader or members entry: one slim line. */
export interface NoteRow {
  readonly kind: 'note';
  readonly id: MessageId;
  readonly about: 'leader' | 'members';
  readonly seq: Seq;
  readonly sentAt: number;
  readonly text: string;
}

/** An entry that this window has not loaded. */
export interface GapRow {
  readonly kind: 'gap';
  readonly seq: Seq;
}

export type Row = MessageRow | NoteRow | GapRow;

/** Rows of an author this close together are one group. */
const GROUP_MS_MAX = 5 * 60_000;

/** Final rows come first, then the waiting ones; position 1 is entry 1. */
export function rowCount(conversation: Conversation): number {
  return conversation.last + conversation.waiting.length;
}

/** The row at a position from 1. */
export function rowAt(conversation: Conversation, position: number): Row {
  if (position > conversation.last) {
    const waiting = conversation.waiting[position - conversation.last - 1];
    if (waiting === undefined) return { kind: 'gap', seq: position };
    const state = waiting.n === null ? 'pending' : 'provisional';
    const { message: id, author, text, sentAt, n } = waiting;
    return { kind: 'message', id, state, seq: null, n, epoch: null, author, text, sentAt };
  }
  const entry = entryAt(conversation, position);
  if (entry === undefined) return { kind: 'gap', seq: position };
  if (entry.kind === 'message') return finalRow(entry);
  const { seq, message: id, sentAt } = entry;
  const text = entry.kind === 'leader' ? describeLeader(entry) : describeMembers(entry);
  return { kind: 'note', id, about: entry.kind, seq, sentAt, text };
}

function finalRow(entry: FinalEntry & { readonly kind: 'message' }): MessageRow {
  const { message: id, seq, epoch, author, text, sentAt } = entry;
  return { kind: 'message', id, state: 'final', seq, n: null, epoch, author, text, sentAt };
}

/**
 * What a message's state is worth: a history that differs may do so from any number on, because it is noticed
 * only where the two meet.
 */
export function stateIn(status: NodeStatus | null, state: MessageState): MessageState {
  return state === 'final' && status?.diverged === true ? 'doubtful' : state;
}

/** Whether a row continues the group of the row above it, and needs no name of its own. */
export function continuesGroup(row: Row, above: Row | null): boolean {
  return (
    row.kind === 'message' &&
    above?.kind === 'message' &&
    row.author === above.author &&
    Math.abs(row.sentAt - above.sentAt) <= GROUP_MS_MAX
  );
}

/** Consecutive leader entries that are shown as one line. */
export interface LeaderRun {
  readonly from: Seq;
  readonly to: Seq;
  /** Id of the first, to know the run by while it grows. */
  readonly id: MessageId;
  /** What all of them come to. */
  readonly text: string;
}

/** More leader entries than this in a row are folded. */
const LEADERS_MAX = 2;

/** The run that a leader entry is folded into; null for other entries, and where there are too few. */
export function leaderRunAt(conversation: Conversation, seq: Seq): LeaderRun | null {
  if (entryAt(conversation, seq)?.kind !== 'leader') return null;
  let [from, to] = [seq, seq];
  // A run ends with its page: however many leaders there were, a look at a row is a look at one page.
  const isLeader = (at: Seq): boolean =>
    pageOf(at) === pageOf(seq) && entryAt(conversation, at)?.kind === 'leader';
  while (isLeader(from - 1)) from -= 1;
  while (isLeader(to + 1)) to += 1;
  const [first, last] = [entryAt(conversation, from), entryAt(conversation, to)];
  const size = to - from + 1;
  if (size <= LEADERS_MAX || first === undefined || last === undefined) return null;
  return { from, to, id: first.message, text: `${size} elections · ${describeLeader(last)}` };
}

/** “Peer 3 leads · epoch 4”. */
function describeLeader(entry: FinalEntry): string {
  return `Peer ${entry.author} leads · epoch ${entry.epoch[0]}`;
}

/** “Ann joined”; without the change, who the members are. */
function describeMembers(entry: FinalEntry & { readonly kind: 'members' }): string {
  if (entry.seq === 1) return `${namesOf(entry.members)} started the group`;
  if (entry.change === null) return `Members: ${namesOf(entry.members)}`;
  return describeMembersChange(entry.change);
}

/**
 * A change of the members as a sentence; several are joined by “·”. “Away” is true of who left and of who was
 * taken off the list for silence: the list does not tell them apart.
 */
export function describeMembersChange(change: MembersChange): string {
  const { back, gone, joined, moved, renamed } = change;
  const parts = [
    ...(joined.length > 0 ? [`${namesOf(joined)} joined`] : []),
    ...(back.length > 0 ? [`${namesOf(back)} ${isOrAre(back)} back`] : []),
    ...(gone.length > 0 ? [`${namesOf(gone)} ${isOrAre(gone)} away`] : []),
    ...renamed.map(({ member, was }) => `${was || `Peer ${member.id}`} is now ${nameIn(member)}`),
    ...(moved.length > 0 ? [`${namesOf(moved)} can be reached at a new address`] : []),
  ];
  return parts.length > 0 ? parts.join(' · ') : 'Members unchanged';
}

function isOrAre(members: readonly MemberView[]): string {
  return members.length === 1 ? 'is' : 'are';
}

function nameIn(member: MemberView): string {
  return member.name || `Peer ${member.id}`;
}

function namesOf(members: readonly MemberView[]): string {
  return listOf(members.map(nameIn), 'and');
}

/** A peer's name as last listed; “Peer 3” for one never listed. */
export function nameOf(status: NodeStatus | null, id: PeerId): string {
  const name = status?.roster.find((entry) => entry.id === id)?.name ?? '';
  return name === '' ? `Peer ${id}` : name;
}

/** What the peers of a status are called; a name that only repeats the id is none. */
export function namingOf({ roster }: NodeStatus): Naming {
  const names = new Map(roster.map(({ id, name }) => [id, name]));
  return (id) => {
    const name = names.get(id) ?? '';
    return name === '' || name === `peer_${id}` ? null : name;
  };
}

/** “Ben (3)” as the beginning of a sentence; “Peer 3” for one without a name. */
export function calledIn(status: NodeStatus, id: PeerId): string {
  const called = describePeer(id, namingOf(status));
  return called === `peer ${id}` ? `Peer ${id}` : called;
}

/** How a listed member stands, as the roster shows it. */
export interface Person {
  readonly id: PeerId;
  readonly name: string;
  readonly address: string;
  readonly isSelf: boolean;
  readonly isLeader: boolean;
  readonly presence: 'self' | 'connected' | 'suspected' | 'unconnected' | 'away';
  readonly rttMs: number | null;
}

/** Oneself, listed or not, the leader, the other members by id; and below them everyone who once was one. */
export function peopleOf(status: NodeStatus): {
  readonly members: readonly Person[];
  readonly away: readonly Person[];
} {
  const { id: self, leader, members } = status;
  const known = status.roster.map(({ id }) => id).toSorted((a, b) => a - b);
  const here = new Set([
    ...(known.includes(self) ? [self] : []),
    ...(leader !== null && members.includes(leader) ? [leader] : []),
    ...members.toSorted((a, b) => a - b),
  ]);
  return {
    members: [...here].map((id) => personOf(status, id, true)),
    away: known.filter((id) => !here.has(id)).map((id) => personOf(status, id, false)),
  };
}

function personOf(status: NodeStatus, id: PeerId, listed: boolean): Person {
  const peer = status.peers.find((view) => view.id === id);
  const isSelf = id === status.id;
  const heard = peer?.connected === true;
  // Who has stopped is refused by the others: they do answer.
  const silent = peer?.suspected === true && !status.diverged;
  return {
    id,
    name: nameOf(status, id),
    address: status.roster.find((entry) => entry.id === id)?.address ?? '',
    isSelf,
    isLeader: status.leader === id,
    presence: isSelf
      ? 'self'
      : !listed && !heard
        ? 'away'
        : silent
          ? 'suspected'
          : heard
            ? 'connected'
            : 'unconnected',
    rttMs: peer?.rttMs ?? null,
  };
}

/** What the reader has not looked at, for the window's title. */
export function titleOf(state: ChatState): string {
  const { unseen } = state.attention;
  return unseen > 0 ? `(${unseen}) Lockstep` : 'Lockstep';
}
