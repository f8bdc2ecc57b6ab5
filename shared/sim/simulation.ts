/**
 * The machines of one run and what happens on them: it feeds inputs to the replicas and carries out
 * what is ready, in the order of the contract (write, send, read, deliver), as the real shell does.
 * Whom to disturb and when is decided by operations (faults.ts); whether all is well by checkers.ts.
 */
import { InvariantWatch } from '../protocol/invariants.ts';
import type { ProtocolMessage } from '../protocol/messages.ts';
import type { CoreEvent, Input, LinkedPeer, Ready } from '../protocol/ready.ts';
import {
  type ChainHash,
  EPOCH_ZERO,
  type Member,
  type MessageId,
  type PeerId,
  compareEpochs,
} from '../protocol/types.ts';
import { Random } from '../random.ts';
import { cheapChainHash, cheapGroupHash } from './cheap-hash.ts';
import { Checkers } from './checkers.ts';
import type { CoreUnderTest } from './core-under-test.ts';
import { type Coverage, emptyCoverage } from './coverage.ts';
import { describeInput, describeReady } from './describe.ts';
import { Disk, DiskQueue } from './disk.ts';
import { EventQueue } from './event-queue.ts';
import { type Actor, type Folder, Host, actor } from './host.ts';
import { type Direction, type Item, Network, type Pair, type RefusalReason } from './network.ts';
import type { SimOptions } from './options.ts';
import { violated } from './violation.ts';

/** Wall clock at the start of a run. */
const WALL_START = 1_700_000_000_000;
/** A leave that takes longer ends the process anyway, milliseconds. */
const LEAVE_MS = 1_500;
/** Time of a read once everything is healed, milliseconds at most. */
const READ_MS = 2;
/** Lateness of a timer, milliseconds at most. */
const TIMER_LATE_MS = 1;

/** Refusals that are right, by whose data the machine has. */
const EXPECTED: Readonly<Record<Folder, readonly RefusalReason[]>> = {
  own: [],
  old: ['ROLLED_BACK'],
  // It has another key: whoever does not know that the id is bound takes it for somebody else.
  empty: ['ID_TAKEN'],
  copied: ['ID_IN_USE'],
  spoilt: [],
};

/** What the simulation tells whoever drives it. */
export interface SimulationHooks {
  /** One line of the log; null while nobody reads it. */
  readonly log: ((line: string) => void) | null;
  /** A message is about to be sent; false if the sender did not live to send it. */
  onSend: (from: Host, to: PeerId, message: ProtocolMessage) => boolean;
  /** A process came to an end by itself. */
  onStopped: (host: Host) => void;
}

/** Everything that exists in one run. */
export class Simulation {
  readonly core: CoreUnderTest;
  readonly options: SimOptions;
  readonly hooks: SimulationHooks;
  readonly queue = new EventQueue<Actor>();
  readonly hosts: Host[] = [];
  readonly network: Network;
  readonly checkers: Checkers;
  readonly chainHash: ChainHash;
  readonly groupHash: Uint8Array;
  readonly coverage: Coverage = emptyCoverage();
  now = 0;
  /** Inputs given to replicas so far. */
  steps = 0;
  #processes = 0;
  #messages = 0;

  constructor(core: CoreUnderTest, options: SimOptions, hooks: SimulationHooks) {
    this.core = core;
    this.options = options;
    this.hooks = hooks;
    const hashBytes = options.wire ? 32 : 8;
    this.chainHash = cheapChainHash(hashBytes);
    this.groupHash = cheapGroupHash(hashBytes, options.seed);
    this.checkers = new Checkers(this.hosts, this);
    this.network = new Network(this.queue, options, {
      now: () => this.now,
      receive: (direction, items) => this.#receive(direction, items),
      hello: (host) => this.#hello(host),
      admit: (pair) => this.#admit(pair),
    });
  }

  /** Adds a machine with an empty disk; it is not started. */
  addHost(id: PeerId): Host {
    const index = this.hosts.length;
    const parts = {
      disk: new Disk(this.groupHash),
      random: new Random(Math.imul(this.options.seed, 31) + index * 7_919),
      timers: {
        tick: actor(() => this.#tick(host)),
        disk: actor(() => this.#diskTurn(host)),
        read: actor(() => this.#answerReads(host)),
        turn: actor(() => this.drain(host)),
        leave: actor(() => this.#closeAfterLeave(host, false)),
      },
    };
    const host: Host = new Host(index, memberFor(id, index), parts);
    const { drift } = this.options;
    host.rate = 1 + drift * (2 * host.random.unit() - 1);
    this.hosts.push(host);
    this.network.addHost(host);
    return host;
  }

  /** Starts a process on what its machine's disk holds. */
  start(host: Host, seeds: readonly PeerId[]): void {
    if (host.running) return;
    const { random } = host;
    this.#processes += 1;
    host.process = this.#processes;
    host.nonce = random.uint32();
    host.clockBase = random.below(1_000_000);
    host.clockSince = this.now;
    host.wallOffset = WALL_START + random.between(-1_000, 1_000);
    const { config } = this.options;
    const durable = host.disk.load(random.below(config.tailEntries + 1));
    host.delivered = durable.mark;
    host.promised = durable.promised;
    host.led = null;
    host.watch = this.options.watch ? new InvariantWatch(this.chainHash) : null;
    host.openLists = [...host.disk.lists()];
    host.queue = new DiskQueue(host.disk);
    host.replica = this.core.create({
      self: host.self,
      nonce: host.nonce,
      seed: random.uint32(),
      config,
      chainHash: this.chainHash,
      durable,
    });
    host.state = 'up';
    host.machineUp = true;
    host.seeds = seeds;
    host.wants = new Set([...seeds, ...knownIds(host.disk)]);
    this.coverage.starts++;
    this.hooks.log?.(`${this.#stamp(host)} starts, nonce ${host.nonce}`);
    this.network.hostUp(host);
    this.give(host, { kind: 'tick', wall: this.#wall(host) });
    this.drain(host);
  }

  /** The process ends at once. */
  crash(host: Host, how: { readonly power: boolean; readonly survivors: number }): void {
    if (!host.running) return;
    host.queue?.crash(Math.min(how.survivors, host.queue.length));
    host.machineUp = !how.power;
    this.#end(host, 'down', how.power);
    this.coverage.crashes++;
  }

  #end(host: Host, state: 'down' | 'left' | 'refused', silent: boolean): void {
    host.replica = null;
    host.queue = null;
    host.state = state;
    host.diskFull = false;
    host.slowFactor = 1;
    const { timers } = host;
    for (const each of Object.values(timers)) this.queue.cancel(each);
    this.hooks.log?.(`${this.#stamp(host)} is ${state}`);
    this.network.hostDown(host, silent);
  }

  pause(host: Host): void {
    if (host.state !== 'up') return;
    host.state = 'paused';
    const { timers } = host;
    for (const each of [timers.tick, timers.disk, timers.read, timers.turn]) {
      this.queue.cancel(each);
    }
    for (const pair of this.network.pairsOf(host)) {
      this.queue.cancel((pair.a === host ? pair.ba : pair.ab).actor);
    }
    this.coverage.pauses++;
  }

  resume(host: Host): void {
    if (host.state !== 'paused') return;
    host.state = 'up';
    this.network.wake(host);
    this.#scheduleTick(host);
    if (host.queue?.busy === true || host.queue?.waiting === true) {
      this.queue.schedule(host.timers.disk, this.now);
    }
    if (host.queue?.reading === true) this.queue.schedule(host.timers.read, this.now);
    // What was taken in before the pause is acted on now.
    this.queue.schedule(host.timers.turn, this.now);
  }

  /** A person writes. */
  submit(host: Host): void {
    if (host.state !== 'up') return;
    this.#messages += 1;
    const id = messageId(this.#messages);
    const body = new Uint8Array(this.options.bodyBytes);
    body[0] = this.#messages;
    body[1] = this.#messages >> 8;
    this.checkers.onSubmit(host, { id, body });
    this.coverage.submitted++;
    this.give(host, { kind: 'submit', id, sentAt: this.#wall(host), body });
  }

  /** The person asks to leave; the process ends when the group knows, or when patience does. */
  leave(host: Host, patienceMs = LEAVE_MS): void {
    if (host.state !== 'up' || host.timers.leave.slot >= 0) return;
    this.queue.schedule(host.timers.leave, this.now + patienceMs);
    this.give(host, { kind: 'leave' });
    this.drain(host);
  }

  /** One input, without carrying out what follows from it. */
  give(host: Host, input: Input): void {
    this.steps++;
    if (this.hooks.log !== null) {
      this.hooks.log(`${this.#stamp(host)} ${describeInput(input)}`);
    }
    host.replica?.step(host.localTime(this.now), input);
  }

  /** Something happened to `host`: it acts on that, with whatever else happens until its turn. */
  #act(host: Host): void {
    const { turnMs } = this.options;
    const { turn } = host.timers;
    if (turnMs === 0) this.drain(host);
    else if (turn.slot < 0 && host.state === 'up') {
      this.queue.schedule(turn, this.now + host.random.unit() * turnMs);
    }
  }

  /** Carries out what is ready. */
  drain(host: Host): void {
    const { replica, queue } = host;
    if (replica === null || queue === null) return;
    this.queue.cancel(host.timers.turn);
    const ready = replica.takeReady();
    if (this.hooks.log !== null) this.#logReady(host, ready);
    if (ready.write !== null) {
      this.checkers.onWrite(host, ready.write.ops);
      queue.queueWrite(ready.write);
    }
    for (const { to, message } of ready.sends) {
      this.checkers.onSend(host, message);
      if (!this.hooks.onSend(host, to, message)) return;
      this.network.send(host, to, message);
    }
    for (const read of ready.reads) queue.queueRead(read);
    this.#kickDisk(host, queue);
    for (const { peer, reason } of ready.disconnects) this.#disconnect(host, peer, reason);
    for (const entry of ready.delivered) this.checkers.onDelivered(host, entry);
    this.coverage.delivered += ready.delivered.length;
    for (const event of inOrder(ready.events)) this.#onEvent(host, event);
    if (ready.addresses !== null) {
      host.wants = new Set([...host.seeds, ...ready.addresses.map(({ id }) => id)]);
      this.network.redial(host);
    }
    host.wakeAt = ready.wakeAt;
    if (host.replica !== replica) return;
    const leading = host.led;
    const look = replica.inspect();
    this.checkers.afterEvent(host, look);
    // What was cut at this moment stood in the log when what comes after it got a place.
    const hasCut = ready.write?.ops.some(({ kind }) => kind === 'cut') === true;
    for (const event of hasCut ? [] : ready.events) {
      if (event.kind === 'provisional') this.checkers.onProvisional(host, event.message, look);
    }
    const broken = host.watch?.check(look) ?? null;
    if (broken !== null) violated('invariant', `host ${host.index}: ${broken}`);
    if (host.led !== null && leading === null) this.coverage.leaders++;
    this.#scheduleTick(host);
  }

  #logReady(host: Host, ready: Ready): void {
    for (const line of describeReady(ready)) this.hooks.log?.(`${this.#stamp(host)}   ${line}`);
  }

  #stamp(host: Host): string {
    return `${this.now.toFixed(3).padStart(10)} #${host.index}(${host.id})`;
  }

  #wall(host: Host): number {
    return Math.round(host.wallOffset + this.now);
  }

  #tick(host: Host): void {
    if (host.localTime(this.now) + 1e-6 < host.wakeAt) {
      this.#scheduleTick(host);
      return;
    }
    this.give(host, { kind: 'tick', wall: this.#wall(host) });
    this.#act(host);
  }

  /** A timer that fires too early looks again; so it need not be moved when `wakeAt` grows. */
  #scheduleTick(host: Host): void {
    if (host.state !== 'up') return;
    const { tick } = host.timers;
    const due = Math.max(host.globalTime(host.wakeAt), this.now);
    if (tick.slot >= 0 && tick.at <= due + TIMER_LATE_MS) return;
    if (due < Infinity) this.queue.schedule(tick, due + host.random.unit() * TIMER_LATE_MS);
  }

  #kickDisk(host: Host, queue: DiskQueue): void {
    if (host.state !== 'up') return;
    if (queue.busy || queue.reading) return;
    if (queue.beginReads()) {
      const readMs = this.network.misbehaves ? this.options.readMs : READ_MS;
      const takes = host.random.unit() * readMs * host.slowFactor;
      this.queue.schedule(host.timers.read, this.now + takes);
      return;
    }
    const { disk } = host.timers;
    if (!queue.waiting) return;
    if (queue.urgent) this.#beginTransaction(host, queue);
    else if (disk.slot < 0) this.queue.schedule(disk, this.now + this.options.lazyMs);
  }

  #beginTransaction(host: Host, queue: DiskQueue): void {
    queue.begin();
    const { diskMs } = this.options;
    const takes = (diskMs[0] + host.random.unit() * diskMs[1]) * host.slowFactor;
    this.queue.schedule(host.timers.disk, this.now + takes);
  }

  /** A transaction ends, or one begins that nobody hurried. */
  #diskTurn(host: Host): void {
    const { queue } = host;
    if (queue === null) return;
    if (!queue.busy) {
      if (queue.waiting && !queue.reading) this.#beginTransaction(host, queue);
      return;
    }
    if (host.diskFull) {
      this.crash(host, { power: false, survivors: 0 });
      this.hooks.onStopped(host);
      return;
    }
    const upTo = queue.commit();
    this.#kickDisk(host, queue);
    this.give(host, { kind: 'persisted', upTo });
    this.#act(host);
  }

  #answerReads(host: Host): void {
    const { queue } = host;
    if (queue === null) return;
    const answers = queue.endReads();
    this.#kickDisk(host, queue);
    for (const answer of answers) this.give(host, answer);
    this.coverage.reads += answers.length;
    this.#act(host);
  }

  #hello(host: Host): LinkedPeer {
    return { ...host.self, promised: host.disk.promised, nonce: host.nonce };
  }

  /** The last word of both sides before a link comes up. */
  #admit(pair: Pair): boolean {
    return this.#admits(pair, pair.a, pair.b) && this.#admits(pair, pair.b, pair.a);
  }

  #admits(pair: Pair, host: Host, other: Host): boolean {
    // The transport's probe: a second process of one identity is refused while the first answers. What
    // happens when it cannot answer, nobody can tell from a machine that moved; so it always can.
    if (other.folder === 'copied') {
      this.#refuse(other, 'ID_IN_USE');
      return false;
    }
    const reason = host.replica?.refusalOf(this.#hello(other)) ?? null;
    if (reason === null) {
      this.#mustBeUnknowing(host, other);
      return true;
    }
    this.network.refuse(pair, host, reason);
    if (reason === 'DIVERGED') this.#tellDiverged(other, host.id);
    else this.#refuse(other, reason);
    return false;
  }

  /** Who remembers a higher promise of a peer than its old copy of the data has must not let it in. */
  #mustBeUnknowing(host: Host, other: Host): void {
    const known = other.folder === 'old' ? host.remembers(other.id) : undefined;
    if (known === undefined || compareEpochs(known.promised, other.disk.promised) <= 0) return;
    violated('refusal', `host ${host.index} lets host ${other.index} in with an old folder`);
  }

  /** A burst of what arrived on one link. */
  #receive(direction: Direction, items: readonly Item[]): void {
    const { from, to } = direction;
    let living = false;
    for (const item of items) {
      if (item.kind === 'link-down') {
        this.#linkDown(direction, item.reason);
        if (to.replica === null) return;
      } else if (item.kind === 'link-up') {
        this.give(to, { kind: 'link-up', peer: item.peer });
      } else {
        if (!living) this.give(to, { kind: 'bytes', from: from.id });
        living = true;
        this.give(to, { kind: 'message', from: from.id, message: item });
      }
    }
    this.#act(to);
  }

  #linkDown({ from, to, pair }: Direction, reason: RefusalReason | null): void {
    if (reason === 'ROLLED_BACK' || reason === 'ID_TAKEN') {
      this.#refuse(to, reason);
      return;
    }
    if (reason === 'DIVERGED') this.#tellDiverged(to, from.id);
    const cut = pair.ab.blocked || pair.ba.blocked;
    const refused = !from.running && from.machineUp && !cut;
    this.give(to, { kind: 'link-down', peer: from.id, refused });
  }

  /** A replica refuses the peer at the other end of one of its links. */
  #disconnect(host: Host, peer: PeerId, reason: RefusalReason): void {
    if (reason === 'DIVERGED') this.checkers.onDiverged(host, peer, false);
    const direction = host.links.get(peer);
    if (direction !== undefined) this.network.refuse(direction.pair, host, reason);
  }

  /** A peer closed the link because the histories differ. */
  #tellDiverged(host: Host, by: PeerId): void {
    this.give(host, { kind: 'refused-as-diverged', by });
    this.#act(host);
  }

  /** A process was refused for good: rightly, if its folder is not its own. */
  #refuse(host: Host, reason: RefusalReason): void {
    if (!EXPECTED[host.folder].includes(reason)) {
      violated('refusal', `host ${host.index} was refused: ${reason}`);
    }
    this.coverage.refused++;
    host.queue?.crash(0);
    this.#end(host, 'refused', false);
  }

  #onEvent(host: Host, event: CoreEvent): void {
    switch (event.kind) {
      case 'accepted':
        this.checkers.onAccepted(host, event.message);
        break;
      case 'diverged':
        this.checkers.onDiverged(host, event.peer, event.stopped);
        break;
      case 'join-refused':
        this.#refuse(host, 'ID_TAKEN');
        break;
      case 'left':
        this.#closeAfterLeave(host, true);
        break;
      case 'provisional':
        this.coverage.provisional++;
        break;
      case 'listed':
      case 'progress':
        break;
    }
  }

  /** Closing flushes what is queued. */
  #closeAfterLeave(host: Host, complete: boolean): void {
    if (!host.running) return;
    host.queue?.crash(host.queue.length);
    this.#end(host, complete ? 'left' : 'down', false);
    if (complete) this.coverage.left++;
    this.hooks.onStopped(host);
  }
}

/** A process that ends has dealt with everything else that its last turn brought. */
function inOrder(events: readonly CoreEvent[]): readonly CoreEvent[] {
  if (events.length < 2) return events;
  const ends = ({ kind }: CoreEvent): number =>
    kind === 'left' || kind === 'join-refused' ? 1 : 0;
  return events.toSorted((a, b) => ends(a) - ends(b));
}

/** Whom a process dials before its core has said anything. */
function knownIds(disk: Disk): PeerId[] {
  return [...disk.known.keys(), ...disk.lists().flatMap(({ members }) => members.map((m) => m.id))];
}

/** The identity of a machine; `variant` distinguishes keys under one id. */
export function memberFor(id: PeerId, variant: number): Member {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(0, id);
  new DataView(key.buffer).setUint32(4, variant);
  return { id, key, name: `peer ${id}`, address: `host${variant}:7000` };
}

/** A UUIDv7 text that is unique in the run. */
function messageId(number: number): MessageId {
  return `018bcfe5-6800-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** What is remembered of the members of a group that exists when the run starts. */
export function knownFrom(members: readonly Member[], disk: Disk): void {
  for (const member of members) {
    disk.known.set(member.id, { member, bound: true, promised: EPOCH_ZERO, nonce: 0 });
  }
}
