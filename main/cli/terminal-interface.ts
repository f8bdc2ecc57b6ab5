/**
 * The terminal interface: what is typed is sent, what becomes final is printed with its number. What
 * others wrote is untrusted: control characters never reach the terminal.
 */
import { MEMBERS_MAX } from '../../shared/model.ts';
import type {
  FinalEntry,
  MessageId,
  NodeError,
  NodeStatus,
  PeerId,
  WaitingMessage,
} from '../../shared/model.ts';
import type { Entry } from '../../shared/protocol/types.ts';
import { describeWhoIsNeeded, viewQuorum } from '../../shared/quorum-view.ts';
import { finalEntryOf } from '../peer/views.ts';
import type { SessionActions, ShownEvent, UserInterface } from './user-interface.ts';

/** Entries of earlier conversation shown at the start, and by `/history` without a number. */
const HISTORY_SHOWN = 10;
/** `/history` gives at most this many at once. */
const HISTORY_MAX = 10_000;

/**
 * A message that is final within this time is printed once, milliseconds: on a healthy group every
 * line would otherwise appear twice.
 */
const MARK_AFTER_MS = 250;

const HELP = `A line is sent as a message. Commands:
  /status       who leads, which epoch, whether there is a quorum
  /peers        the other peers and how well they are heard
  /history [N]  the last N entries (${HISTORY_SHOWN})
  /invite       a link with which others can join: a secret
  /help         this text
  /quit         leaves the group and ends`;

/** Talks with a person. */
export class TerminalInterface implements UserInterface {
  readonly #print: (line: string) => void;
  readonly #session: SessionActions;
  readonly #names = new Map<PeerId, string>();
  /** Messages that are not final: a timer until they are marked, then null. */
  readonly #open = new Map<MessageId, NodeJS.Timeout | null>();
  /** What was said last of how this peer stands. */
  #told: string | null = null;

  /** `print` puts one line, without its newline, on the screen. */
  constructor(print: (line: string) => void, session: SessionActions) {
    this.#print = print;
    this.#session = session;
  }

  show(event: ShownEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#print(`-- peer ${event.id} listens at ${event.host}:${event.port}; /help for help`);
        if (event.commit > 0) this.#showHistory(HISTORY_SHOWN);
        return;
      case 'accepted':
      case 'provisional':
        this.#markLater(event.message);
        return;
      case 'status':
        this.#onStatus(event.status);
        return;
      case 'progress':
        this.#print(`-- catching up: ${event.at} of ${event.target}`);
        return;
      case 'error':
        this.showError(event.error);
        return;
    }
  }

  showFinal(entries: readonly Entry[]): void {
    for (const entry of entries.map((entry) => finalEntryOf(entry, null))) {
      const timer = this.#open.get(entry.message);
      if (timer) clearTimeout(timer);
      this.#open.delete(entry.message);
      this.#print(this.#describe(entry));
    }
  }

  showError(error: NodeError): void {
    this.#print(`!! ${printable(error.message)} [${error.code}]`);
  }

  takeLine(line: string): void {
    const peer = this.#session.peer();
    if (peer === null || line.trim() === '') return;
    if (line.startsWith('/')) this.#command(line.trim());
    else peer.send(line, undefined);
  }

  #command(line: string): void {
    const [name, argument] = line.split(/\s+/);
    const peer = this.#session.peer();
    switch (name) {
      case '/status':
        if (peer !== null) this.#showStatus(peer.status());
        return;
      case '/peers':
        if (peer !== null) this.#showPeers(peer.status());
        return;
      case '/history': {
        const count = argument === undefined ? HISTORY_SHOWN : Number(argument);
        if (Number.isInteger(count) && count > 0) this.#showHistory(Math.min(count, HISTORY_MAX));
        else this.#print('!! /history takes a whole number from 1 [BAD_COMMAND]');
        return;
      }
      case '/invite':
        this.#print(peer?.inviteLink() ?? '-- there is no group yet');
        return;
      case '/help':
        this.#print(HELP);
        return;
      case '/quit':
        this.#session.quit();
        return;
      default:
        this.#print(`!! ${printable(name ?? '')} is no command; /help lists them [BAD_COMMAND]`);
    }
  }

  #showHistory(count: number): void {
    const peer = this.#session.peer();
    if (peer === null) {
      // The peer says that it is ready before whoever opened it has it in hand.
      setImmediate(() => {
        if (this.#session.peer() !== null) this.#showHistory(count);
      });
      return;
    }
    const from = Math.max(1, peer.status().commit - count + 1);
    void peer.history(from, count).then((entries) => {
      for (const entry of entries) this.#print(this.#describe(entry));
    });
  }

  #showStatus(status: NodeStatus): void {
    const { id, role, leader, epoch, members, commit, pending } = status;
    const lead = leader === null ? 'nobody leads' : `${this.#nameOf(leader)} (${leader}) leads`;
    this.#print(`-- peer ${id}, ${role}; ${lead}; epoch ${epoch[0]}; ${quorumOf(status)}`);
    const names = members.map((member) => `${this.#nameOf(member)} (${member})`).join(', ');
    this.#print(`-- final up to ${commit}, ${pending} waiting; members: ${names || 'none yet'}`);
    if (status.diverged) this.#print('-- this peer has stopped: its history differs');
  }

  #showPeers(status: NodeStatus): void {
    if (status.peers.length === 0) this.#print('-- no other peer was met yet');
    for (const { id, connected, suspected, phi, rttMs, commit } of status.peers) {
      const link = connected ? 'connected' : suspected ? 'silent' : 'connecting';
      const trip = rttMs === null ? '' : `, ${rttMs.toFixed(1)} ms`;
      this.#print(`-- ${this.#nameOf(id)} (${id}): ${link}${trip}, phi ${phi}, has ${commit}`);
    }
  }

  #onStatus(status: NodeStatus): void {
    for (const { id, name } of status.roster) this.#names.set(id, name);
    const now = this.#standing(status);
    if (now === this.#told || now === null) return;
    this.#told = now;
    this.#print(`-- ${now}`);
  }

  /** Who leads, or why this peer is not let in; null while it is about to be. */
  #standing({ established, leader, members, progress, role }: NodeStatus): string | null {
    if (role === 'joining') {
      // The list may be an old one before everything is here, and without a leader nobody is let in anyway.
      if (members.length < MEMBERS_MAX || progress !== null || !established) return null;
      return `the group is full (${MEMBERS_MAX} members): messages are sent when somebody leaves`;
    }
    if (leader === null) return 'nobody leads';
    return `${this.#nameOf(leader)} leads${established ? '' : ' without a quorum'}`;
  }

  #markLater(message: WaitingMessage): void {
    const { message: id, author, text } = message;
    if (this.#open.has(id)) return;
    const timer = setTimeout(() => {
      this.#open.set(id, null);
      this.#print(`#… ${this.#nameOf(author)}: ${printable(text)} (not final yet)`);
    }, MARK_AFTER_MS);
    this.#open.set(id, timer);
  }

  #describe(entry: FinalEntry): string {
    const { seq, author, epoch } = entry;
    switch (entry.kind) {
      case 'message':
        return `#${seq} ${this.#nameOf(author)}: ${printable(entry.text)}`;
      case 'leader':
        return `#${seq} -- ${this.#nameOf(author)} leads, epoch ${epoch[0]}`;
      default:
        for (const { id, name } of entry.members) this.#names.set(id, name);
        return `#${seq} -- members: ${entry.members.map(({ id }) => this.#nameOf(id)).join(', ')}`;
    }
  }

  #nameOf(id: PeerId): string {
    return printable(this.#names.get(id) ?? `peer_${id}`);
  }
}

/** Whether what is sent becomes final now, and else whom it waits for. */
function quorumOf(status: NodeStatus): string {
  if (status.established) return 'a quorum is up';
  const quorum = viewQuorum(status);
  if (quorum.isQuorum || status.lists.length === 0) return 'messages wait to be final';
  return `no quorum: messages become final when ${describeWhoIsNeeded(quorum)}`;
}

/** Text without anything that moves the cursor, changes colours or turns the writing round. */
function printable(text: string): string {
  return text
    .replaceAll(/\r?\n/g, '\n    ')
    .replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) =>
      character === '\n' || character === '\t' ? character : '\ufffd',
    );
}
