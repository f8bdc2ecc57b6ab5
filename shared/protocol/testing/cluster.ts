/**
 * A handful of replicas on one clock, with links and disks that do as they are told: the stage on which
 * protocol scripts play. Frames take a millisecond and pass through the real codec, writes take a
 * millisecond, and anything can be held, lost, cut, paused or crashed. After every step the invariants of
 * that replica and the guarantees over all of them are checked; a broken one is thrown.
 */
import { createHash } from 'node:crypto';
import { assert, must } from '../../assert.ts';
import { Disk } from '../../sim/disk.ts';
import { EventQueue, type Timed } from '../../sim/event-queue.ts';
import { chainHashWith, decodeMessage, encodeMessage, groupHash } from '../codec.ts';
import { type ProtocolConfig, defaultConfig } from '../config.ts';
import {
  describeContent,
  describeEntry,
  describeEvent,
  describeMessage,
  describeReplica,
  describeRole,
} from '../describe.ts';
import { InvariantWatch } from '../invariants.ts';
import { foundGroup } from '../membership.ts';
import type { ProtocolMessage } from '../messages.ts';
import type { CoreEvent, Input, LinkedPeer, Read, Ready, Write } from '../ready.ts';
import { Replica } from '../replica.ts';
import { type Entry, type Member, type MessageId, type PeerId, bytesEqual } from '../types.ts';
import { decodeUtf8, encodeUtf8 } from '../utf8.ts';

/** What the block of a script shows: nothing, roles and final entries, or every frame as well. */
export type LogLevel = 'none' | 'roles' | 'frames' | 'all';

const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());
const chainHash = chainHashWith(sha256);
const hashZero = groupHash(sha256, encodeUtf8('script'));

/** Every frame and every write takes this long, milliseconds. */
const HOP_MS = 1;
const WALL_START = 1_700_000_000_000;

interface Job extends Timed {
  run(): void;
}

/** What a rule about frames covers; null is anything. */
export interface FramePattern {
  readonly kind: ProtocolMessage['kind'] | null;
  readonly from: PeerId | null;
  readonly to: PeerId | null;
}

/** A frame that a rule holds back. */
export interface HeldFrame {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly message: ProtocolMessage;
}

interface Rule {
  readonly does: 'hold' | 'lose';
  readonly pattern: FramePattern;
}

/** One direction of a link. */
interface Direction {
  up: boolean;
  /** Frames of an earlier connection never arrive on a later one. */
  connection: number;
  /** Nothing gets through, and nobody is told. */
  cut: boolean;
}

/** One machine: its disk, and the process on it while one runs. */
export interface Host {
  readonly id: PeerId;
  member: Member;
  disk: Disk;
  backup: { readonly disk: Disk; readonly member: Member } | null;
  replica: Replica | null;
  watch: InvariantWatch;
  nonce: number;
  queue: (Write | Read)[];
  diskBusy: boolean;
  manualDisk: boolean;
  paused: boolean;
  /** What happened to it while it was paused. */
  readonly inbox: Input[];
  readonly tick: Job;
  /** Its stored history was falsified: what it delivers is not held against the others. */
  spoiled: boolean;
  /** Last seq delivered by the present process. */
  delivered: number;
  shownRole: string;
}

/** Peers, links and the clock. */
export class Cluster {
  now = 1_000;
  level: LogLevel = 'roles';
  config: ProtocolConfig = defaultConfig;
  readonly hosts = new Map<PeerId, Host>();
  readonly held: HeldFrame[] = [];
  /** What there is to show since it was last taken. */
  #lines: string[] = [];
  #finals = new Map<PeerId, string[]>();
  #rules: Rule[] = [];
  readonly #agenda = new EventQueue<Job>();
  readonly #directions = new Map<string, Direction>();
  readonly #ids = new Map<string, MessageId>();
  readonly #names = new Map<MessageId, string>();
  /** Names in the order in which each author sent them. */
  readonly #sent = new Map<PeerId, string[]>();
  /** Final entries, by seq - 1, as whoever was first delivered them. */
  readonly canon: Entry[] = [];
  #connections = 0;

  readonly nameOf = (id: MessageId): string => this.#names.get(id) ?? 'own';

  // ---- peers -----------------------------------------------------------------------------------

  /** A machine with an empty disk. */
  addHost(id: PeerId): Host {
    assert(!this.hosts.has(id), `peer ${id} exists already`);
    const host: Host = {
      id,
      member: memberOf(id, 0),
      disk: new Disk(hashZero),
      backup: null,
      replica: null,
      watch: new InvariantWatch(chainHash),
      nonce: id * 100,
      queue: [],
      diskBusy: false,
      manualDisk: false,
      paused: false,
      inbox: [],
      tick: this.#job(() => this.input(host, { kind: 'tick', wall: WALL_START + this.now })),
      spoiled: false,
      delivered: 0,
      shownRole: 'no leader',
    };
    this.hosts.set(id, host);
    return host;
  }

  /** Writes entry 1 to the disk of a new machine. */
  found(id: PeerId): void {
    const host = this.addHost(id);
    const entry = foundGroup(host.member, {
      id: '01890000-0000-7000-8000-ffffffffffff',
      sentAt: WALL_START,
      chainHash,
      groupHash: hashZero,
    });
    host.disk.apply({
      number: 0,
      ops: [
        { kind: 'promise', epoch: entry.epoch },
        { kind: 'append', entries: [entry] },
      ],
      urgent: true,
    });
  }

  /** Starts the process on a machine and links it with every other that runs. */
  start(id: PeerId): void {
    const host = this.host(id);
    assert(host.replica === null, `peer ${id} runs already`);
    host.nonce += 1;
    host.watch = new InvariantWatch(chainHash);
    host.replica = new Replica({
      self: host.member,
      nonce: host.nonce,
      seed: host.nonce,
      config: this.config,
      chainHash,
      durable: host.disk.load(this.config.tailEntries),
    });
    host.delivered = host.disk.mark;
    host.shownRole = 'no leader';
    host.inbox.length = 0;
    host.paused = false;
    this.input(host, { kind: 'tick', wall: WALL_START + this.now });
    for (const other of this.running()) if (other.id !== id) this.connect(id, other.id);
  }

  /** A machine's process dies; `survivors` of the writes in its queue still reach the disk. */
  crash(id: PeerId, options: { readonly silently: boolean; readonly survivors: number }): void {
    const host = this.host(id);
    assert(host.replica !== null, `peer ${id} does not run`);
    let left = options.survivors;
    for (const item of host.queue) {
      if (!('ops' in item)) continue;
      if (left <= 0) break;
      host.disk.apply(item);
      left -= 1;
    }
    this.#stop(host);
    for (const other of this.running()) {
      this.direction(id, other.id).up = false;
      const back = this.direction(other.id, id);
      const cut = back.cut || this.direction(id, other.id).cut;
      if (options.silently || cut || !back.up) continue;
      // Frames already on their way still arrive, and only then the news.
      const { connection } = back;
      this.#after(HOP_MS, () => {
        if (back.connection !== connection || !back.up) return;
        back.up = false;
        this.input(other, { kind: 'link-down', peer: id, refused: true });
      });
    }
  }

  #stop(host: Host): void {
    host.replica = null;
    host.queue = [];
    host.diskBusy = false;
    host.inbox.length = 0;
    this.#agenda.cancel(host.tick);
  }

  /** The process of `id` gets no time until it is resumed; what happens to it waits. */
  pause(id: PeerId): void {
    const host = this.host(id);
    host.paused = true;
    this.#agenda.cancel(host.tick);
  }

  resume(id: PeerId): void {
    const host = this.host(id);
    host.paused = false;
    this.input(host, { kind: 'tick', wall: WALL_START + this.now });
    for (const input of host.inbox.splice(0)) this.input(host, input);
  }

  /** Copies the data folder of a machine. */
  backUp(id: PeerId): void {
    const host = this.host(id);
    host.backup = { disk: host.disk.clone(), member: host.member };
  }

  /** Replaces the data folder: an empty one (with a new key) or the copy taken earlier. */
  replaceDisk(id: PeerId, by: 'empty' | 'backup'): void {
    const host = this.host(id);
    assert(host.replica === null, `peer ${id} runs`);
    if (by === 'backup') {
      const { disk, member } = must(host.backup, 'a copy was taken');
      host.disk = disk.clone();
      // The identity key lives in the folder.
      host.member = member;
      return;
    }
    host.disk = new Disk(hashZero);
    host.member = memberOf(id, host.nonce);
  }

  /** Falsifies the stored history of a machine from `seq` on, in itself consistent. */
  spoil(id: PeerId, seq: number): void {
    const host = this.host(id);
    assert(host.replica === null, `peer ${id} runs`);
    host.spoiled = true;
    const { log } = host.disk;
    for (let i = seq - 1; i < log.length; i++) {
      const entry = log[i] as Entry;
      const changed = { ...entry, sentAt: entry.sentAt + 1 };
      log[i] = { ...changed, hash: chainHash(log[i - 1]?.hash ?? hashZero, changed) };
    }
  }

  host(id: PeerId): Host {
    return must(this.hosts.get(id), `there is no peer ${id}`);
  }

  replica(id: PeerId): Replica {
    return must(this.host(id).replica, `peer ${id} does not run`);
  }

  /** Hosts whose process runs, ascending. */
  running(): Host[] {
    return [...this.hosts.values()]
      .filter((host) => host.replica !== null)
      .sort((a, b) => a.id - b.id);
  }

  /** A person at peer `id` sends a message known to the script as `name`. */
  submit(id: PeerId, name: string, bytes: number): void {
    const known = this.#ids.get(name);
    assert(known === undefined, `${name} was sent already`);
    const messageId = `01890000-0000-7000-8000-${(this.#ids.size + 1).toString(16).padStart(12, '0')}`;
    this.#ids.set(name, messageId);
    this.#names.set(messageId, name);
    this.#sent.set(id, [...(this.#sent.get(id) ?? []), name]);
    const body = encodeUtf8(name.padEnd(bytes, '.'));
    const sentAt = WALL_START + this.now;
    this.input(this.host(id), { kind: 'submit', id: messageId, sentAt, body });
  }

  // ---- links -----------------------------------------------------------------------------------

  direction(from: PeerId, to: PeerId): Direction {
    const key = `${from}>${to}`;
    let direction = this.#directions.get(key);
    if (direction === undefined) {
      direction = { up: false, connection: 0, cut: false };
      this.#directions.set(key, direction);
    }
    return direction;
  }

  /** A new connection between two peers that run, unless the network between them is cut. */
  connect(a: PeerId, b: PeerId): void {
    const [there, back] = [this.direction(a, b), this.direction(b, a)];
    const [hostA, hostB] = [this.host(a), this.host(b)];
    if (there.cut || back.cut || hostA.replica === null || hostB.replica === null) return;
    this.#connections += 1;
    there.connection = this.#connections;
    back.connection = this.#connections;
    there.up = true;
    back.up = true;
    const [helloA, helloB] = [this.#hello(hostA), this.#hello(hostB)];
    this.input(hostA, { kind: 'link-up', peer: helloB });
    if (there.up) this.input(hostB, { kind: 'link-up', peer: helloA });
  }

  #hello(host: Host): LinkedPeer {
    const { durablePromised } = must(host.replica, 'only who runs says HELLO').inspect();
    const { id, key, name, address } = host.member;
    return { id, key, name, address, promised: durablePromised, nonce: host.nonce };
  }

  /** `from` closes the connection: what it sent before still arrives, what was sent to it does not. */
  disconnect(from: PeerId, to: PeerId): void {
    const [there, back] = [this.direction(from, to), this.direction(to, from)];
    if (!there.up) return;
    there.up = false;
    back.connection = 0;
    this.input(this.host(from), { kind: 'link-down', peer: to, refused: false });
    const { connection } = there;
    this.#after(HOP_MS, () => {
      if (there.connection !== connection || !back.up) return;
      back.up = false;
      this.input(this.host(to), { kind: 'link-down', peer: from, refused: false });
    });
  }

  /** From now on nothing gets from `from` to `to`, and neither is told. */
  cut(from: PeerId, to: PeerId): void {
    this.direction(from, to).cut = true;
  }

  /** The network between two peers works again; they connect anew. */
  heal(a: PeerId, b: PeerId): void {
    const [there, back] = [this.direction(a, b), this.direction(b, a)];
    if (!there.cut && !back.cut) return;
    there.cut = false;
    back.cut = false;
    this.connect(a, b);
  }

  /** Frames sent from now on that match are held or lost. */
  addRule(does: Rule['does'], pattern: FramePattern): void {
    this.#rules.push({ does, pattern });
  }

  removeRules(pattern: FramePattern): void {
    this.#rules = this.#rules.filter((rule) => !samePattern(rule.pattern, pattern));
  }

  /** Takes up to `count` held frames that match out of the box, oldest first. */
  takeHeld(pattern: FramePattern, count: number): HeldFrame[] {
    const taken: HeldFrame[] = [];
    for (let i = 0; i < this.held.length && taken.length < count;) {
      const frame = this.held[i] as HeldFrame;
      if (matches(pattern, frame)) taken.push(...this.held.splice(i, 1));
      else i++;
    }
    return taken;
  }

  /** A held frame arrives now, whatever became of its link. */
  arriveHeld({ from, to, message }: HeldFrame): void {
    const host = this.host(to);
    if (host.replica === null) return;
    this.#showFrame(from, to, '', message);
    this.input(host, { kind: 'message', from, message });
  }

  #send(from: PeerId, to: PeerId, message: ProtocolMessage): void {
    const direction = this.direction(from, to);
    if (!direction.up) return;
    const decoded = decodeMessage(encodeMessage(message));
    assert(decoded.ok, `a frame of kind ${message.kind} survives the codec`);
    const frame: HeldFrame = { from, to, message: decoded.value };
    const rule = this.#rules.findLast(({ pattern }) => matches(pattern, frame));
    if (direction.cut) return;
    if (rule?.does === 'lose') {
      this.#showFrame(from, to, 'lost: ', message);
      return;
    }
    if (rule?.does === 'hold') {
      this.#showFrame(from, to, 'held: ', message);
      this.held.push(frame);
      return;
    }
    const { connection } = direction;
    this.#after(HOP_MS, () => {
      const host = this.host(to);
      if (direction.connection !== connection || direction.cut || host.replica === null) return;
      this.#showFrame(from, to, '', frame.message);
      this.input(host, { kind: 'message', from, message: frame.message });
    });
  }

  // ---- time and steps --------------------------------------------------------------------------

  /** Lets `ms` pass. */
  run(ms: number): void {
    const end = this.now + ms;
    for (let next = this.#agenda.peek(); next !== undefined; next = this.#agenda.peek()) {
      if (next.at > end) break;
      this.#agenda.pop();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  #job(run: () => void): Job {
    return { at: 0, order: 0, slot: -1, run };
  }

  #after(ms: number, run: () => void): void {
    this.#agenda.schedule(this.#job(run), this.now + ms);
  }

  /** Gives a replica one input and carries out what it hands out. */
  input(host: Host, input: Input): void {
    const { replica } = host;
    if (replica === null) return;
    if (host.paused) {
      if (input.kind !== 'tick') host.inbox.push(input);
      return;
    }
    replica.step(this.now, input);
    this.#carryOut(host, replica.takeReady());
    const inspection = replica.inspect();
    const broken = host.watch.check(inspection);
    assert(broken === null, `peer ${host.id}: ${broken}`);
    const role = describeRole(inspection);
    if (role !== host.shownRole) this.show(`${host.id} ${role}`);
    host.shownRole = role;
  }

  #carryOut(host: Host, ready: Ready): void {
    if (ready.write !== null) host.queue.push(ready.write);
    for (const { to, message } of ready.sends) this.#send(host.id, to, message);
    host.queue.push(...ready.reads);
    this.#serveDisk(host);
    for (const { peer, reason } of ready.disconnects) {
      this.show(`${host.id} refuses ${peer}: ${reason}`);
      if (reason === 'DIVERGED') this.#tellDiverged(host.id, peer);
      this.disconnect(host.id, peer);
    }
    if (ready.delivered.length > 0) this.#deliver(host, ready.delivered);
    for (const event of ready.events) this.#showEvent(host, event);
    const at = Math.max(ready.wakeAt, this.now + HOP_MS);
    if (!host.paused) this.#agenda.schedule(host.tick, at);
  }

  /** The reason that a link is closed for travels in its last frame. */
  #tellDiverged(by: PeerId, to: PeerId): void {
    const { nonce } = this.host(to);
    this.#after(HOP_MS, () => {
      const told = this.host(to);
      if (told.replica === null || told.nonce !== nonce) return;
      this.input(told, { kind: 'refused-as-diverged', by });
    });
  }

  #serveDisk(host: Host): void {
    if (host.diskBusy || host.manualDisk || host.queue.length === 0) return;
    host.diskBusy = true;
    const { nonce } = host;
    this.#after(HOP_MS, () => {
      if (host.nonce !== nonce || !host.diskBusy) return;
      host.diskBusy = false;
      if (!host.manualDisk) this.persist(host, Infinity);
    });
  }

  /** Carries out up to `count` writes of the queue, and the reads behind them. */
  persist(host: Host, count: number): void {
    let upTo = 0;
    let left = count;
    const answers: Input[] = [];
    while (host.queue[0] !== undefined) {
      const [item] = host.queue;
      if (!('ops' in item)) answers.push(answer(host.disk, item));
      else if (left <= 0) break;
      else {
        host.disk.apply(item);
        upTo = item.number;
        left -= 1;
      }
      host.queue.shift();
    }
    if (upTo > 0) this.input(host, { kind: 'persisted', upTo });
    for (const input of answers) this.input(host, input);
  }

  // ---- what is checked over all peers ----------------------------------------------------------

  #deliver(host: Host, entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.seq === host.delivered + 1, `G2: ${host.id} delivers ${describeEntry(entry)}`);
      host.delivered = entry.seq;
      const known = this.canon[entry.seq - 1];
      if (host.spoiled) continue;
      if (known === undefined) this.#addToCanon(host, entry);
      else if (!bytesEqual(known.hash, entry.hash)) {
        const [mine, theirs] = [entry, known].map((each) => describeEntry(each, this.nameOf));
        assert(false, `G1: ${host.id} delivers ${mine}, but ${theirs} is final`);
      }
    }
    const text = entries.map((entry) => `${entry.seq} ${describeContent(entry, this.nameOf)}`);
    if (this.level === 'roles') {
      this.#finals.set(host.id, [...(this.#finals.get(host.id) ?? []), ...text]);
    } else this.show(`${host.id} final ${text.join(', ')}`);
  }

  #addToCanon(host: Host, entry: Entry): void {
    this.canon.push(entry);
    if (entry.kind !== 'message') return;
    const name = this.nameOf(entry.id);
    const sent = this.#sent.get(entry.author) ?? [];
    assert(sent.includes(name), `G3: ${host.id} delivers ${name}, which nobody sent`);
    const text = decodeUtf8(entry.body)?.replace(/\.*$/, '');
    assert(text === name, `G3: ${host.id} delivers ${name} with another body`);
    const final = this.canon
      .filter(({ kind, author }) => kind === 'message' && author === entry.author)
      .map(({ id }) => this.nameOf(id));
    assert(new Set(final).size === final.length, `G3: ${name} is final twice`);
    const inOrder = sent.filter((each) => final.includes(each));
    assert(
      final.join() === inOrder.join(),
      `G5: ${entry.author} sent ${sent.join()}, final ${final.join()}`,
    );
  }

  // ---- what is shown ---------------------------------------------------------------------------

  show(line: string): void {
    if (this.level !== 'none') this.#lines.push(line);
  }

  #showFrame(from: PeerId, to: PeerId, fate: string, message: ProtocolMessage): void {
    const loud = message.kind !== 'heartbeat' && message.kind !== 'addresses';
    if (this.level === 'all' || (this.level === 'frames' && loud)) {
      this.show(`${from}>${to} ${fate}${describeMessage(message, this.nameOf)}`);
    }
  }

  #showEvent(host: Host, event: CoreEvent): void {
    const loud = event.kind !== 'accepted' && event.kind !== 'provisional';
    if (loud || this.level === 'all' || this.level === 'frames') {
      this.show(`${host.id} ${describeEvent(event, this.nameOf)}`);
    }
  }

  /** Everything shown since the last call. */
  takeLines(): string[] {
    this.flushFinals();
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** Shows what became final since the last call; peers that delivered the same share a line. */
  flushFinals(): void {
    const byText = new Map<string, PeerId[]>();
    for (const [id, text] of this.#finals) {
      const [first = '', second = ''] = text;
      const long = text.length > 12;
      const key = long
        ? `${first}, ${second}, …, ${text.at(-1)}, ${text.length} entries`
        : text.join(', ');
      byText.set(key, [...(byText.get(key) ?? []), id]);
    }
    this.#finals.clear();
    for (const [text, ids] of byText) {
      this.show(`final at ${ids.sort((a, b) => a - b).join(' ')}: ${text}`);
    }
  }

  describe(id: PeerId): string {
    const { replica } = this.host(id);
    return replica === null ? 'down' : describeReplica(replica.inspect(), this.nameOf);
  }
}

function memberOf(id: PeerId, version: number): Member {
  const key = new Uint8Array(32).fill(id);
  key[0] = version;
  return { id, key, name: `peer ${id}`, address: `10.0.0.${id}:4000` };
}

function answer(disk: Disk, read: Read): Input {
  const { request } = read;
  return read.kind === 'find-ids'
    ? { kind: 'ids-found', request, found: disk.findIds(read.ids) }
    : { kind: 'entries-read', request, entries: disk.readEntries(read) };
}

function matches(pattern: FramePattern, { from, to, message }: HeldFrame): boolean {
  return (
    (pattern.kind === null || pattern.kind === message.kind) &&
    (pattern.from === null || pattern.from === from) &&
    (pattern.to === null || pattern.to === to)
  );
}

function samePattern(a: FramePattern, b: FramePattern): boolean {
  return a.kind === b.kind && a.from === b.from && a.to === b.to;
}
