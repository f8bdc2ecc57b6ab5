/**
 * Carries operations out on the simulated machines. An operation that makes no sense now does nothing,
 * because a list from which some were left out must still be playable. Faults that nobody could tell
 * from a sound peer, and that the specification therefore excludes, are not carried out either.
 */
import type { ProtocolMessage } from '../protocol/messages.ts';
import { type PeerId, bytesEqual, compareEpochs } from '../protocol/types.ts';
import { isQuorum } from './checkers.ts';
import { Disk } from './disk.ts';
import type { Host } from './host.ts';
import type { Act, Operation } from './operations.ts';
import { type Simulation, memberFor } from './simulation.ts';

/** By what is on this disk, the host decides without anybody else. */
function isQuorumAlone({ id }: Host, disk: Disk): boolean {
  return disk.lists().some(({ members }) => isQuorum(members, (member) => member.id === id));
}

type Trap = Extract<Act, { kind: 'trap' }>;

/** A trap that waits. */
interface SetTrap {
  readonly trap: Trap;
  left: number;
}

function isMeant({ carries }: Trap, message: ProtocolMessage): boolean {
  if (carries === undefined) return true;
  return message.kind === 'accept' && message.entries.some((entry) => entry.kind === carries);
}

/** What happens to the machines of one run. */
export class Faults {
  readonly #sim: Simulation;
  /** An operation follows from what happened. */
  readonly #follow: (operation: Operation) => void;
  #traps: SetTrap[] = [];

  constructor(sim: Simulation, follow: (operation: Operation) => void) {
    this.#sim = sim;
    this.#follow = follow;
  }

  /** Carries one operation out. */
  apply(act: Act): void {
    const sim = this.#sim;
    switch (act.kind) {
      case 'block':
        this.#eachDirection(act, (direction) => sim.network.block(direction, act));
        return;
      case 'unblock':
        this.#eachDirection(act, (direction) => sim.network.unblock(direction));
        return;
      case 'break': {
        const [a, b] = [sim.hosts[act.a], sim.hosts[act.b]];
        const pair = a !== undefined && b !== undefined ? sim.network.pairOf(a, b) : undefined;
        if (pair !== undefined) sim.network.breakLink(pair);
        return;
      }
      case 'join':
        this.#join(act.id, act.seeds);
        return;
      case 'trap':
        this.#traps.push({ trap: act, left: act.nth });
        return;
      default: {
        const host = sim.hosts[act.host];
        if (host !== undefined) this.#applyTo(host, act);
      }
    }
  }

  #applyTo(host: Host, act: Extract<Act, { readonly host: number }>): void {
    const sim = this.#sim;
    switch (act.kind) {
      case 'submit':
        for (let i = 0; i < act.count; i++) sim.submit(host);
        sim.drain(host);
        break;
      case 'crash':
        sim.crash(host, act);
        break;
      case 'start':
        this.start(host);
        break;
      case 'pause':
        sim.pause(host);
        break;
      case 'resume':
        sim.resume(host);
        break;
      case 'slow-disk':
        host.slowFactor = act.factor;
        break;
      case 'full-disk':
        host.diskFull = host.running;
        break;
      case 'wall-jump':
        host.wallOffset += act.byMs;
        break;
      case 'leave':
        if (host.folder === 'own') sim.leave(host);
        break;
      case 'rename':
        this.#rename(host);
        break;
      default:
        this.#changeFolder(host, act.kind);
    }
  }

  #changeFolder(
    host: Host,
    kind: 'snapshot' | 'restore' | 'wipe' | 'new-key' | 'copy' | 'spoil',
  ): void {
    switch (kind) {
      case 'snapshot':
        if (host.folder === 'own') host.snapshot = host.disk.clone();
        break;
      case 'restore':
        this.#restore(host);
        break;
      case 'wipe':
        this.#wipe(host);
        break;
      case 'new-key':
        if (host.state === 'down' && host.folder === 'own') this.#startEmpty(host);
        break;
      case 'copy':
        this.#copy(host);
        break;
      case 'spoil':
        this.#spoil(host);
        break;
    }
  }

  /** No trap springs any more. */
  disarm(): void {
    this.#traps = [];
  }

  /** Starts a process again, on the machine's own folder. */
  start(host: Host): void {
    if (host.running || host.folder === 'copied') return;
    const { ownFolder } = host;
    if (ownFolder !== null && host.folder === 'empty' && this.#isBoundTo(host)) {
      // The new key was listed before the old one: what lies in the cupboard is of no use any more.
      this.#sim.checkers.forget(({ key }) => bytesEqual(key, ownFolder.self.key));
      host.ownFolder = null;
      host.folder = 'own';
    } else if (ownFolder !== null) {
      host.disk = ownFolder.disk;
      host.self = ownFolder.self;
      host.ownFolder = null;
      host.folder = 'own';
    }
    // A peer that never got into a group still has the seeds it was given.
    const others = this.#sim.hosts.filter((other) => other.id !== host.id);
    const seeds = host.disk.log.length === 0 ? others.map(({ id }) => id) : [];
    this.#sim.start(host, seeds);
  }

  #isBoundTo({ id, self }: Host): boolean {
    const bound = this.#sim.checkers.boundKey(id);
    return bound !== undefined && bytesEqual(bound, self.key);
  }

  #join(id: PeerId, seeds: readonly PeerId[]): void {
    // Who remembers nothing would help an old copy to promises that nobody can tell from its own.
    if (this.#sim.hosts.some(({ folder }) => folder === 'old')) return;
    const sim = this.#sim;
    if (sim.hosts.some((host) => host.id === id)) return;
    sim.coverage.joined++;
    sim.start(sim.addHost(id), seeds);
  }

  #rename(host: Host): void {
    if (host.state !== 'up') return;
    const name = host.self.name.endsWith('!') ? `peer ${host.id}` : `${host.self.name}!`;
    host.self = { ...host.self, name };
    this.#sim.give(host, { kind: 'rename', name });
    this.#sim.drain(host);
  }

  /**
   * Puts the old copy in, where everyone can tell by a higher promise that this machine reported, and
   * where it is no quorum by itself; otherwise nobody could tell, and the machine starts as it was. Of two
   * old copies neither remembers what the other one promised since.
   */
  #restore(host: Host): void {
    if (host.state !== 'down' || host.folder !== 'own') return;
    const { snapshot } = host;
    if (snapshot === null || !this.#isTellable(host, snapshot)) {
      this.start(host);
      return;
    }
    host.ownFolder = { disk: host.disk, self: host.self };
    host.disk = snapshot.clone();
    host.folder = 'old';
    this.#sim.coverage.restored++;
    this.#sim.start(host, []);
  }

  #isTellable(host: Host, snapshot: Disk): boolean {
    if (snapshot.log.length === 0 || isQuorumAlone(host, snapshot)) return false;
    if (this.#sim.hosts.some(({ folder }) => folder === 'old')) return false;
    return this.#sim.hosts.every((other) => {
      if (other === host || other.folder === 'copied') return true;
      const known = other.disk.known.get(host.id);
      return known !== undefined && compareEpochs(known.promised, snapshot.promised) > 0;
    });
  }

  /** A new key under the same id: refused for an id that is bound. */
  #wipe(host: Host): void {
    if (host.state !== 'down' || host.folder !== 'own') return;
    if (this.#sim.options.amnesia) {
      host.disk = new Disk(this.#sim.groupHash);
      this.#sim.checkers.forget(({ author }) => author === host.id);
      this.start(host);
      return;
    }
    if (!this.#sim.checkers.isBound(host.id)) {
      this.start(host);
      return;
    }
    this.#startEmpty(host);
  }

  #startEmpty(host: Host): void {
    host.ownFolder = { disk: host.disk, self: host.self };
    host.disk = new Disk(this.#sim.groupHash);
    host.self = memberFor(host.id, 1_000 + host.process);
    host.folder = 'empty';
    const others = this.#sim.hosts.filter((other) => other.id !== host.id);
    this.#sim.start(
      host,
      others.map(({ id }) => id),
    );
  }

  /** What it alone holds is lost, and nobody is promised anything of it any more. */
  #spoil(host: Host): void {
    if (host.state !== 'down' || host.folder !== 'own') return;
    host.disk.falsify(host.disk.mark, this.#sim.chainHash);
    host.folder = 'spoilt';
    this.#sim.checkers.forget(({ key }) => bytesEqual(key, host.self.key));
  }

  /** A second machine with the same folder, while everyone who is up is linked with the first. */
  #copy(host: Host): void {
    const sim = this.#sim;
    if (host.state !== 'up' || host.folder !== 'own') return;
    const seen = sim.hosts.every(
      (other) =>
        other === host ||
        other.id === host.id ||
        (other.state === 'up' &&
          other.links.get(host.id)?.pair.up === true &&
          bytesEqual(other.links.get(host.id)?.to.self.key ?? new Uint8Array(0), host.self.key)),
    );
    if (!seen || sim.hosts.length < 2 || isQuorumAlone(host, host.disk)) return;
    const copy = sim.addHost(host.id);
    copy.self = host.self;
    copy.disk = host.disk.clone();
    copy.folder = 'copied';
    sim.start(
      copy,
      sim.hosts.map(({ id }) => id),
    );
  }

  #eachDirection(
    { from, to }: { readonly from: readonly number[]; readonly to: readonly number[] },
    act: (direction: Parameters<Simulation['network']['unblock']>[0]) => void,
  ): void {
    for (const direction of this.#sim.network.directions()) {
      if (from.includes(direction.from.index) && to.includes(direction.to.index)) act(direction);
    }
  }

  /** Springs a trap, if one waits for this message; false if the sender does not live to send it. */
  onSend(from: Host, to: PeerId, message: ProtocolMessage): boolean {
    if (this.#traps.length === 0) return true;
    const receiver = from.links.get(to)?.to;
    if (receiver === undefined) return true;
    const { kind } = message;
    for (const waiting of this.#traps) {
      const { trap } = waiting;
      if (trap.message !== kind || !isMeant(trap, message)) continue;
      if (trap.sender !== -1 && trap.sender !== from.index) continue;
      if (trap.receiver !== -1 && trap.receiver !== receiver.index) continue;
      waiting.left -= 1;
      if (waiting.left > 0) continue;
      this.#traps = this.#traps.filter((each) => each !== waiting);
      this.#sim.coverage.traps++;
      return this.#spring(trap, from, receiver);
    }
    return true;
  }

  #spring(trap: Trap, from: Host, to: Host): boolean {
    const sim = this.#sim;
    const until = sim.now + trap.forMs;
    const [sender, receiver] = [from.index, to.index];
    for (const act of trap.also ?? []) this.apply(act);
    switch (trap.act) {
      case 'none':
        return from.state === 'up';
      case 'kill-sender':
        sim.crash(from, { power: false, survivors: 0 });
        this.#follow({ at: until, act: { kind: 'start', host: sender } });
        return false;
      case 'kill-receiver':
        sim.crash(to, { power: true, survivors: 0 });
        this.#follow({ at: until, act: { kind: 'start', host: receiver } });
        return true;
      case 'pause-sender':
        sim.pause(from);
        this.#follow({ at: until, act: { kind: 'resume', host: sender } });
        return true;
      case 'pause-receiver':
        sim.pause(to);
        this.#follow({ at: until, act: { kind: 'resume', host: receiver } });
        return true;
      case 'block':
        this.#blockFor(until, [sender], [receiver]);
        return true;
      case 'isolate-sender':
        this.#blockFor(
          until,
          [sender],
          sim.hosts.map(({ index }) => index),
        );
        return true;
      case 'break-link':
        this.apply({ kind: 'break', a: sender, b: receiver });
        return true;
      case 'submit':
        this.#follow({ at: sim.now, act: { kind: 'submit', host: sender, count: 1 } });
        return true;
    }
  }

  #blockFor(until: number, from: readonly number[], to: readonly number[]): void {
    this.apply({ kind: 'block', from, to, now: false, breaks: false });
    this.#follow({ at: until, act: { kind: 'unblock', from, to } });
  }
}
