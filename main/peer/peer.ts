/**
 * The node: one peer of one group, as the app and the headless program run it. It connects the pure
 * core with disk, sockets and clock: whatever happens is queued, a drain steps the core through the
 * queue and then carries out what is ready in the order that ready.ts demands (persist, send, read,
 * tell). It decides nothing of the protocol, and never handles an event inside another one's handler.
 */
import type {
  FinalEntry,
  MessageId,
  NodeError,
  NodeEvent,
  NodeStatus,
  PeerId,
  SendOutcome,
  Seq,
  WaitingMessage,
} from '../../shared/model.ts';
import { TEXT_BYTES_MAX } from '../../shared/model.ts';
import { assertNever } from '../../shared/assert.ts';
import { chainHashWith, groupHash } from '../../shared/protocol/codec.ts';
import { foundGroup } from '../../shared/protocol/membership.ts';
import type {
  CoreEvent,
  DurableState,
  Input,
  KnownPeer,
  LinkedPeer,
  Read,
  Ready,
  Write,
} from '../../shared/protocol/ready.ts';
import { Replica } from '../../shared/protocol/replica.ts';
import {
  EPOCH_ZERO,
  type Entry,
  type Epoch,
  type Member,
  messageOf,
  POSITION_ZERO,
} from '../../shared/protocol/types.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import type { FolderFacts, LogStore, Stored } from '../storage/log-store.ts';
import { openSqliteLogStore } from '../storage/sqlite-log-store.ts';
import { isOwn, parseAddress } from './addresses.ts';
import { Alarm, monotonicNow, wallNow } from './clock.ts';
import {
  createGroup,
  createIdentity,
  createNonce,
  type Identity,
  identityFromSeed,
  sha256,
} from './identity.ts';
import { formatInvite } from './invite.ts';
import { type KeyStore, openKeyStore } from './key-store.ts';
import { MembershipHistory } from './membership-history.ts';
import { MessageIds } from './message-ids.ts';
import { type Asked, OwnMessages } from './own-messages.ts';
import {
  badOption,
  type CheckedOptions,
  checkOptions,
  DEFAULT_HOST,
  DEFAULT_PORT,
  type PeerOptions,
} from './peer-options.ts';
import { endingOf, fatal, refusalFor } from './refusals.ts';
import { createTcpTransport } from './tcp-transport.ts';
import type {
  Group,
  Listening,
  LinkRefused,
  Refusal,
  Transport,
  TransportHandlers,
} from './transport.ts';
import { finalEntryOf, hexOf, joiningStatus, waitingOf } from './views.ts';

export type { PeerOptions } from './peer-options.ts';

/** How long a leave may wait for the group, milliseconds; closing takes the rest of three seconds. */
const LEAVE_MS = 2_300;

/** In a folder whose peer has never listened. */
const NO_PORT = 0;

/** Bytes of entries in one read of history, so that no read holds up the queue of writes for long. */
const HISTORY_READ_BYTES = 1024 * 1024;

const chainHash = chainHashWith(sha256);

const NOT_READY: NodeError = {
  code: 'NOT_READY',
  message: 'This peer closed before the message was stored. It was not sent.',
  fatal: false,
};

const UNKNOWN: NodeError = {
  code: 'NOT_READY',
  message: 'This peer ended before it knew that the message was stored. It may still be sent.',
  fatal: false,
};

/**
 * Opens a data folder and starts its peer: founds a group in a fresh folder without seeds, joins one
 * through the seeds of a fresh folder, or resumes the folder's. Everything later comes as events,
 * `ready` among them, which may come before this resolves. Fails with a fatal code of model.ts.
 */
export async function openPeer(
  options: PeerOptions,
  onEvent: (event: NodeEvent) => void,
): Promise<Result<Peer, NodeError>> {
  const checked = checkOptions(options);
  if (!checked.ok) return checked;
  let peer: Peer | null = null;
  const { tailEntries, tailBytes } = checked.value.config;
  const openStore = options.openStore ?? openSqliteLogStore;
  const store = await openStore({
    folder: options.data,
    tail: { entries: tailEntries, bytes: tailBytes },
    handlers: {
      persisted: (upTo) => peer?.persisted(upTo),
      failed: (error) => peer?.storeFailed(error),
    },
  });
  if (!store.ok) return store;
  const { stored } = store.value;
  const facts = factsFor(options, stored.facts, isUnused(stored));
  if (!facts.ok) {
    await store.value.close();
    return facts;
  }
  // Before it begins: the store may fail while it does.
  peer = new Peer({ options, checked: checked.value, facts: facts.value, onEvent }, store.value);
  const begun = await peer.begin();
  return begun.ok ? ok(peer) : begun;
}

/** Nothing was stored, promised or said as this peer: whoever failed to join may try another id. */
function isUnused({ durable }: Stored): boolean {
  if (durable === null) return true;
  const { tail, pending, promised } = durable;
  return tail.length === 0 && pending.length === 0 && promised.number === 0;
}

/** Who this peer is: as the folder says, or new. */
function factsFor(
  { id, host, port, name }: PeerOptions,
  stored: FolderFacts | null,
  unused: boolean,
): Result<FolderFacts, NodeError> {
  if (stored !== null && !unused && id !== null && id !== stored.selfId) {
    const message = `the data folder belongs to peer ${stored.selfId}, not to peer ${id}`;
    return err({ code: 'ID_MISMATCH', message, fatal: true });
  }
  const selfId = id ?? stored?.selfId ?? null;
  if (selfId === null) return badOption('a new data folder needs an id');
  const keptPort = stored === null || stored.port === NO_PORT ? null : stored.port;
  return ok({
    selfId,
    identitySeed: stored?.identitySeed ?? createIdentity().seed,
    name: name ?? stored?.name ?? `peer_${selfId}`,
    host: host ?? stored?.host ?? DEFAULT_HOST,
    port: port === 0 ? (keptPort ?? 0) : (port ?? keptPort ?? DEFAULT_PORT),
    createdAt: stored?.createdAt ?? wallNow(),
  });
}

interface PeerStart {
  readonly options: PeerOptions;
  readonly checked: CheckedOptions;
  readonly facts: FolderFacts;
  readonly onEvent: (event: NodeEvent) => void;
}

/** A running peer. */
export class Peer {
  readonly #start: PeerStart;
  readonly #store: LogStore;
  readonly #identity: Identity;
  readonly #keyStore: KeyStore;
  readonly #nonce = createNonce();
  readonly #ids = new MessageIds();
  readonly #own: OwnMessages;
  readonly #alarm = new Alarm(() => this.#input({ kind: 'tick', wall: wallNow() }));
  readonly #known = new Map<PeerId, KnownPeer>();
  /** Of a host that is told entries as people read them; empty for others. */
  readonly #memberships = new MembershipHistory();
  /** Places that a provisional leader gave. */
  readonly #places = new Map<MessageId, number>();
  #facts: FolderFacts;
  #group: Group | null;
  #transport: Transport | null = null;
  #listening: Listening | null = null;
  #replica: Replica | null = null;
  #inbox: Input[] = [];
  #scheduled = false;
  /** This process has made the group. */
  #founder = false;
  /** The id is bound to this peer's key: it has been a member. */
  #bound = false;
  /** The invite that was given is for another group than the seed's. */
  #otherGroup = false;
  #onLeft: (() => void) | null = null;
  #leaving: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  /** Nothing is told any more: `closed` was, or this peer could not be opened. */
  #closed = false;
  #begun = false;
  #failedAtStart: NodeError | null = null;

  /** For {@link openPeer}: on an open store, which is the peer's to close from now on. */
  constructor(start: PeerStart, store: LogStore) {
    this.#start = start;
    this.#store = store;
    this.#facts = start.facts;
    this.#identity = identityFromSeed(start.facts.identitySeed);
    this.#keyStore = start.options.keyStore ?? openKeyStore();
    this.#group = store.stored.group;
    this.#own = new OwnMessages({
      submit: (submission) => this.#input(submission),
      accepted: (message, ref) => this.#tell({ kind: 'accepted', message, ref }),
      refused: (error, ref) => this.#tell({ kind: 'error', error, ref }),
    });
  }

  /** Sends a message: answered by `accepted` with `ref`, or by an `error` with `ref`. */
  send(text: string, ref: unknown): void {
    const body = this.#bodyOf(text);
    if (!body.ok) this.#tell({ kind: 'error', error: body.error, ref });
    else this.#add(body.value, { text, ref, settle: null });
  }

  /** Sends a message; resolves once it is durable, or with the reason why it was refused. */
  sendMessage(text: string): Promise<SendOutcome> {
    const body = this.#bodyOf(text);
    if (!body.ok) return Promise.resolve(body);
    return new Promise((settle) => {
      this.#add(body.value, { text, ref: undefined, settle });
    });
  }

  /** Messages of this process that are not accepted yet; a program should wait when they are many. */
  get unaccepted(): number {
    return this.#own.unaccepted;
  }

  /** How this peer stands now. */
  status(): NodeStatus {
    return this.#replica?.status() ?? joiningStatus(this.#facts.selfId);
  }

  /** Final entries from `from` on, at most `limit`, as people read them. */
  async history(from: Seq, limit: number): Promise<FinalEntry[]> {
    return (await this.entries(from, limit)).map((entry) => this.#finalEntryOf(entry));
  }

  /** Final entries from `from` on, at most `limit`, as they are stored. */
  async entries(from: Seq, limit: number): Promise<Entry[]> {
    const last = Math.min(this.#replica?.inspect().mark ?? 0, from + limit - 1);
    const found: Entry[] = [];
    for (let next = Math.max(1, from); next <= last;) {
      const range = { from: next, to: last, bytesMax: HISTORY_READ_BYTES };
      const entries = await this.#store.readEntries(range);
      if (entries.length === 0) break;
      for (const entry of entries) found.push(entry);
      next += entries.length;
    }
    return found;
  }

  /** Messages that are held and not final, in order: those in the log's open end first. */
  waiting(): WaitingMessage[] {
    const look = this.#replica?.inspect();
    if (look === undefined) return [];
    const found: WaitingMessage[] = [];
    for (let seq = look.mark + 1; seq <= look.last.seq; seq++) {
      const entry = look.entryAt(seq);
      if (entry?.kind === 'message') found.push(waitingOf(messageOf(entry), null));
    }
    for (const id of look.pending) {
      const message = look.pendingMessage(id);
      if (message !== undefined) found.push(waitingOf(message, this.#places.get(id) ?? null));
    }
    return found;
  }

  /** A link with which others can join; null while the group is not known. */
  inviteLink(): string | null {
    const group = this.#group;
    if (group === null || this.#listening === null) return null;
    const own = { id: this.#facts.selfId, address: this.#listening.address };
    const others = this.status().roster.filter(({ id, listed }) => listed && id !== own.id);
    const seeds = [own, ...others].flatMap(({ id, address }) =>
      address.split(',').map((each) => `${id}:${each}`),
    );
    return formatInvite(group, seeds);
  }

  /** Leaves the group gracefully, within three seconds, then closes. Idempotent. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  /**
   * Stops at once: stores what is queued, closes links and files, tells `closed`. Every message is
   * answered before: accepted if it turned out to be stored. Idempotent.
   */
  close(): Promise<void> {
    if (this.#closing === null) {
      this.#closing = this.#close();
      this.#answerInbox();
    }
    return this.#closing;
  }

  /**
   * Ends the storage thread where it stands, as a crash would, for a process that must end now. What was
   * accepted is safe. Resolves once that thread is gone, which a disk that hangs can put off.
   */
  abandon(): Promise<void> {
    const gone = this.#store.abandon();
    // Questions to the store end without an answer: nothing may be made of that.
    this.#closing ??= gone;
    return gone;
  }

  /** For {@link openPeer}: starts, or fails with the reason and is closed; then nothing more is told. */
  async begin(): Promise<Result<null, NodeError>> {
    const begun = await this.#begin();
    const failure = this.#failedAtStart ?? (begun.ok ? null : begun.error);
    this.#begun = true;
    if (failure === null) return begun;
    this.#closed = true;
    await this.close();
    return err(failure);
  }

  /** For {@link openPeer}: writes up to this number are durable. */
  persisted(upTo: number): void {
    if (this.#closing === null) this.#input({ kind: 'persisted', upTo });
    else this.#acceptStored(upTo);
  }

  /**
   * For {@link openPeer}: the store has given up. What it said before is heard first: a message that it
   * has made durable is accepted, not refused. While the peer begins, this makes that fail.
   */
  storeFailed(error: NodeError): void {
    if (!this.#begun) {
      this.#failedAtStart ??= error;
      return;
    }
    this.#drain();
    this.fail(error);
  }

  /** Ends this peer with an error that its user sees. */
  fail(error: NodeError): void {
    if (this.#closing !== null) return;
    this.#start.options.log.error('peer-failed', { code: error.code, why: error.message });
    this.#tell({ kind: 'error', error });
    void this.close();
  }

  async #begin(): Promise<Result<null, NodeError>> {
    const { stored } = this.#store;
    const fresh = this.#group === null;
    // The identity is on disk before anybody hears of it: an id is bound to it for good. Where it listens
    // is kept once it does, or a first start with a wrong address would spoil the next ones.
    if (stored.facts === null) {
      await this.#store.saveFacts({ ...this.#facts, host: DEFAULT_HOST, port: NO_PORT });
    }
    this.#founder = fresh && !this.#start.checked.seeds.some((seed) => this.#leadsAway(seed));
    if (this.#founder) {
      this.#group = createGroup();
      // Before anybody can hear of the group: a joiner that was waiting looks for the key at once. If
      // this start fails, it is a key that nobody will ever ask for.
      await this.#keepKey(this.#group);
    }
    const listening = await this.#listen();
    if (!listening.ok) return listening;
    if (!sameFacts(this.#facts, stored.facts)) await this.#store.saveFacts(this.#facts);
    if (this.#founder && this.#group !== null) await this.#found(this.#group);
    else if (this.#group !== null && stored.durable !== null) {
      await this.#readMemberships(stored.durable.mark);
      this.#run(stored.durable);
    }
    return ok(null);
  }

  /** The lists that are final already; those that come are noted as they are delivered. */
  async #readMemberships(mark: Seq): Promise<void> {
    if (this.#start.options.onFinal !== undefined) return;
    for (;;) {
      const from = this.#memberships.last + 1;
      const range = { from, to: mark, only: 'members', bytesMax: HISTORY_READ_BYTES } as const;
      const lists = await this.#store.readEntries(range);
      if (lists.length === 0) return;
      this.#memberships.note(lists);
    }
  }

  /** A seed that is not the place where this peer is to listen itself. */
  #leadsAway(seed: string): boolean {
    const parsed = parseAddress(seed);
    return parsed.ok && !isOwn(parsed.value, this.#facts);
  }

  /** Listens; on a free port if one was asked for and the folder's is taken. */
  async #listen(): Promise<Result<null, NodeError>> {
    const { port } = this.#facts;
    const listening = await this.#listenOn(port);
    const another = this.#start.options.port === 0 && port !== 0;
    if (listening.ok || !another || listening.error.code !== 'PORT_IN_USE') return listening;
    return this.#listenOn(0);
  }

  async #listenOn(port: number): Promise<Result<null, NodeError>> {
    const transport = this.#makeTransport(port);
    const listening = await transport.listen();
    if (!listening.ok) return listening;
    this.#transport = transport;
    this.#listening = listening.value;
    this.#facts = { ...this.#facts, port: listening.value.port };
    return ok(null);
  }

  #makeTransport(port: number): Transport {
    const { options, checked } = this.#start;
    const durable = this.#store.stored.durable;
    for (const peer of durable?.known ?? []) this.#known.set(peer.member.id, peer);
    const transport = createTcpTransport({
      self: { id: this.#facts.selfId, name: this.#facts.name, identity: this.#identity },
      nonce: this.#nonce,
      group: this.#group,
      keyFor: (groupId) => this.#keyFor(groupId),
      promised: () => this.#durablePromise(),
      admit: (peer) => this.#admit(peer),
      host: this.#facts.host,
      port,
      dialOverrides: checked.dial,
      handlers: this.#transportHandlers(),
      log: options.log,
    });
    for (const seed of checked.seeds) transport.addSeed(seed);
    return transport;
  }

  #durablePromise(): Epoch {
    const stored = this.#store.stored.durable?.promised ?? EPOCH_ZERO;
    return this.#replica?.inspect().durablePromised ?? stored;
  }

  #transportHandlers(): TransportHandlers {
    return {
      groupLearned: (group) => void this.#join(group),
      linkUp: (peer) => this.#input({ kind: 'link-up', peer }),
      linkDown: (peer, refused) => this.#input({ kind: 'link-down', peer, refused }),
      bytes: (from) => this.#input({ kind: 'bytes', from }),
      message: (from, message) => this.#input({ kind: 'message', from, message }),
      linkRefused: (refused) => this.#onLinkRefused(refused),
      seedUnreachable: (address, what) => {
        const message = `${address} ${what}; still trying.`;
        this.#tell({ kind: 'error', error: { code: 'UNREACHABLE', message, fatal: false } });
      },
    };
  }

  #admit(peer: LinkedPeer): Refusal | null {
    return refusalFor(peer, this.#known.get(peer.id));
  }

  /** The key of the group that a seed names: given, in the invite, or in the user's key store. */
  async #keyFor(groupId: Uint8Array): Promise<Uint8Array | null> {
    const { key, invite } = this.#start.checked;
    if (invite !== null) {
      this.#otherGroup = hexOf(invite.group.id) !== hexOf(groupId);
      return this.#otherGroup ? null : invite.group.key;
    }
    return key ?? (await this.#keyStore.keyFor(groupId));
  }

  #onLinkRefused(refused: LinkRefused): void {
    const wrongGroup = this.#otherGroup && refused.code === 'WRONG_KEY' && refused.by === 'us';
    const told: LinkRefused = wrongGroup ? { ...refused, code: 'WRONG_GROUP' } : refused;
    const ending = endingOf(told, !this.#bound);
    if (ending !== null) this.fail(ending);
    else if (refused.code === 'DIVERGED' && refused.by === 'them' && refused.peer !== null) {
      // What comes of a word that is proven, the core tells.
      if (refused.proven) this.#input({ kind: 'refused-as-diverged', by: refused.peer });
      else this.#tellDiverged(refused);
    }
  }

  #tellDiverged({ message }: { readonly message: string }): void {
    this.#tell({ kind: 'error', error: { code: 'DIVERGED', message, fatal: false } });
  }

  /** A new group of one: entry 1 lists its founder. */
  async #found(group: Group): Promise<void> {
    const hash = groupHash(sha256, group.id);
    const self = this.#selfMember();
    const first = foundGroup(self, {
      id: this.#ids.next(wallNow()),
      sentAt: wallNow(),
      chainHash,
      groupHash: hash,
    });
    await this.#store.saveGroup(group, first);
    const list = { seq: 1, members: [self] };
    this.#run({ ...emptyState(hash), promised: first.epoch, tail: [first], lists: [list] });
  }

  /** A joiner has proven a group's key: from now on this folder belongs to it. */
  async #join(group: Group): Promise<void> {
    this.#group = group;
    await this.#store.saveGroup(group, null);
    await this.#keepKey(group);
    this.#run(emptyState(groupHash(sha256, group.id)));
  }

  /** For other peers of this user on this machine, which then need no invite; this one has it already. */
  async #keepKey(group: Group): Promise<void> {
    const kept = await this.#keyStore.put(group);
    if (!kept.ok) this.#start.options.log.warn('key-not-kept', { why: kept.error });
  }

  #selfMember(): Member {
    const { selfId, name } = this.#facts;
    const address = this.#listening?.address ?? '';
    return { id: selfId, key: this.#identity.publicKey, name, address };
  }

  #run(durable: DurableState): void {
    // It, or its store, may have failed while it was starting.
    if (this.#closing !== null || this.#failedAtStart !== null) return;
    this.#replica = new Replica({
      self: this.#selfMember(),
      nonce: this.#nonce,
      seed: createNonce(),
      config: this.#start.checked.config,
      chainHash,
      durable,
    });
    const self = durable.known.find(({ member }) => member.id === this.#facts.selfId);
    this.#bound = self?.bound ?? false;
    this.#tellReady(durable.mark);
    if (this.#bound) this.#own.open();
    this.#inbox.unshift({ kind: 'tick', wall: wallNow() });
    this.#schedule();
  }

  #tellReady(commit: Seq): void {
    const { selfId: id } = this.#facts;
    const { host, port } = this.#listening ?? this.#facts;
    const group = hexOf(this.#group?.id ?? new Uint8Array(0));
    const invite = this.inviteLink() ?? '';
    this.#tell({ kind: 'ready', id, host, port, group, invite, commit });
  }

  #bodyOf(text: string): Result<Uint8Array, NodeError> {
    if (this.#leaving !== null || this.#closing !== null) return err(NOT_READY);
    const body = Buffer.from(text, 'utf8');
    if (body.length <= TEXT_BYTES_MAX) return ok(body);
    const message = `The text has ${body.length} bytes; at most ${TEXT_BYTES_MAX} can be sent.`;
    return err({ code: 'TOO_LONG', message, fatal: false });
  }

  #add(body: Uint8Array, asked: Asked): void {
    const sentAt = wallNow();
    this.#own.add({ kind: 'submit', id: this.#ids.next(sentAt), sentAt, body }, asked);
  }

  #input(input: Input): void {
    if (this.#closing !== null) return;
    this.#inbox.push(input);
    this.#schedule();
  }

  /** After everything that this turn of the event loop brings: one drain, one write, for all of it. */
  #schedule(): void {
    if (this.#scheduled || this.#replica === null) return;
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  #drain(): void {
    this.#scheduled = false;
    const replica = this.#replica;
    if (replica === null || this.#closing !== null) return;
    const now = monotonicNow();
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const input of inbox) replica.step(now, input);
    this.#carryOut(replica.takeReady());
  }

  /** In the order of ready.ts: persist, send, read, tell. */
  #carryOut(ready: Ready): void {
    if (ready.write !== null) {
      this.#noteKnown(ready.write);
      this.#store.write(ready.write);
    }
    const transport = this.#transport;
    if (transport !== null) {
      for (const { to, message } of ready.sends) transport.send(to, message);
      for (const { peer, reason } of ready.disconnects) {
        transport.disconnect(peer, {
          code: reason,
          message: `refused by peer ${this.#facts.selfId}`,
        });
      }
      if (ready.addresses !== null) transport.setAddresses(ready.addresses);
    }
    for (const read of ready.reads) void this.#read(read);
    // An author hears that a message is accepted before it hears that it is final.
    for (const event of ready.events) this.#onCoreEvent(event);
    if (ready.delivered.length > 0) this.#tellFinal(ready.delivered);
    if (ready.status !== null) {
      if (ready.status.established) this.#places.clear();
      this.#tell({ kind: 'status', status: ready.status });
    }
    this.#alarm.set(ready.wakeAt);
  }

  #noteKnown(write: Write): void {
    for (const op of write.ops) {
      if (op.kind === 'know') this.#known.set(op.peer.member.id, op.peer);
    }
  }

  async #read(read: Read): Promise<void> {
    const { request } = read;
    if (read.kind === 'find-ids') {
      const found = await this.#store.findIds(read.ids);
      this.#input({ kind: 'ids-found', request, found });
    } else {
      const entries = await this.#store.readEntries(read);
      this.#input({ kind: 'entries-read', request, entries });
    }
  }

  #tellFinal(delivered: readonly Entry[]): void {
    if (this.#places.size > 0) for (const { id } of delivered) this.#places.delete(id);
    const { onFinal } = this.#start.options;
    if (onFinal !== undefined) {
      if (this.#closing === null) onFinal(delivered);
      return;
    }
    this.#memberships.note(delivered);
    this.#tell({ kind: 'final', entries: delivered.map((entry) => this.#finalEntryOf(entry)) });
  }

  #finalEntryOf(entry: Entry): FinalEntry {
    return finalEntryOf(entry, this.#memberships.changeAt(entry.seq));
  }

  #onCoreEvent(event: CoreEvent): void {
    switch (event.kind) {
      case 'accepted':
        this.#own.accepted(event.message);
        return;
      case 'provisional':
        this.#places.set(event.message.id, event.n);
        this.#tell({ kind: 'provisional', message: waitingOf(event.message, event.n) });
        return;
      case 'progress':
        this.#tell({ kind: 'progress', at: event.at, target: event.target });
        return;
      case 'listed':
        this.#bound = true;
        this.#own.open();
        return;
      case 'join-refused':
        if (!this.#bound) this.fail(fatal(event.code, 'the leader refused to list this peer'));
        return;
      case 'diverged': {
        const who = event.stopped ? 'This peer has stopped' : `Peer ${event.peer} is left out`;
        const message = `The histories here and at peer ${event.peer} differ at ${event.seq}. ${who}.`;
        this.#tellDiverged({ message });
        return;
      }
      case 'left':
        this.#onLeft?.();
        return;
      default:
        assertNever(event, 'event');
    }
  }

  async #leave(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LEAVE_MS);
    });
    // A founder's id is its own as soon as its disk has entry 1; that of a joiner may never be.
    if (this.#founder) await Promise.race([this.#own.opened(), late]);
    this.#own.refuseHeld(NOT_READY);
    await Promise.race([this.#leaveGroup(), late]);
    clearTimeout(timer);
    await this.close();
  }

  /** What was given to the core is stored first: a message that was accepted is never lost. */
  async #leaveGroup(): Promise<void> {
    await this.#own.settled();
    if (this.#replica === null || this.#closing !== null) return;
    await new Promise<void>((resolve) => {
      this.#onLeft = resolve;
      this.#input({ kind: 'leave' });
    });
  }

  async #close(): Promise<void> {
    this.#alarm.clear();
    await this.#transport?.close();
    await this.#store.close();
    this.#own.refuseAll(UNKNOWN);
    this.#tell({ kind: 'closed' });
    this.#closed = true;
  }

  /** The core is not stepped any more: what it has not seen was not sent, what is stored is accepted. */
  #answerInbox(): void {
    const inbox = this.#inbox;
    this.#inbox = [];
    this.#own.refuseHeld(NOT_READY);
    for (const input of inbox) {
      if (input.kind === 'submit') this.#own.refuse(input.id, NOT_READY);
      else if (input.kind === 'persisted') this.#acceptStored(input.upTo);
    }
  }

  /** While closing: hears of durable writes only, and does nothing that follows from them. */
  #acceptStored(upTo: number): void {
    if (this.#replica === null) return;
    this.#replica.step(monotonicNow(), { kind: 'persisted', upTo });
    for (const event of this.#replica.takeReady().events) {
      if (event.kind === 'accepted') this.#own.accepted(event.message);
    }
  }

  #tell(event: NodeEvent): void {
    if (!this.#closed) this.#start.onEvent(event);
  }
}

/** A log before its first entry. */
function emptyState(hash: Uint8Array): DurableState {
  return {
    promised: EPOCH_ZERO,
    mark: 0,
    tail: [],
    tailPrev: { position: POSITION_ZERO, hash },
    lists: [],
    pending: [],
    lastOwn: null,
    known: [],
  };
}

function sameFacts(a: FolderFacts, b: FolderFacts | null): boolean {
  if (b === null || a.selfId !== b.selfId) return false;
  return a.name === b.name && a.host === b.host && a.port === b.port;
}
