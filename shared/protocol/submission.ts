/**
 * How a message gets from its author's composer into an order, final or provisional.
 *
 * The author stores it, then submits it, again and in order on every new leader, reconnect and every
 * few seconds until it is final (V4). Whoever orders drops what it has, and takes a message only when
 * its author's previous one (`after`) has its place: so author order holds on every path, and the
 * holders of a message hold everything before it (V1). Ids older than memory are looked up on disk.
 */
import { appendOwn } from './append.ts';
import { framedBytes } from './entry-codec.ts';
import {
  type State,
  type Submission,
  afterWrites,
  broadcast,
  emit,
  nextRequest,
  send,
  write,
} from './state.ts';
import type { PeerState } from './peers.ts';
import type { Leading, LeadingProvisionally } from './roles.ts';
import { type Offer, type Submit, type Tentative, type Want, sameRun } from './messages.ts';
import { type Message, type MessageId, type PeerId, messageOf } from './types.ts';

/** Messages held for a missing predecessor; beyond it they are dropped and submitted again later. */
const HELD_MAX = 20_000;

/** Ids in one OFFER: 16 bytes each, well under a frame. */
const OFFER_IDS_MAX = 8_192;

/** Who offered something and does not send it within so many times `resubmitMs` is not waited for. */
const WANTED_RESUBMITS = 8;

/** A person's message: durable first, then on its way. */
export function onSubmitOwn(
  s: State,
  input: { readonly id: MessageId; readonly sentAt: number; readonly body: Uint8Array },
): void {
  const { id, sentAt, body } = input;
  const message: Message = { id, author: s.self.id, after: s.lastOwn, sentAt, body };
  s.lastOwn = id;
  s.pending.add(message, false);
  // Messages of one batch share one op: a person types slowly, a program does not.
  const add = s.out.ops.at(-2);
  const last = s.out.ops.at(-1);
  if (add?.kind === 'add-pending' && add.at === 'back' && last?.kind === 'last-own') {
    (add.messages as Message[]).push(message);
    s.out.ops[s.out.ops.length - 1] = { kind: 'last-own', id };
  } else {
    write(s, { kind: 'add-pending', messages: [message], at: 'back' });
    write(s, { kind: 'last-own', id });
  }
  afterWrites(s, { kind: 'accepted', message });
}

/** The own message is on disk: it may leave now (V2). */
export function onOwnDurable(s: State, message: Message): void {
  s.pending.markDurable(message.id);
  emit(s, { kind: 'accepted', message });
  const { role } = s;
  if (role.kind === 'leading' || role.kind === 'leading-provisionally') {
    admit(s, [{ message, from: s.self.id, n: null }]);
  } else if (s.pending.bytes <= s.config.windowBytes) {
    submitTo(s, message);
  }
  // More than that waits: it is offered, and the leader asks for it at its own pace.
}

/** The link on which messages travel towards the leader; null when there is none. */
export function leaderRoute(s: State): PeerId | null {
  const { role } = s;
  if (role.kind === 'following') return role.via ?? role.leader;
  if (role.kind === 'following-provisionally') return role.leader;
  return null;
}

/** Queues one message for the leader, in one frame with others of the same batch. */
function submitTo(s: State, message: Message): void {
  const route = leaderRoute(s);
  if (route === null) return;
  const last = s.out.sends.at(-1);
  const open = last?.to === route && last.message.kind === 'submit' ? last.message : null;
  const { batchBytes, batchEntries } = s.config;
  const bytes = framedBytes(message.body);
  const fits = open === s.out.submit && s.out.submitBytes + bytes <= batchBytes;
  if (open !== null && fits && open.messages.length < batchEntries) {
    (open.messages as Message[]).push(message);
    s.out.submitBytes += bytes;
    return;
  }
  s.out.submit = { kind: 'submit', messages: [message] };
  s.out.submitBytes = bytes;
  send(s, route, s.out.submit);
}

/** Offers everything that waits to the leader: whole when it is little, by id when it is much. */
export function resubmit(s: State): void {
  s.resubmitAt = s.now + s.config.resubmitMs;
  const route = leaderRoute(s);
  if (route === null || s.pending.size === 0) return;
  const messages = [...s.pending.sendable()];
  const bytes = messages.reduce((sum, message) => sum + framedBytes(message.body), 0);
  const secondHand = s.role.kind === 'following' && s.role.via !== null;
  if (bytes <= s.config.offerBytes || secondHand) {
    // A relay passes on messages, not offers; what does not fit now follows when this has its place.
    let left = s.config.windowBytes;
    for (const message of messages) {
      submitTo(s, message);
      left -= framedBytes(message.body);
      if (left < 0) break;
    }
    return;
  }
  const ids = messages.map(({ id }) => id);
  sendOffer(s, route, ids);
}

function sendOffer(s: State, to: PeerId, ids: readonly MessageId[]): void {
  for (let i = 0; i < ids.length; i += OFFER_IDS_MAX) {
    send(s, to, { kind: 'offer', ids: ids.slice(i, i + OFFER_IDS_MAX) });
  }
}

/**
 * A peer has begun to follow this provisional leader, or its link is a new one: it is offered everything
 * that has a place, so that all who follow hold all of it.
 */
export function offerRun(s: State, peer: PeerState): void {
  const { role } = s;
  if (role.kind !== 'leading-provisionally') return;
  const run = peer.heartbeat?.run ?? null;
  if (run === null || !sameRun(run, role.run)) {
    // Whoever comes back to this run has forgotten its places, and has not heard what came meanwhile.
    peer.offered = null;
    return;
  }
  if (peer.offered === role.run) return;
  peer.offered = role.run;
  sendOffer(s, peer.id, s.pending.placed());
}

/** A new orderer orders what it holds itself first. */
export function orderOwnPending(s: State): void {
  const own = [...s.pending.sendable()];
  if (own.length === 0) return;
  admit(
    s,
    own.map((message) => ({ message, from: s.self.id, n: null })),
  );
}

/** SUBMIT: ordered here, or passed on towards the leader that is heard. */
export function onSubmit(s: State, from: PeerId, submit: Submit): void {
  const { role } = s;
  if (role.kind === 'leading' || role.kind === 'leading-provisionally') {
    admit(
      s,
      submit.messages.map((message) => ({ message, from, n: null })),
    );
    askOn(s, from, submit.messages);
    return;
  }
  const direct =
    role.kind === 'following-provisionally' || (role.kind === 'following' && role.via === null);
  if (direct && role.leader !== from) {
    send(s, role.leader, { kind: 'submit', messages: [...submit.messages] });
  } else if (role.kind === 'following-provisionally') {
    // What this peer asked for because a message that it was told of comes after it.
    admit(
      s,
      submit.messages.map((message) => ({ message, from, n: null })),
    );
    askOn(s, from, submit.messages);
  }
  // Otherwise nobody to pass it to: its author submits it again.
}

/** OFFER: asks for what is not held here and nobody is asked for. */
export function onOffer(s: State, from: PeerId, offer: Offer): void {
  const { role } = s;
  s.wanted.expire(s.now - WANTED_RESUBMITS * s.config.resubmitMs);
  // It has had time to answer, and answers come before later offers: it has nothing of that any more.
  s.wanted.dropIfSilent(from, s.now - s.config.resubmitMs);
  if (role.kind === 'following-provisionally') {
    // From its leader: bodies and places come together.
    const lacks = (id: MessageId): boolean => s.pending.placeOf(id) === null && !s.log.has(id);
    if (role.leader === from) ask(s, from, offer.ids.filter(lacks));
    return;
  }
  if (role.kind !== 'leading' && role.kind !== 'leading-provisionally') return;
  const unknown: MessageId[] = [];
  const held: Submission[] = [];
  for (const id of offer.ids) {
    const message = s.pending.isSendable(id) ? s.pending.get(id) : undefined;
    if (message !== undefined) held.push({ message, from: s.self.id, n: null });
    else if (!s.log.has(id) && !s.wanted.has(id)) unknown.push(id);
  }
  if (held.length > 0) admit(s, held);
  if (unknown.length === 0) return;
  if (s.log.first === 1) {
    ask(s, from, unknown);
    return;
  }
  // Wanted from now on, so that the same offer of others is not looked up as well.
  s.wanted.add(from, unknown, s.now);
  const request = nextRequest(s);
  s.lookups.set(request, { kind: 'offer', since: s.log.last.seq, from, ids: unknown });
  s.out.reads.push({ kind: 'find-ids', request, ids: unknown });
}

function ask(s: State, from: PeerId, ids: readonly MessageId[]): void {
  s.wanted.add(from, ids, s.now);
  sendWant(s, from);
}

/** Bodies have come: asks for the next ones that the same peer offered. */
function askOn(s: State, from: PeerId, messages: readonly Message[]): void {
  const ids = messages.map(({ id }) => id);
  s.wanted.received(from, ids);
  sendWant(s, from);
}

function sendWant(s: State, to: PeerId): void {
  const ids = s.wanted.next(to, s.config.batchEntries, s.now);
  if (ids.length > 0) send(s, to, { kind: 'want', ids });
}

/**
 * WANT: sends the bodies of what is held, in order, from pending or from the log's open end, as far as
 * one frame takes them; whoever wants more asks on. A provisional leader sends them with their places.
 */
export function onWant(s: State, from: PeerId, want: Want): void {
  const run = s.role.kind === 'leading-provisionally' ? s.role.run : null;
  const messages: Message[] = [];
  let bytes = 0;
  let first: number | null = null;
  for (const id of want.ids) {
    const message = messageHeld(s, id);
    if (message === undefined) continue;
    const n = run === null ? null : s.pending.placeOf(id);
    bytes += framedBytes(message.body);
    if (messages.length === 0) first = n;
    else if (bytes > s.config.batchBytes || n !== placeAfter(first, messages.length)) break;
    messages.push(message);
    if (messages.length === s.config.batchEntries) break;
  }
  if (messages.length === 0) return;
  if (run === null || first === null) send(s, from, { kind: 'submit', messages });
  else send(s, from, { kind: 'tentative', run, from: first, messages });
}

function placeAfter(first: number | null, count: number): number | null {
  return first === null ? null : first + count;
}

function messageHeld(s: State, id: MessageId): Message | undefined {
  if (s.pending.isSendable(id)) return s.pending.get(id);
  const seq = s.log.seqOf(id);
  const entry = seq === undefined ? undefined : s.log.at(seq);
  return entry === undefined ? undefined : messageOf(entry);
}

/** TENTATIVE: keeps the provisional leader's order. */
export function onTentative(s: State, from: PeerId, tentative: Tentative): void {
  const { role } = s;
  if (role.kind !== 'following-provisionally' || role.leader !== from) return;
  if (!sameRun(role.run, tentative.run)) return;
  admit(
    s,
    tentative.messages.map((message, i) => ({ message, from, n: tentative.from + i })),
  );
  askOn(s, from, tentative.messages);
}

/** What stands in the way of a message taking its place now. */
type Verdict = 'in-log' | 'fits' | 'gap' | 'unknown';

/**
 * Judges by memory alone. The fast path: if `after` is the author's last message in the log, the
 * message is new, for anything after it would stand behind it.
 */
function judge(s: State, message: Message): Verdict {
  const { log } = s;
  const { id, author, after } = message;
  if (log.has(id)) return 'in-log';
  if (after === log.headOf(author) || (after !== null && log.has(after))) return 'fits';
  if (after !== null && precedes(s, after)) return 'fits';
  if (log.first !== 1) return 'unknown';
  return after === null ? 'fits' : 'gap';
}

/** What waits stands before what comes after it, for the one who orders only once it has a place itself. */
function precedes({ role, pending }: State, id: MessageId): boolean {
  if (role.kind === 'leading') return false;
  return role.kind === 'leading-provisionally' ? pending.placeOf(id) !== null : pending.has(id);
}

/** Takes messages into the present order, in the given order, as far as their predecessors allow. */
export function admit(s: State, submissions: readonly Submission[]): void {
  const work = [...submissions].reverse();
  const unknown: Submission[] = [];
  for (let sub = work.pop(); sub !== undefined; sub = work.pop()) {
    switch (judge(s, sub.message)) {
      case 'in-log':
        break;
      case 'fits':
        take(s, sub);
        work.push(...release(s, sub.message.id));
        break;
      case 'gap':
        hold(s, sub);
        break;
      case 'unknown':
        unknown.push(sub);
        break;
    }
  }
  if (unknown.length > 0) lookUp(s, unknown);
}

function lookUp(s: State, submissions: Submission[]): void {
  const ids = new Set<MessageId>();
  for (const { message } of submissions) {
    ids.add(message.id);
    if (message.after !== null) ids.add(message.after);
  }
  const request = nextRequest(s);
  s.lookups.set(request, { kind: 'submissions', since: s.log.last.seq, submissions });
  s.out.reads.push({ kind: 'find-ids', request, ids: [...ids] });
}

/** The disk has answered which ids it holds. */
export function onIdsFound(s: State, request: number, found: readonly MessageId[]): void {
  const lookup = s.lookups.get(request);
  if (lookup === undefined) return;
  s.lookups.delete(request);
  const inLog = new Set(found);
  if (lookup.kind === 'offer') {
    const here = lookup.ids.filter((id) => inLog.has(id) || s.log.has(id) || s.pending.has(id));
    s.wanted.forget(lookup.from, here);
    sendWant(s, lookup.from);
    return;
  }
  for (const sub of lookup.submissions) {
    const { id, after } = sub.message;
    if (inLog.has(id) || s.log.has(id)) continue;
    const verdict = judge(s, sub.message);
    if (verdict === 'fits' || after === null || inLog.has(after)) {
      take(s, sub);
      admit(s, release(s, id));
    } else {
      hold(s, sub);
    }
  }
}

/** The role changes: places that messages had in the old run mean nothing when the disk answers. */
export function forgetLookedUpPlaces(s: State): void {
  for (const [request, lookup] of s.lookups) {
    if (lookup.kind !== 'submissions') continue;
    const submissions = lookup.submissions.map((each) => ({ ...each, n: null }));
    s.lookups.set(request, { ...lookup, submissions });
  }
}

/** The last seq that an outstanding look-up knows of: memory must keep everything after it (V6). */
export function lookupFloor(s: State): number {
  let floor = Infinity;
  for (const { since } of s.lookups.values()) floor = Math.min(floor, since);
  return floor;
}

function hold(s: State, sub: Submission): void {
  const { after } = sub.message;
  if (after === null || s.heldIds.size >= HELD_MAX) return;
  const { kind } = s.role;
  if (kind === 'leaderless' || kind === 'following') return;
  if (s.heldIds.has(sub.message.id)) return;
  s.heldIds.add(sub.message.id);
  const waiting = s.held.get(after);
  if (waiting !== undefined) waiting.push(sub);
  else s.held.set(after, [sub]);
  // What is held itself, or asked for already, comes without another word.
  if (sub.from === s.self.id || s.heldIds.has(after) || s.wanted.has(after)) return;
  send(s, sub.from, { kind: 'want', ids: [after] });
}

function release(s: State, id: MessageId): readonly Submission[] {
  const waiting = s.held.get(id);
  if (waiting === undefined) return [];
  s.held.delete(id);
  for (const { message } of waiting) s.heldIds.delete(message.id);
  return waiting;
}

/** Gives a message its place in the order of the present role. */
function take(s: State, sub: Submission): void {
  const { role } = s;
  const { message } = sub;
  if (role.kind === 'leading') sequence(s, role, message);
  else if (role.kind === 'leading-provisionally') orderProvisionally(s, role, message);
  else if (role.kind === 'following-provisionally') keep(s, sub);
}

function sequence(s: State, role: Leading, message: Message): void {
  const { id, author, after, sentAt, body } = message;
  appendOwn(s, role, { kind: 'message', id, author, after, sentAt, body });
}

function orderProvisionally(s: State, role: LeadingProvisionally, message: Message): void {
  if (s.pending.placeOf(message.id) !== null) return;
  const n = role.next;
  role.next += 1;
  keepPending(s, message, n);
  s.out.tentativeBytes += message.body.length;
  if (s.out.tentativeBytes > s.config.windowBytes) {
    // Too much at once for a link: whoever follows is offered all of it instead.
    for (const peer of s.peers.values()) peer.offered = null;
    return;
  }
  const { tentative } = s.out;
  const goesOn = tentative?.run === role.run && tentative.from + tentative.messages.length === n;
  const small = goesOn && tentative.messages.length < 64 && message.body.length <= 1_024;
  if (small) {
    // One object was queued for every peer of the last broadcast, so that one addition reaches all.
    (tentative.messages as Message[]).push(message);
    return;
  }
  s.out.tentative = { kind: 'tentative', run: role.run, from: n, messages: [message] };
  broadcast(s, s.out.tentative);
}

function keep(s: State, sub: Submission): void {
  keepPending(s, sub.message, sub.n);
}

function keepPending(s: State, message: Message, n: number | null): void {
  if (!s.pending.has(message.id)) {
    s.pending.add(message, true);
    write(s, { kind: 'add-pending', messages: [message], at: 'back' });
  }
  if (n === null) return;
  s.pending.place(message.id, n);
  emit(s, { kind: 'provisional', message, n });
}
