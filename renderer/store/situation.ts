/**
 * One clear, true sentence for how the node stands. Pure: status in, words out. It must never promise more
 * than the status says: no cause is named that the status does not carry.
 */
import { MEMBERS_MAX } from '../../shared/model.ts';
import type { NodeStatus } from '../../shared/model.ts';
import { describeWhoIsNeeded, viewQuorum } from '../../shared/quorum-view.ts';
import type { QuorumView } from '../../shared/quorum-view.ts';
import { calledIn, namingOf } from './selectors.ts';

/** `calm`: all well. `busy`: under way. `waiting`: messages have to wait for others. `alarm`: stopped. */
export type Tone = 'calm' | 'busy' | 'waiting' | 'alarm';

export interface Situation {
  readonly kind:
    | 'diverged'
    | 'joining'
    | 'full'
    | 'nobody'
    | 'catching-up'
    | 'synchronising'
    | 'established'
    | 'no-quorum'
    | 'taking-over'
    | 'electing';
  readonly tone: Tone;
  /** A few words for the header. */
  readonly label: string;
  /** The whole sentence, for the status panel. */
  readonly sentence: string;
  /** What the composer says about new messages; empty when they become final at once. */
  readonly composerHint: string;
  readonly progress: Progress | null;
  /** Shown when it has lasted so long, milliseconds: what it says is often over in a moment. */
  readonly patienceMs: number;
}

type Progress = NonNullable<NodeStatus['progress']>;

/** An election, or a message on its way to its number, is usually over before anybody could read of it. */
const PASSING_MS = 300;

/** Links to the others come up one after the other; until then nobody has had the time to answer. */
const GREETING_MS = 1_000;

const WAITS = 'Messages wait for their final place.';

/** How the node stands, in words. */
export function describeSituation(status: NodeStatus): Situation {
  if (status.diverged) return diverged();
  // Without a members list there is no group yet to speak of.
  if (status.role === 'joining' || status.members.length === 0) return joining(status);
  const { progress } = status;
  if (progress !== null && progress.at < progress.target) return catchingUp(progress);
  if (status.synchronising) return synchronising(status);
  const quorum = viewQuorum(status);
  if (status.established) return established(status, quorum);
  if (!quorum.isQuorum) return noQuorum(status, quorum);
  return status.leader === null ? electing(quorum) : takingOver(status, quorum);
}

function diverged(): Situation {
  return {
    kind: 'diverged',
    tone: 'alarm',
    label: 'History differs',
    sentence:
      'This peer’s history differs from the group’s at a final number, so it has stopped: nothing new ' +
      'arrives or becomes final here. Compare fingerprints with another member, then join again under ' +
      'a new id.',
    composerHint: 'Stopped: messages stay on this computer, because the history here differs.',
    progress: null,
    patienceMs: 0,
  };
}

/**
 * Who joins gets the history first: only who has nearly all of it is let in. Who comes back and finds
 * nobody, or too few, waits for others instead.
 */
function joining(status: NodeStatus): Situation {
  const { progress } = status;
  if (progress !== null && progress.at < progress.target) return joiningWith(progress);
  const quorum = viewQuorum(status);
  const waits = status.members.length > 0 && !status.established && !quorum.isQuorum;
  if (waits) return joiningTooFew(status, quorum);
  if (status.members.length >= MEMBERS_MAX) return joiningTooMany();
  return {
    kind: 'joining',
    tone: 'busy',
    label: 'Joining…',
    sentence: `Joining the group. ${LET_IN}`,
    composerHint: 'Joining: messages are sent once the leader has let you in.',
    progress: null,
    patienceMs: 0,
  };
}

const LET_IN = 'You can write already; messages are sent once the leader has let you in.';

function joiningWith(progress: Progress): Situation {
  return {
    kind: 'joining',
    tone: 'busy',
    label: `Joining… ${percent(progress)}%`,
    sentence: `Joining the group: ${soFar(progress)} are here. ${LET_IN}`,
    composerHint: 'Joining: messages are sent once the leader has let you in.',
    progress,
    patienceMs: 0,
  };
}

/** A reason to wait, not to give up: somebody may leave at any time. */
function joiningTooMany(): Situation {
  return {
    kind: 'full',
    tone: 'waiting',
    label: 'The group is full',
    sentence:
      `The group has ${count(MEMBERS_MAX)} members, and cannot have more. You are let in when somebody ` +
      'leaves; until then messages wait on this computer.',
    composerHint: 'The group is full: messages are sent when somebody leaves and you are let in.',
    progress: null,
    patienceMs: 0,
  };
}

/** Nobody can be let in before a quorum is there. */
function joiningTooFew(status: NodeStatus, quorum: QuorumView): Situation {
  const there = `${quorum.connected.length} of ${quorum.members.length}`;
  const nobody = quorum.connected.length === 0 && status.leader === null;
  const needed = describeWhoIsNeeded(quorum, namingOf(status));
  return {
    kind: nobody ? 'nobody' : 'no-quorum',
    tone: 'waiting',
    label: nobody ? 'Nobody answers' : `No quorum · ${there}`,
    sentence:
      `${nobody ? 'Nobody of the group answers.' : `No quorum: ${there}.`} ` +
      `Your messages go out when ${needed}.`,
    composerHint: `${nobody ? 'Nobody answers' : 'No quorum'}: messages go out when ${needed}.`,
    progress: null,
    patienceMs: nobody ? GREETING_MS : 0,
  };
}

function catchingUp(progress: Progress): Situation {
  return {
    kind: 'catching-up',
    tone: 'busy',
    label: `Catching up ${percent(progress)}%`,
    sentence: `Catching up: ${soFar(progress)} are here.`,
    composerHint: '',
    progress,
    patienceMs: PASSING_MS,
  };
}

function percent({ at, target }: Progress): number {
  return Math.floor((at / target) * 100);
}

function soFar({ at, target }: Progress): string {
  return `${count(at)} of ${count(target)} entries`;
}

function synchronising(status: NodeStatus): Situation {
  const who = status.leader;
  const whose =
    who === null
      ? 'The next leader is fetching what it lacks before it leads.'
      : who === status.id
        ? 'You are about to lead, and fetch what you lack first.'
        : `${calledIn(status, who)} is about to lead, and fetches what is missing there first.`;
  return {
    kind: 'synchronising',
    tone: 'busy',
    label: 'Synchronising…',
    sentence: `${whose} You can go on writing.`,
    composerHint: WAITS,
    progress: null,
    patienceMs: PASSING_MS,
  };
}

function established(status: NodeStatus, quorum: QuorumView): Situation {
  const there = `${quorum.connected.length} of ${quorum.members.length}`;
  return {
    kind: 'established',
    tone: 'calm',
    label: `${leads(status)} · ${there}`,
    sentence: `${leads(status)}. ${there} connected. ${waitingSentence(status.pending)}`,
    composerHint: '',
    progress: null,
    patienceMs: status.pending === 0 ? 0 : PASSING_MS,
  };
}

function noQuorum(status: NodeStatus, quorum: QuorumView): Situation {
  const there = `${quorum.connected.length} of ${quorum.members.length}`;
  // Alone, one leads oneself: true, and of no interest.
  const meanwhile =
    status.leader !== null && quorum.connected.length > 1
      ? `${leads(status)} for now: messages get provisional places. `
      : '';
  const needed = describeWhoIsNeeded(quorum, namingOf(status));
  return {
    kind: 'no-quorum',
    tone: 'waiting',
    label: `No quorum · ${there}`,
    sentence:
      `No quorum: ${there}. ${meanwhile}You can go on writing; messages become final when ` +
      `${needed}.`,
    composerHint: `No quorum: messages wait for their final place until ${needed}.`,
    progress: null,
    patienceMs: 0,
  };
}

function takingOver(status: NodeStatus, quorum: QuorumView): Situation {
  const { leader } = status;
  const who = leader === null || leader === status.id ? null : calledIn(status, leader);
  return {
    kind: 'taking-over',
    tone: 'waiting',
    label: who === null ? 'You take the lead…' : `${who} takes the lead…`,
    sentence:
      `${who === null ? 'You are' : `${who} is`} taking the lead, provisionally so far. ${quorum.connected.length} of ` +
      `${quorum.members.length} connected. You can go on writing.`,
    composerHint: WAITS,
    progress: null,
    patienceMs: PASSING_MS,
  };
}

function electing(quorum: QuorumView): Situation {
  return {
    kind: 'electing',
    tone: 'busy',
    label: 'Electing a leader…',
    sentence:
      `Electing a leader. ${quorum.connected.length} of ${quorum.members.length} connected. ` +
      'You can go on writing.',
    composerHint: WAITS,
    progress: null,
    patienceMs: PASSING_MS,
  };
}

function leads(status: NodeStatus): string {
  const { id, leader } = status;
  if (leader === null) return 'Nobody leads';
  return leader === id ? 'You lead' : `${calledIn(status, leader)} leads`;
}

function waitingSentence(pending: number): string {
  if (pending === 0) return 'Everything is final.';
  return pending === 1
    ? '1 message waits for its final place.'
    : `${count(pending)} messages wait for their final place.`;
}

/** 12,400: the separators that the rest of the English text uses. */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/**
 * How long a situation must have lasted to take the place of the one that is shown, milliseconds. What is
 * shown already, passing as it may be, goes on being up to date.
 */
export function patienceWith(next: Situation | null, shown: Situation | null): number {
  if (next === null) return 0;
  const goesOn = shown !== null && shown.patienceMs > 0 && shown.kind === next.kind;
  return goesOn ? 0 : next.patienceMs;
}
