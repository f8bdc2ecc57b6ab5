/**
 * The guarantees of the protocol as checks on a run. They look at what peers deliver, send and store,
 * never at how the core came to it, and use none of its arithmetic: a second, dumb opinion. Every check
 * is incremental, because it runs after every event. A broken rule is thrown as a Violation.
 */
import type { ProtocolMessage } from '../protocol/messages.ts';
import type { Inspection, WriteOp } from '../protocol/ready.ts';
import {
  type ChainHash,
  type Entry,
  type Epoch,
  type Member,
  type Message,
  type MessageId,
  type PeerId,
  type Seq,
  bytesEqual,
  compareEpochs,
} from '../protocol/types.ts';
import { type Disk, membersOf } from './disk.ts';
import type { Host, ListAt } from './host.ts';
import { violated } from './violation.ts';

/** One message that a person wrote. */
export interface Submission {
  readonly id: MessageId;
  readonly author: PeerId;
  readonly key: Uint8Array;
  /** Process that took it. */
  readonly process: number;
  /** Order of writing, over all authors. */
  readonly index: number;
  readonly body: Uint8Array;
  accepted: boolean;
  /** Its data folder was thrown away: nothing is promised about it any more. */
  void: boolean;
}

/** The order of one provisional run, as far as anybody was told of it. */
interface ProvisionalRun {
  readonly ids: Map<number, MessageId>;
  readonly places: Map<MessageId, number>;
}

/** The one history, and everything that must agree with it. */
export class Checkers {
  readonly canonical: Entry[] = [];
  readonly finalIds = new Map<MessageId, Seq>();
  readonly submissions = new Map<MessageId, Submission>();
  /** Accepted, promised to become final, and not final yet. */
  readonly open = new Map<MessageId, Submission>();
  /** The newest final list. */
  list: ListAt = { seq: 0, members: [] };
  readonly #chainHash: ChainHash;
  readonly #groupHash: Uint8Array;
  readonly #hosts: readonly Host[];
  /** Process that led an epoch. */
  readonly #leaders = new Map<string, number>();
  /** Index of the last final message of an author, by its key. */
  readonly #lastFinal = new Map<string, number>();
  /** What has a place in a provisional run, by the run. */
  readonly #runs = new Map<string, ProvisionalRun>();
  /** Keys that ids are bound to. */
  readonly #bound = new Map<PeerId, Uint8Array>();

  constructor(
    hosts: readonly Host[],
    chain: { readonly chainHash: ChainHash; readonly groupHash: Uint8Array },
  ) {
    this.#hosts = hosts;
    this.#chainHash = chain.chainHash;
    this.#groupHash = chain.groupHash;
  }

  /** Entry 1 of a group that exists when the run starts. */
  begin(entry: Entry): void {
    this.canonical.push(entry);
    this.#noteList(entry);
  }

  /** True if the id was ever in a final list. */
  isBound(id: PeerId): boolean {
    return this.#bound.has(id);
  }

  /** The key that the id is bound to by a final list; undefined while it is free. */
  boundKey(id: PeerId): Uint8Array | undefined {
    return this.#bound.get(id);
  }

  /** A person at `host` writes. */
  onSubmit(host: Host, message: { readonly id: MessageId; readonly body: Uint8Array }): void {
    this.submissions.set(message.id, {
      id: message.id,
      author: host.id,
      key: host.self.key,
      process: host.process,
      index: this.submissions.size,
      body: message.body,
      accepted: false,
      void: host.folder !== 'own',
    });
  }

  /** G4: what is accepted is durable, so that only a lost disk can lose it. */
  onAccepted(host: Host, message: Message): void {
    const submission = this.submissions.get(message.id);
    if (submission === undefined) violated('integrity', `accepted ${message.id}, never written`);
    if (submission.process !== host.process) {
      violated('integrity', `accepted ${message.id} of another process`);
    }
    if (submission.accepted) violated('integrity', `accepted ${message.id} twice`);
    if (!isStored(host.disk, message.id)) {
      violated('validity', `accepted ${message.id} before it was on disk`);
    }
    submission.accepted = true;
    if (!submission.void && !this.finalIds.has(message.id)) this.open.set(message.id, submission);
  }

  /** G2, then G1 or the rules for a new final entry. */
  onDelivered(host: Host, entry: Entry): void {
    if (entry.seq !== host.delivered + 1) {
      violated('order', `host ${host.index} delivers ${entry.seq} after ${host.delivered}`);
    }
    host.delivered = entry.seq;
    if (host.folder === 'spoilt') return;
    const canonical = this.canonical[entry.seq - 1];
    if (canonical === undefined) this.#extend(host, entry);
    else if (canonical !== entry && !isSame(canonical, entry)) {
      violated('agreement', `host ${host.index} delivers another entry ${entry.seq}`);
    }
  }

  /** An entry that no peer has delivered before. */
  #extend(host: Host, entry: Entry): void {
    const last = this.canonical.at(-1);
    if (entry.seq !== this.canonical.length + 1) violated('order', 'delivered past the history');
    if (last !== undefined && compareEpochs(entry.epoch, last.epoch) < 0) {
      violated('same-history', `epoch decreases at ${entry.seq}`);
    }
    if (!bytesEqual(this.#chainHash(last?.hash ?? this.#groupHash, entry), entry.hash)) {
      violated('same-history', `the hash of ${entry.seq} does not follow from the one before`);
    }
    if (entry.kind === 'message') this.#checkMessage(entry);
    this.#checkStored(host, entry);
    this.canonical.push(entry);
    if (entry.kind === 'members') this.#noteList(entry);
  }

  /** G3 and G5. */
  #checkMessage(entry: Entry): void {
    const submission = this.submissions.get(entry.id);
    if (submission === undefined || submission.author !== entry.author) {
      violated('integrity', `nobody wrote ${entry.id}`);
    }
    if (!bytesEqual(submission.body, entry.body)) violated('integrity', `${entry.id} was changed`);
    if (this.finalIds.has(entry.id)) violated('integrity', `${entry.id} is final twice`);
    const author = keyText(submission.key);
    if (submission.index <= (this.#lastFinal.get(author) ?? -1)) {
      violated('fifo', `${entry.id} is final after a later message of peer ${entry.author}`);
    }
    this.#lastFinal.set(author, submission.index);
    this.finalIds.set(entry.id, entry.seq);
    this.open.delete(entry.id);
  }

  /** Final means on the disks of a quorum of every list that was in effect. */
  #checkStored(host: Host, entry: Entry): void {
    // Only a leader's open lists count: those in a follower's tail may be about to be cut.
    const open = host.led === null ? [] : host.listsAtMark;
    const lists = open.filter(({ seq }) => seq > this.list.seq && seq !== entry.seq);
    if (this.list.seq > 0) lists.push(this.list);
    if (entry.kind === 'members') lists.push({ seq: entry.seq, members: membersOf(entry) });
    for (const { seq, members } of lists) {
      if (!isQuorum(members, (member) => this.#hasStored(member, entry))) {
        violated(
          'quorum-stored',
          `host ${host.index} delivers ${entry.seq}, not stored by a quorum of list ${seq}`,
        );
      }
    }
  }

  #hasStored(member: Member, entry: Entry): boolean {
    return this.#hosts.some((host) => {
      if (host.id !== member.id || host.folder === 'copied') return false;
      // The own folder comes back: what it holds was counted before an old copy took its place.
      const folders = host.ownFolder === null ? [host] : [host.ownFolder, host];
      const folder = folders.find(({ self }) => bytesEqual(self.key, member.key));
      if (folder === undefined) return false;
      const stored = folder.disk.log[entry.seq - 1];
      if (stored === undefined) return false;
      // What was falsified was counted before, and is until somebody notices.
      return host.folder === 'spoilt' || bytesEqual(stored.hash, entry.hash);
    });
  }

  /** An id stays with its key for good. */
  #noteList(entry: Entry): void {
    const members = membersOf(entry);
    this.list = { seq: entry.seq, members };
    for (const { id, key } of members) {
      const bound = this.#bound.get(id);
      if (bound === undefined) this.#bound.set(id, key);
      else if (!bytesEqual(bound, key)) violated('binding', `id ${id} is listed with another key`);
    }
  }

  /** Follows the lists in a queued log. */
  onWrite(host: Host, ops: readonly WriteOp[]): void {
    host.listsAtMark = [];
    for (const op of ops) {
      // What was appended behind the first move of the mark was not there when it was decided.
      if (op.kind === 'mark' && host.listsAtMark.length === 0) host.listsAtMark = host.openLists;
      if (op.kind === 'cut') host.openLists = host.openLists.filter(({ seq }) => seq <= op.after);
      if (op.kind !== 'append') continue;
      for (const entry of op.entries) {
        if (entry.kind !== 'members') continue;
        const open = host.openLists.filter(({ seq }) => seq > this.list.seq);
        host.openLists = [...open, { seq: entry.seq, members: membersOf(entry) }];
      }
    }
  }

  /** Nothing leaves before what it reports is on disk. */
  onSend(host: Host, message: ProtocolMessage): void {
    switch (message.kind) {
      case 'promise':
      case 'prepare':
        this.#needPromise(host, message.epoch, message.kind);
        break;
      case 'coordinator':
        if (message.lead.kind === 'established') {
          this.#needPromise(host, message.lead.epoch, message.kind);
        }
        break;
      case 'ack':
        this.#needPromise(host, message.epoch, message.kind);
        if (host.disk.log.length < message.seq) {
          violated('stored-before-sent', `host ${host.index} acks ${message.seq} too early`);
        }
        break;
      case 'submit':
      case 'tentative':
        this.#needOwn(host, message.messages);
        break;
      case 'accept':
        this.#needPromise(host, message.epoch, message.kind);
        this.#needOwn(host, message.entries);
        break;
      case 'entries':
        this.#needOwn(host, message.entries);
        break;
      default:
        break;
    }
  }

  #needPromise(host: Host, epoch: Epoch, what: string): void {
    if (compareEpochs(host.disk.promised, epoch) < 0) {
      violated('stored-before-sent', `host ${host.index}: ${what} before its promise is on disk`);
    }
  }

  #needOwn(host: Host, messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.author !== host.id) continue;
      // One that a lost identity of this id wrote is somebody else's, and one of a forgotten life, too.
      const submission = this.submissions.get(message.id);
      if (submission === undefined || submission.void) continue;
      if (!bytesEqual(submission.key, host.self.key)) continue;
      if (!isStored(host.disk, message.id)) {
        violated(
          'stored-before-sent',
          `host ${host.index} sends ${message.id} before it is stored`,
        );
      }
    }
  }

  /** What must hold after every event. */
  afterEvent(host: Host, look: Inspection): void {
    if (compareEpochs(look.promised, host.promised) < 0) {
      violated('promise', `the promise of host ${host.index} went down`);
    }
    host.promised = look.promised;
    if (look.mark !== host.delivered) {
      violated('mark', `host ${host.index}: mark ${look.mark}, delivered ${host.delivered}`);
    }
    const delivered = look.entryAt(look.mark);
    const canonical = this.canonical[look.mark - 1];
    const differs = delivered !== undefined && canonical !== undefined && delivered !== canonical;
    if (differs && host.folder !== 'spoilt') {
      if (!isSame(delivered, canonical)) {
        violated('same-history', `host ${host.index} no longer holds what it delivered`);
      }
    }
    if (look.leading !== null && look.leading !== host.led) this.#onLeading(host, look.leading);
    host.led = look.leading;
  }

  /**
   * V5: a run gives each message one place and each place to one message. V1: its leader gives none while
   * the author's message before it waits without a place, or with a later one.
   */
  onProvisional(host: Host, { id, after }: Message, look: Inspection): void {
    const { role } = look;
    const n = look.pendingPlace(id);
    if (n === null || !('run' in role)) return;
    const name = `${role.run.leader}.${role.run.nonce}.${role.run.counter}`;
    let run = this.#runs.get(name);
    if (run === undefined) {
      run = { ids: new Map(), places: new Map() };
      this.#runs.set(name, run);
    }
    if ((run.ids.get(n) ?? id) !== id || (run.places.get(id) ?? n) !== n) {
      violated('provisional-order', `host ${host.index} has ${id} at ${n} in run ${name}`);
    }
    if (run.places.has(id)) return;
    run.ids.set(n, id);
    run.places.set(id, n);
    if (role.kind !== 'leading-provisionally' || after === null) return;
    if (look.pendingMessage(after) !== undefined && (look.pendingPlace(after) ?? Infinity) > n) {
      violated('provisional-order', `${id} has a place before an earlier message of its author`);
    }
  }

  /** G6, first half; a process that restarts must not go on in an epoch it led (S6). */
  #onLeading(host: Host, epoch: Epoch): void {
    const name = `${epoch.number}.${epoch.leader}`;
    const before = this.#leaders.get(name);
    if (epoch.leader !== host.id || (before !== undefined && before !== host.process)) {
      violated('one-leader', `host ${host.index} leads epoch ${name} of another process`);
    }
    this.#leaders.set(name, host.process);
  }

  /** S8: only who holds a falsified history differs from others, and nobody else stops. */
  onDiverged(host: Host, peer: PeerId, stopped: boolean): void {
    if (host.folder === 'spoilt') return;
    const isSpoilt = this.#hosts.some(({ id, folder }) => id === peer && folder === 'spoilt');
    if (stopped || !isSpoilt) {
      violated('divergence-alarm', `host ${host.index} says that peer ${peer} diverged`);
    }
  }

  /** The data folder with these accepted messages will never be seen again. */
  forget(lost: (submission: Submission) => boolean): void {
    for (const submission of this.open.values()) {
      if (!lost(submission)) continue;
      submission.void = true;
      this.open.delete(submission.id);
    }
  }

  /** G4, G7 and G8, once everything has come to rest. */
  atRest(hosts: readonly Host[]): void {
    const living = new Set(hosts.map(({ process }) => process));
    for (const submission of this.submissions.values()) {
      if (!submission.accepted && living.has(submission.process)) {
        violated('never-blocks', `${submission.id} was written and never accepted`);
      }
      if (submission.accepted && !submission.void && !this.finalIds.has(submission.id)) {
        violated('validity', `accepted message ${submission.id} is not final`);
      }
    }
    for (const host of hosts) {
      host.disk.log.slice(0, host.disk.mark).forEach((entry, i) => {
        const canonical = this.canonical[i];
        if (canonical === undefined || !isSame(canonical, entry)) {
          violated('same-history', `host ${host.index} has another entry ${i + 1} on disk`);
        }
      });
    }
  }
}

/** True if the message is on the disk, waiting or in the log. */
export function isStored(disk: Disk, id: MessageId): boolean {
  return disk.pending.has(id) || disk.seqs.has(id);
}

/** The definition of a quorum, word by word. */
export function isQuorum(members: readonly Member[], has: (member: Member) => boolean): boolean {
  const having = members.filter(has);
  if (having.length * 2 !== members.length) return having.length * 2 > members.length;
  const highest = Math.max(...members.map(({ id }) => id));
  return having.some(({ id }) => id === highest);
}

function isSame(a: Entry, b: Entry): boolean {
  return (
    a === b ||
    (a.seq === b.seq &&
      a.id === b.id &&
      a.kind === b.kind &&
      compareEpochs(a.epoch, b.epoch) === 0 &&
      bytesEqual(a.hash, b.hash))
  );
}

function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key.subarray(0, 8));
}
