/**
 * The simulated network: one TCP-like connection per pair of hosts. Frames on one direction keep their
 * order and are lost only when the connection breaks, and then a suffix of them; different links know
 * nothing of each other's time. Connections are dialled again like the real transport does. It decides
 * when things arrive; what they mean is the receiver's business.
 */
import { decodeMessage, encodeMessage } from '../protocol/codec.ts';
import type { ProtocolMessage } from '../protocol/messages.ts';
import type { Disconnect, LinkedPeer } from '../protocol/ready.ts';
import type { PeerId } from '../protocol/types.ts';
import type { EventQueue } from './event-queue.ts';
import { type Actor, type Host, actor } from './host.ts';
import type { SimOptions } from './options.ts';
import { violated } from './violation.ts';

/** Why a peer was refused. */
export type RefusalReason = Disconnect['reason'] | 'ID_IN_USE';

/** What arrives at a host. */
export type Item =
  | ProtocolMessage
  | { readonly kind: 'link-up'; readonly peer: LinkedPeer }
  | {
      readonly kind: 'link-down';
      readonly reason: RefusalReason | null;
      /** The receiver's own timer says so, whatever the network carries. */
      readonly local: boolean;
    };

/** Frames taken off one direction at once: as much as one read of a socket brings. */
const BURST_MAX = 8;
/** Pause before a peer that refused is dialled again, milliseconds. */
const REFUSED_MS = 800;
/** After which silence a connection is given up, milliseconds: at least, and the most added. */
const TIMEOUT_MS = [100, 900] as const;

/** One direction of one pair. */
export class Direction {
  readonly from: Host;
  readonly to: Host;
  readonly pair: Pair;
  readonly actor: Actor;
  /** `to` was told that its link with `from` is up. */
  told = false;
  blocked = false;
  /** Items at the head of the queue that a block came too late for. */
  passing = 0;
  times: number[] = [];
  items: Item[] = [];
  lastAt = 0;

  constructor(
    pair: Pair,
    ends: { readonly from: Host; readonly to: Host },
    fire: (d: Direction) => void,
  ) {
    this.pair = pair;
    this.from = ends.from;
    this.to = ends.to;
    this.actor = actor(() => fire(this));
  }
}

/** Two hosts that could have a connection. */
export class Pair {
  readonly a: Host;
  readonly b: Host;
  readonly ab: Direction;
  readonly ba: Direction;
  readonly dial: Actor;
  up = false;
  /** Not dialled before this time: one side refused the other. */
  refusedUntil = 0;

  constructor(a: Host, b: Host, fire: { dial: (p: Pair) => void; arrive: (d: Direction) => void }) {
    this.a = a;
    this.b = b;
    this.ab = new Direction(this, { from: a, to: b }, fire.arrive);
    this.ba = new Direction(this, { from: b, to: a }, fire.arrive);
    this.dial = actor(() => fire.dial(this));
  }
}

/** Who is told what arrives. */
export interface NetworkHooks {
  readonly now: () => number;
  /** Called with at least one item; all arrived at once on one direction. */
  readonly receive: (direction: Direction, items: readonly Item[]) => void;
  readonly hello: (host: Host) => LinkedPeer;
  /** True if this connection may come up; who is refused is told by the hook. */
  readonly admit: (pair: Pair) => boolean;
}

/** How a connection ends. */
interface Ending {
  /** Nothing of what is in flight arrives any more. */
  readonly lossy: boolean;
  readonly local: boolean;
  readonly afterMs: number;
  readonly reason: RefusalReason | null;
}

/** All connections. */
export class Network {
  readonly #queue: EventQueue<Actor>;
  readonly #options: SimOptions;
  readonly #hooks: NetworkHooks;
  readonly #pairs: Pair[] = [];
  readonly #pairsOf = new Map<Host, Pair[]>();
  /** Frames are late, lost or doubled, as the options say, until everything is healed. */
  misbehaves = true;

  constructor(queue: EventQueue<Actor>, options: SimOptions, hooks: NetworkHooks) {
    this.#queue = queue;
    this.#options = options;
    this.#hooks = hooks;
  }

  /** A new machine, with a possible connection to every other. */
  addHost(host: Host): void {
    const fire = {
      dial: (pair: Pair) => this.#dial(pair),
      arrive: (direction: Direction) => this.#arrive(direction),
    };
    const own: Pair[] = [];
    for (const [other, pairs] of this.#pairsOf) {
      if (other.id === host.id) continue;
      const pair = new Pair(other, host, fire);
      pairs.push(pair);
      own.push(pair);
      this.#pairs.push(pair);
    }
    this.#pairsOf.set(host, own);
  }

  /** The pair of two hosts; undefined for two machines of one id. */
  pairOf(a: Host, b: Host): Pair | undefined {
    return this.#pairsOf.get(a)?.find((pair) => pair.a === b || pair.b === b);
  }

  pairsOf(host: Host): readonly Pair[] {
    return this.#pairsOf.get(host) ?? [];
  }

  /** Sends on the link that `from` knows of; without a connection behind it the frame is lost. */
  send(from: Host, to: PeerId, message: ProtocolMessage): void {
    const direction = from.links.get(to);
    if (direction === undefined || !direction.pair.up) return;
    const { drop, duplicate, wire } = this.#options;
    if (this.misbehaves && drop > 0 && from.random.chance(drop)) return;
    const item = wire ? overTheWire(message) : message;
    this.#push(direction, item, this.#delay(from));
    if (this.misbehaves && duplicate > 0 && from.random.chance(duplicate)) {
      this.#push(direction, item, this.#delay(from));
    }
  }

  /** Tries again soon wherever `host` has no connection. */
  redial(host: Host): void {
    for (const pair of this.pairsOf(host)) this.#dialSoon(pair);
  }

  /** The process of `host` runs again: what waited for it arrives now. */
  wake(host: Host): void {
    for (const pair of this.pairsOf(host)) {
      this.#schedule(pair.a === host ? pair.ba : pair.ab);
      this.#dialSoon(pair);
    }
  }

  /** The process of `host` is gone; with `silent` its machine too, so that nobody is told at once. */
  hostDown(host: Host, silent: boolean): void {
    host.links.clear();
    for (const pair of this.pairsOf(host)) {
      const [out, back] = pair.a === host ? [pair.ab, pair.ba] : [pair.ba, pair.ab];
      this.#clear(back);
      back.told = false;
      if (pair.up) {
        pair.up = false;
        const afterMs = silent ? this.#timeout(host) : this.#delay(host);
        this.#end(out, { lossy: silent, local: silent, afterMs, reason: null });
      }
    }
  }

  /** A process starts on `host`: whoever still waits for the old one notices. */
  hostUp(host: Host): void {
    for (const pair of this.pairsOf(host)) {
      const out = pair.a === host ? pair.ab : pair.ba;
      const head = out.items[0];
      if (head?.kind === 'link-down' && head.local && !out.blocked) {
        const noticed = this.#hooks.now() + this.#delay(host) + this.#options.verdictMs;
        out.times[0] = Math.min(out.times[0] as number, noticed);
        out.lastAt = out.times[0];
        this.#schedule(out);
      }
      this.#dialSoon(pair);
    }
  }

  /** The connection breaks for both sides; a prefix of what is in flight may still arrive. */
  breakLink(pair: Pair): void {
    if (!pair.up) return;
    pair.up = false;
    for (const direction of [pair.ab, pair.ba]) {
      this.#end(direction, {
        lossy: direction.from.random.chance(0.5),
        local: true,
        afterMs: this.#delay(direction.from),
        reason: null,
      });
    }
  }

  /** `by` closes its link to `pair`'s other side and says why. */
  refuse(pair: Pair, by: Host, reason: RefusalReason): void {
    pair.refusedUntil = this.#hooks.now() + REFUSED_MS;
    if (!pair.up) return;
    pair.up = false;
    const [out, back] = pair.a === by ? [pair.ab, pair.ba] : [pair.ba, pair.ab];
    const afterMs = this.#delay(by);
    this.#end(out, { lossy: false, local: false, afterMs, reason });
    this.#end(back, { lossy: true, local: true, afterMs: 0, reason: null });
  }

  /**
   * Nothing travels on `direction` any more: from the next frame on, or (`now`) not even what is in
   * flight. With `breaks` both sides give the connection up.
   */
  block(direction: Direction, { now, breaks }: { now: boolean; breaks: boolean }): void {
    if (now) direction.passing = 0;
    else if (!direction.blocked) direction.passing = direction.items.length;
    direction.blocked = true;
    const { pair } = direction;
    this.#schedule(direction);
    if (!breaks || !pair.up) return;
    pair.up = false;
    for (const each of [pair.ab, pair.ba]) {
      const afterMs = this.#timeout(each.to);
      this.#end(each, { lossy: true, local: true, afterMs, reason: null });
    }
  }

  unblock(direction: Direction): void {
    if (!direction.blocked) return;
    direction.blocked = false;
    this.#schedule(direction);
    this.#dialSoon(direction.pair);
  }

  /** Every direction carries again, and where `reset` says so, on a new connection. */
  heal(reset: boolean): void {
    this.misbehaves = false;
    for (const pair of this.#pairs) {
      pair.refusedUntil = 0;
      this.unblock(pair.ab);
      this.unblock(pair.ba);
      if (reset) this.breakLink(pair);
      this.#dialSoon(pair);
    }
  }

  /** All directions, for operations on many of them. */
  *directions(): Generator<Direction> {
    for (const pair of this.#pairs) {
      yield pair.ab;
      yield pair.ba;
    }
  }

  #delay(host: Host): number {
    const { delayMs, spike } = this.#options;
    const delay = delayMs[0] + host.random.unit() * delayMs[1];
    const late = this.misbehaves && spike > 0 && host.random.chance(spike);
    return late ? delay * 10 : delay;
  }

  #timeout(host: Host): number {
    return TIMEOUT_MS[0] + host.random.unit() * TIMEOUT_MS[1];
  }

  #push(direction: Direction, item: Item, afterMs: number): void {
    const at = Math.max(direction.lastAt, this.#hooks.now() + afterMs);
    direction.lastAt = at;
    direction.times.push(at);
    direction.items.push(item);
    if (direction.items.length === 1) this.#schedule(direction);
  }

  /** Puts the head of a direction on the agenda, if it can arrive. */
  #schedule(direction: Direction): void {
    const head = direction.items[0];
    const { state } = direction.to;
    const isLocal = head?.kind === 'link-down' && head.local;
    const stuck = direction.blocked && direction.passing === 0 && !isLocal;
    if (head === undefined || stuck || state !== 'up') {
      this.#queue.cancel(direction.actor);
      return;
    }
    const at = Math.max(direction.times[0] as number, this.#hooks.now());
    this.#queue.schedule(direction.actor, at);
  }

  #clear(direction: Direction): void {
    direction.items = [];
    direction.times = [];
    direction.lastAt = 0;
    direction.passing = 0;
    this.#queue.cancel(direction.actor);
  }

  /** Ends one direction of a connection that is down. */
  #end(direction: Direction, ending: Ending): void {
    const { items, times, to } = direction;
    const some = ending.lossy ? 0 : direction.from.random.below(items.length + 1);
    // Who hears a reason has heard everything before it.
    const keep = ending.reason === null ? some : items.length;
    items.length = keep;
    times.length = keep;
    direction.passing = Math.min(direction.passing, keep);
    direction.lastAt = times[keep - 1] ?? 0;
    const knows = direction.told || items.some((item) => item.kind === 'link-up');
    if (!to.running || !knows) {
      this.#clear(direction);
      this.#dialSoon(direction.pair);
      return;
    }
    const { reason, local } = ending;
    const verdictMs = reason === null ? this.#options.verdictMs : 0;
    const at = Math.max(direction.lastAt, this.#hooks.now() + ending.afterMs + verdictMs);
    direction.lastAt = at;
    items.push({ kind: 'link-down', reason, local });
    times.push(at);
    this.#schedule(direction);
    if (verdictMs > 0) this.#dialSoon(direction.pair);
  }

  #arrive(direction: Direction): void {
    const { items, times } = direction;
    const now = this.#hooks.now();
    let count = 1;
    const most = direction.blocked && direction.passing > 0 ? direction.passing : items.length;
    const max = Math.min(most, BURST_MAX);
    while (count < max && (times[count] as number) <= now) count++;
    direction.passing = Math.max(0, direction.passing - count);
    const burst = items.splice(0, count);
    times.splice(0, count);
    this.#schedule(direction);
    if (!direction.pair.up && this.#isOver(direction)) this.#dialSoon(direction.pair);
    for (const item of burst) this.#note(direction, item);
    this.#hooks.receive(direction, burst);
  }

  /** Nothing of an earlier connection can arrive any more, or only its end, which a new one makes good. */
  #isOver(direction: Direction): boolean {
    if (direction.items.length === 0) return !direction.told;
    return this.#options.verdictMs > 0 && isHeldBack(direction);
  }

  #note(direction: Direction, item: Item): void {
    const { pair, from, to } = direction;
    if (item.kind === 'link-up') {
      direction.told = true;
      to.links.set(from.id, pair.ab === direction ? pair.ba : pair.ab);
    } else if (item.kind === 'link-down') {
      direction.told = false;
      to.links.delete(from.id);
      this.#dialSoon(pair);
    }
  }

  #dialSoon(pair: Pair): void {
    if (pair.up || pair.dial.slot >= 0 || !isWanted(pair)) return;
    const { redialMs } = this.#options;
    const wait = redialMs * (0.2 + pair.a.random.unit());
    this.#queue.schedule(pair.dial, Math.max(pair.refusedUntil, this.#hooks.now() + wait));
  }

  /** Dials; where it fails, the event that could change that dials again. */
  #dial(pair: Pair): void {
    const { a, b, ab, ba } = pair;
    if (pair.up || a.state !== 'up' || b.state !== 'up' || ab.blocked || ba.blocked) return;
    if (!this.#isOver(ab) || !this.#isOver(ba)) return;
    if (!isWanted(pair) || !this.#hooks.admit(pair)) return;
    pair.up = true;
    for (const direction of [ab, ba]) if (direction.items.length > 0) this.#clear(direction);
    const fromA = this.#hooks.hello(a);
    const fromB = this.#hooks.hello(b);
    this.#push(ab, { kind: 'link-up', peer: fromA }, this.#delay(a));
    this.#push(ba, { kind: 'link-up', peer: fromB }, this.#delay(b));
  }
}

/** The end of a connection that nobody has been told of yet, and need not be if there is a new one. */
function isHeldBack({ items: [first, ...others] }: Direction): boolean {
  return first?.kind === 'link-down' && first.reason === null && others.length === 0;
}

function isWanted({ a, b }: Pair): boolean {
  const toB = b.folder !== 'copied' && a.wants.has(b.id);
  return toB || (a.folder !== 'copied' && b.wants.has(a.id));
}

/** What the receiver decodes from what the sender encodes. */
function overTheWire(message: ProtocolMessage): ProtocolMessage {
  const decoded = decodeMessage(encodeMessage(message));
  if (!decoded.ok) violated('integrity', `${message.kind} does not decode: ${decoded.error}`);
  return decoded.value;
}
