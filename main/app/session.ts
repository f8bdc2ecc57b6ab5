/**
 * The present group: opens the node, turns what it tells into the contract's events, and keeps what a
 * window needs to draw itself at any moment. It decides which phase the app is in. It must never show
 * an attempt that was cancelled, and never tell the window of an entry out of order.
 */
import type { FormError, Identity, JoinForm, Phase, Snapshot } from '../../shared/ipc/contract.ts';
import type {
  FinalEntry,
  NodeError,
  NodeEvent,
  NodeStatus,
  Seq,
  WaitingMessage,
} from '../../shared/model.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import type { Logger } from '../log.ts';
import { parseInvite } from '../peer/invite.ts';
import type { openPeer, Peer as Node } from '../peer/peer.ts';
import { hexOf } from '../peer/views.ts';
import { formErrorFor, isEnding, noticeFor, type Asked } from './form-errors.ts';
import type { GroupRecord, Groups } from './groups.ts';
import { newestMax, Newest } from './newest.ts';
import { Outbox, type OutgoingEvent } from './outbox.ts';
import { nextFreePort } from './ports.ts';
import { removeFolder, startView, type Prefill } from './start-view.ts';
import { Unsent } from './unsent.ts';

/** What a session asks of a node. */
export type Peer = Pick<
  Node,
  'sendMessage' | 'status' | 'history' | 'waiting' | 'inviteLink' | 'leave' | 'close'
>;

/** What a session needs of the app around it. */
export interface SessionOptions {
  readonly openPeer: (...args: Parameters<typeof openPeer>) => Promise<Result<Peer, NodeError>>;
  readonly groups: Groups;
  readonly log: Logger;
  readonly version: string;
  /** Tells the window, if there is one. */
  readonly send: (event: OutgoingEvent) => void;
  /** What the command line asked the form to propose. */
  readonly prefill: Prefill;
}

/** What leads to a group. */
export interface Through {
  /** `[ID:]HOST:PORT` of members. */
  readonly seeds: readonly string[];
  readonly invite: string | null;
  /** Group key, base64url; null to look it up in this user's key store. */
  readonly key: string | null;
}

/** What may be other than it was when a known group is opened again. */
export interface Reopening extends Partial<Pick<Identity, 'name' | 'host' | 'port'>> {
  /** `[ID:]HOST:PORT` of members, beside those that the group's folder knows. */
  readonly seeds?: readonly string[];
}

/** How a group is to be opened. */
interface Opening extends Through {
  readonly data: string;
  /** The folder is new: without a group it is removed again. */
  readonly isNew: boolean;
  readonly identity: Identity;
  readonly asked: Asked;
  /** What the joining card names; null when nobody has to answer first. */
  readonly target: string | null;
}

type Ready = Extract<NodeEvent, { kind: 'ready' }>;

/** One try to open a group; what it tells is ignored once it is not the present one. */
interface Attempt {
  readonly opening: Opening;
  peer: Peer | null;
  ready: Ready | null;
  /** A fatal error has been reported or returned. */
  failed: boolean;
  /** What was told while the node was starting: why it must end, what keeps it from joining. */
  early: { error: NodeError | null; notice: string | null };
}

/** What the joining card names when the group is one that this machine knows. */
const lastGroup = 'your group';
/** Longest graceful leave, milliseconds; the node promises 3 s, the rest is for closing files. */
const leaveMaxMs = 3_500;
/** The panel's latency, phi and lag are renewed this often, milliseconds. */
const statusPollMs = 1_000;
/** A status follows the entries it describes within this time, milliseconds. */
const statusSoonMs = 50;

/** The one session of the app. */
export class Session {
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  /** Until it is known whether a group opens by itself. */
  #phase: Phase = { kind: 'joining', target: lastGroup, notice: null };
  #attempt: Attempt | null = null;
  #prefill: Prefill;
  /** Of the group that is open, or of the one that is just being left. */
  #unsent: Unsent | null = null;
  #newest = new Newest();
  #status: NodeStatus | null = null;
  /** The newest leave; resolves when it is over. */
  #leaving: Promise<boolean> = Promise.resolve(false);
  #poll: NodeJS.Timeout | null = null;
  #soon: NodeJS.Timeout | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.send);
    this.#prefill = options.prefill;
  }

  /** Everything a window needs to draw itself. Events sent later apply on top of it. */
  snapshot(): Snapshot {
    this.#outbox.flush();
    const { groups } = this.#options;
    const open = this.#phase.kind === 'open';
    return {
      phase: this.#phase,
      status: open ? this.#status : null,
      entries: open ? this.#newest.entries() : [],
      waiting: open ? this.#newest.waiting() : [],
      settings: groups.settings(),
      draft: open ? (this.#unsent?.words() ?? '') : '',
    };
  }

  /** Whether this invite leads to the group that is open; one that has stopped has to be joined anew. */
  isOpenGroupOf(invite: string): boolean {
    if (this.#phase.kind !== 'open' || this.#status?.diverged === true) return false;
    return this.#phase.group === groupOf(invite);
  }

  phase(): Phase {
    return this.#phase;
  }

  /** Starts a new group; refused while another one is open. */
  async startGroup(identity: Identity): Promise<Result<null, FormError>> {
    return this.#open({
      data: this.#options.groups.newFolder(),
      isNew: true,
      identity,
      seeds: [],
      invite: null,
      key: null,
      asked: { byInvite: false, withKey: false, known: false },
      target: null,
    });
  }

  /**
   * Joins by what the form says; succeeds once the node is up and dialling. An invite to a group of this
   * machine opens that group: nobody means to be in it twice.
   */
  async joinGroup({ seed, invite, key, ...identity }: JoinForm): Promise<Result<null, FormError>> {
    const group = groupOf(invite);
    const known = this.#options.groups.groups().find((one) => one.group === group && !one.diverged);
    if (known !== undefined) return this.openKnown(known, { seeds: seedsOf(invite) });
    return this.join(identity, {
      seeds: seed === '' ? [] : [seed],
      invite: invite === '' ? null : invite,
      key: key === '' ? null : key,
    });
  }

  /** Joins a group in a new data folder. */
  async join(identity: Identity, through: Through): Promise<Result<null, FormError>> {
    const byInvite = through.invite !== null;
    return this.#open({
      data: this.#options.groups.newFolder(),
      isNew: true,
      identity,
      ...through,
      asked: { byInvite, withKey: through.key !== null, known: false },
      target: through.seeds[0] ?? seedsOf(through.invite ?? '')[0] ?? 'an invite',
    });
  }

  /** Opens a group that this machine knows: as it was, but for what is asked for. */
  async openKnown(
    record: GroupRecord,
    { seeds = [], ...asked }: Reopening = {},
  ): Promise<Result<null, FormError>> {
    const { data, id } = record;
    const name = asked.name ?? record.name;
    const host = asked.host ?? record.host;
    // Nobody remembers why that port; the others learn the new address when this peer dials them.
    const port = asked.port ?? (await nextFreePort(host, record.port));
    return this.#open({
      data,
      isNew: false,
      identity: { id, name, host, port },
      seeds,
      invite: null,
      key: null,
      asked: { byInvite: false, withKey: false, known: true },
      target: null,
    });
  }

  /** Opens a group. The window hears of it by its phase; the result says why it could not start. */
  async #open(opening: Opening): Promise<Result<null, FormError>> {
    if (this.#attempt !== null) {
      return err({ field: null, code: 'BUSY', message: 'Another group is open in this window.' });
    }
    const early = { error: null, notice: null };
    const attempt: Attempt = { opening, peer: null, ready: null, failed: false, early };
    this.#attempt = attempt;
    // From here on the page's form remembers what was offered, and what was made of it.
    this.#prefill = { ...this.#prefill, invite: '' };
    const { identity } = opening;
    const opened = await this.#options.openPeer(
      {
        data: opening.data,
        id: identity.id,
        host: identity.host,
        port: identity.port,
        seeds: opening.seeds,
        invite: opening.invite,
        key: opening.key,
        name: identity.name,
        log: this.#options.log,
      },
      (event) => this.#onNodeEvent(attempt, event),
    );
    if (!opened.ok) return this.#onOpenFailed(attempt, opened.error);
    if (this.#attempt !== attempt) {
      // Cancelled, or failed by an event, while the node was starting.
      await this.#discard(attempt, opened.value);
      return ok(null);
    }
    attempt.peer = opened.value;
    if (attempt.early.error !== null) await this.#backToForm(attempt, attempt.early.error);
    else if (attempt.ready !== null) await this.#becomeOpen(attempt, attempt.peer, attempt.ready);
    else this.#becomeJoining(opening.target ?? lastGroup, attempt.early.notice);
    return ok(null);
  }

  /** Back to the first card: from a join that nobody answers, or from the end of a group. */
  async backToStart(error: FormError | null = null): Promise<void> {
    if (this.#phase.kind === 'open') return;
    const attempt = this.#attempt;
    this.#attempt = null;
    if (attempt !== null) {
      this.#prefill = { ...this.#prefill, ...attempt.opening.identity };
      if (attempt.peer !== null) await this.#discard(attempt, attempt.peer);
    }
    await this.#becomeStart(error);
  }

  /** Leaves whatever is open and shows the first card with the groups of this machine. */
  async switchGroup(): Promise<void> {
    if (this.#phase.kind === 'start') return;
    await this.leave();
    await this.#becomeStart(null);
  }

  /** Leaves the open group for the first card that offers to join it anew, as somebody new. */
  async joinAgain(): Promise<void> {
    if (this.#phase.kind === 'open') await this.showInvite(this.#phase.invite);
  }

  /** Leaves whatever is open and fills the first card with an invite from outside the app. */
  async showInvite(invite: string): Promise<void> {
    await this.leave();
    this.#prefill = { ...this.#prefill, invite };
    await this.#becomeStart(null);
  }

  /** Makes a message; the outcome is known when the disk has it. Until then the text is kept as a draft. */
  async send(text: string): Promise<Result<WaitingMessage, NodeError>> {
    const peer = this.#attempt?.peer ?? null;
    const unsent = this.#unsent;
    if (peer === null || unsent === null || this.#phase.kind !== 'open') {
      return err({ code: 'NOT_READY', message: 'No group is open.', fatal: false });
    }
    const self = this.#phase.self.id;
    const sent = await unsent.keepUntil(peer.sendMessage(text), text);
    if (!sent.ok) return sent;
    return ok(this.#newest.waitingOrMade({ message: sent.value, author: self, text }));
  }

  /** Final entries from `from` on, at most `limit`. */
  async history(from: Seq, limit: number): Promise<readonly FinalEntry[]> {
    const peer = this.#attempt?.peer ?? null;
    if (peer === null || this.#phase.kind !== 'open') return [];
    return peer.history(from, limit);
  }

  /** Keeps unsent text of the group that is open, or of the one that is just being left. */
  saveDraft(text: string): void {
    this.#unsent?.setWords(text);
  }

  /**
   * Leaves the group for now, gracefully if the others answer in time. True if one was open. One that is
   * being left already is waited for.
   */
  leave(): Promise<boolean> {
    const attempt = this.#attempt;
    this.#attempt = null;
    this.#stopTimers();
    const both = Promise.all([this.#leaving, this.#leaveGroupOf(attempt)]);
    this.#leaving = both.then(([, left]) => left);
    return this.#leaving;
  }

  async #leaveGroupOf(attempt: Attempt | null): Promise<boolean> {
    if (attempt === null || attempt.peer === null) return false;
    if (attempt.ready === null) {
      await this.#discard(attempt, attempt.peer);
      return false;
    }
    const begun = performance.now();
    await within(attempt.peer.leave(), leaveMaxMs);
    this.#options.log.info('group-left', { ms: Math.round(performance.now() - begun) });
    return true;
  }

  #onNodeEvent(attempt: Attempt, event: NodeEvent): void {
    if (attempt !== this.#attempt) return;
    switch (event.kind) {
      case 'ready':
        attempt.ready = event;
        if (attempt.peer !== null) void this.#becomeOpen(attempt, attempt.peer, event);
        return;
      case 'final':
        this.#onFinal(attempt, event.entries);
        return;
      case 'accepted':
      case 'provisional':
        this.#onWaiting(attempt, event);
        return;
      case 'status':
        this.#onStatus(event.status);
        this.#renewInvite(attempt);
        return;
      case 'progress':
        // Part of every status, which the poll renews; nothing else shows it.
        return;
      case 'error':
        if (event.error.fatal) void this.#onFatal(attempt, event.error);
        else this.#onWarning(attempt, event.error);
        return;
      case 'closed':
        if (attempt.ready !== null && !attempt.failed) this.#becomeEnded(null);
        return;
    }
  }

  #onFinal(attempt: Attempt, entries: readonly FinalEntry[]): void {
    this.#newest.addFinal(entries);
    if (this.#phase.kind !== 'open') return;
    this.#outbox.push({ name: 'entries-finalized', payload: entries });
    this.#renewStatusSoon(attempt);
  }

  #onWaiting(
    attempt: Attempt,
    event: Extract<NodeEvent, { kind: 'accepted' | 'provisional' }>,
  ): void {
    const isNew = this.#newest.addWaiting(event.message);
    if (this.#phase.kind !== 'open' || !isNew) return;
    const name = event.kind === 'accepted' ? 'message-accepted' : 'message-ordered';
    this.#outbox.push({ name, payload: event.message });
    this.#renewStatusSoon(attempt);
  }

  #onStatus(status: NodeStatus): void {
    this.#status = status;
    const data = this.#attempt?.opening.data ?? null;
    if (status.diverged && data !== null) this.#options.groups.noteDiverged(data);
    if (this.#phase.kind === 'open') this.#outbox.push({ name: 'status-changed', payload: status });
  }

  /** What happened changes counts that the node does not report by itself. */
  #renewStatusSoon(attempt: Attempt): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#renewStatus(attempt);
    }, statusSoonMs);
  }

  #renewStatus(attempt: Attempt): void {
    if (attempt !== this.#attempt || attempt.peer === null) return;
    const status = attempt.peer.status();
    if (JSON.stringify(status) !== JSON.stringify(this.#status)) this.#onStatus(status);
  }

  /** The link names every member's address: it changes as they come, go and move. */
  #renewInvite(attempt: Attempt): void {
    const invite = attempt.peer?.inviteLink() ?? null;
    if (this.#phase.kind !== 'open' || invite === null || invite === this.#phase.invite) return;
    this.#phase = { ...this.#phase, invite };
    this.#outbox.push({ name: 'phase-changed', payload: this.#phase });
  }

  #onWarning(attempt: Attempt, error: NodeError): void {
    if (this.#phase.kind === 'open') {
      this.#outbox.push({ name: 'error-reported', payload: error });
    } else if (error.code === 'UNREACHABLE' && attempt.opening.target !== null) {
      attempt.early.notice = noticeFor(error);
      if (attempt.peer !== null) {
        this.#becomeJoining(attempt.opening.target, attempt.early.notice);
      }
    }
  }

  async #onFatal(attempt: Attempt, error: NodeError): Promise<void> {
    if (attempt.failed) return;
    attempt.failed = true;
    this.#options.log.error('group-ended', { code: error.code, message: error.message });
    if (attempt.ready !== null || isEnding(error)) {
      this.#becomeEnded(error);
      return;
    }
    attempt.early.error = error;
    if (attempt.peer !== null) await this.#backToForm(attempt, error);
  }

  /** A join has failed: the form is shown again with the reason at its field. */
  async #backToForm(attempt: Attempt, error: NodeError): Promise<void> {
    this.#attempt = null;
    this.#prefill = { ...this.#prefill, ...attempt.opening.identity };
    if (attempt.peer !== null) await this.#discard(attempt, attempt.peer);
    await this.#becomeStart(await this.#formError(attempt, error));
  }

  async #onOpenFailed(attempt: Attempt, error: NodeError): Promise<Result<null, FormError>> {
    const cancelled = this.#attempt !== attempt;
    if (!cancelled) this.#attempt = null;
    if (attempt.opening.isNew) await removeFolder(attempt.opening.data, this.#options.log);
    const formError = await this.#formError(attempt, error);
    if (cancelled) return err(formError);
    if (isEnding(error)) this.#becomeEnded(error);
    else if (this.#phase.kind === 'joining') await this.#becomeStart(formError);
    return err(formError);
  }

  async #formError(attempt: Attempt, error: NodeError): Promise<FormError> {
    const { identity, asked } = attempt.opening;
    const taken = error.code === 'PORT_IN_USE';
    const free = taken ? await nextFreePort(identity.host, identity.port + 1) : null;
    return formErrorFor(error, identity, asked, free);
  }

  async #becomeStart(error: FormError | null): Promise<void> {
    this.#stopTimers();
    const { groups, version } = this.#options;
    const start = await startView(groups.groups(), this.#prefill, version);
    if (this.#attempt === null) this.#setPhase({ kind: 'start', start, error });
  }

  #becomeJoining(target: string, notice: string | null): void {
    this.#setPhase({ kind: 'joining', target, notice });
  }

  async #becomeOpen(attempt: Attempt, peer: Peer, ready: Ready): Promise<void> {
    const first = Math.max(1, ready.commit - newestMax + 1);
    const tail = ready.commit === 0 ? [] : await peer.history(first, newestMax);
    if (attempt !== this.#attempt || attempt.failed) return;
    this.#newest.begin(tail, peer.waiting());
    const status = peer.status();
    const { data, identity } = attempt.opening;
    const self: Identity = { ...identity, id: ready.id, host: ready.host, port: ready.port };
    const { group, invite } = ready;
    const openedAt = Date.now();
    this.#options.groups.rememberGroup({ ...self, group, data, openedAt, diverged: false });
    this.#options.log.info('group-open', { group, id: ready.id, port: ready.port });
    this.#prefill = {};
    this.#unsent = new Unsent(this.#options.groups, data);
    // The window asks for a snapshot when it hears this; it holds what came before.
    this.#setPhase({ kind: 'open', self, group, invite });
    this.#onStatus(status);
    this.#renewInvite(attempt);
    this.#poll = setInterval(() => this.#renewStatus(attempt), statusPollMs);
  }

  #becomeEnded(error: NodeError | null): void {
    const attempt = this.#attempt;
    this.#attempt = null;
    this.#stopTimers();
    if (attempt !== null && attempt.peer !== null) void within(attempt.peer.close(), leaveMaxMs);
    this.#setPhase({ kind: 'ended', error });
  }

  #setPhase(phase: Phase): void {
    if (phase.kind !== 'open') {
      this.#outbox.clear();
      this.#newest = new Newest();
      this.#status = null;
    }
    this.#phase = phase;
    this.#outbox.push({ name: 'phase-changed', payload: phase });
    this.#outbox.flush();
  }

  #stopTimers(): void {
    if (this.#poll !== null) clearInterval(this.#poll);
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#poll = null;
    this.#soon = null;
  }

  async #discard(attempt: Attempt, peer: Peer): Promise<void> {
    await within(peer.close(), leaveMaxMs);
    if (attempt.opening.isNew) await removeFolder(attempt.opening.data, this.#options.log);
  }
}

/** Whom an invite leads to; none for one that can't be read, of which the node says what is wrong. */
function seedsOf(invite: string): readonly string[] {
  const parsed = parseInvite(invite);
  return parsed.ok ? parsed.value.seeds : [];
}

/** The id of the group that an invite is for, hex; null for one that can't be read. */
function groupOf(invite: string): string | null {
  const parsed = parseInvite(invite);
  return parsed.ok ? hexOf(parsed.value.group.id) : null;
}

/** Waits for `work`, but no longer than `ms`; a failure of it is the caller's bug and passes on. */
async function within(work: Promise<void> | void, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
