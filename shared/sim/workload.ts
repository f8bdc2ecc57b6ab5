/**
 * Draws what people and misfortune do in a run, one operation at a time, with a look at who is up, so
 * that most operations make sense. What was drawn is recorded as plain data; a recorded list is played
 * again without any drawing. It never touches a host: faults.ts carries operations out.
 */
import type { ProtocolMessage } from '../protocol/messages.ts';
import { compareEpochs } from '../protocol/types.ts';
import { Random } from '../random.ts';
import type { Host } from './host.ts';
import type { Act, Operation, TrapAct } from './operations.ts';
import type { FaultWeights, SimOptions } from './options.ts';

/** Where the operations of a run come from. */
export interface OperationSource {
  /** Time of the next one; Infinity after the last. */
  readonly nextAt: () => number;
  /** The next one. */
  readonly take: (hosts: readonly Host[]) => Operation;
  /** An operation follows from what happened; a recorded list has it already. */
  readonly follow: (operation: Operation) => void;
}

/** Plays a recorded list. */
export function recorded(operations: readonly Operation[]): OperationSource {
  let next = 0;
  return {
    nextAt: () => operations[next]?.at ?? Infinity,
    take: () => operations[next++] as Operation,
    follow: () => {},
  };
}

/** Message kinds at which a trap can spring, the decisive ones more often. */
const TRAP_KINDS: readonly ProtocolMessage['kind'][] = [
  ...(['prepare', 'promise', 'coordinator', 'accept', 'ack'] as const),
  ...(['prepare', 'promise', 'coordinator', 'accept', 'ack'] as const),
  ...(['election', 'support', 'answer', 'refuse', 'reject', 'submit', 'tentative'] as const),
  ...(['fetch', 'entries', 'behind', 'join', 'leave', 'offer', 'want'] as const),
];

const TRAP_ACTS: readonly TrapAct[] = [
  'kill-sender',
  'kill-sender',
  'kill-receiver',
  'pause-sender',
  'pause-receiver',
  'block',
  'block',
  'isolate-sender',
  'isolate-sender',
  'break-link',
  'submit',
];

type Fault = keyof FaultWeights;

/** Draws operations from the seed of the run. */
export class Workload implements OperationSource {
  readonly #random: Random;
  readonly #options: SimOptions;
  /** Operations that undo or continue earlier ones, by time. */
  readonly #agenda: Operation[] = [];
  readonly #faults: readonly Fault[];
  #drawAt: number;
  #joined = 0;
  #joinableId: number;

  constructor(options: SimOptions) {
    this.#options = options;
    this.#random = new Random(options.seed ^ 0x5bd1_e995);
    this.#faults = Object.entries(options.weights).flatMap(([name, weight]) =>
      Array<Fault>(weight).fill(name as Fault),
    );
    this.#drawAt = this.#gap();
    this.#joinableId = Math.max(...options.ids) + 1;
    if (options.start === 'joining') this.#joinTheFounder();
  }

  nextAt(): number {
    return Math.min(this.#drawAt, this.#agenda[0]?.at ?? Infinity);
  }

  take(hosts: readonly Host[]): Operation {
    const follower = this.#agenda[0];
    if (follower !== undefined && follower.at <= this.#drawAt) {
      this.#agenda.shift();
      return follower;
    }
    const at = this.#drawAt;
    this.#drawAt = at + this.#gap();
    return { at, act: this.#draw(at, hosts) };
  }

  follow(operation: Operation): void {
    let i = this.#agenda.length;
    while (i > 0 && (this.#agenda[i - 1] as Operation).at > operation.at) i--;
    this.#agenda.splice(i, 0, operation);
  }

  #joinTheFounder(): void {
    const [founder, ...others] = this.#options.ids;
    others.forEach((id, i) => {
      const seeds = [founder as number];
      this.follow({ at: (i + 1) * this.#gap(), act: { kind: 'join', id, seeds } });
    });
  }

  #gap(): number {
    return this.#options.gapMs * 2 * this.#random.unit() + 0.01;
  }

  /** A time that faults last: mostly short, at times long enough for an eviction. */
  #while(): number {
    const { heartbeatMs, evictAfterMs } = this.#options.config;
    const random = this.#random;
    if (random.chance(0.05)) return evictAfterMs * (1 + random.unit());
    return heartbeatMs * random.pick([0.2, 2, 8]) * (0.5 + random.unit());
  }

  #then(at: number, act: Act): void {
    this.follow({ at, act });
  }

  #pick(hosts: readonly Host[], fits: (host: Host) => boolean): Host | undefined {
    const able = hosts.filter(fits);
    const leaders = able.filter((host) => host.led !== null);
    if (leaders.length > 0 && this.#random.chance(0.35)) return this.#random.pick(leaders);
    return able.length > 0 ? this.#random.pick(able) : undefined;
  }

  #draw(at: number, hosts: readonly Host[]): Act {
    const random = this.#random;
    const up = this.#pick(hosts, (host) => host.state === 'up');
    if (up === undefined || (hosts.some((host) => host.state === 'down') && random.chance(0.05))) {
      const down = this.#pick(hosts, (host) => host.state === 'down') ?? (hosts[0] as Host);
      return { kind: 'start', host: down.index };
    }
    const host = up.index;
    const fault = random.pick(this.#faults);
    switch (fault) {
      case 'submit':
        return { kind: 'submit', host, count: random.pick([1, 1, 1, 3, 20]) };
      case 'kill':
      case 'power':
        this.#then(at + this.#while(), { kind: 'start', host });
        return this.#crash(up, fault === 'power');
      case 'pause':
        this.#then(at + this.#while(), { kind: 'resume', host });
        return { kind: 'pause', host };
      case 'partition':
      case 'oneWay':
        return this.#partition(at, hosts, fault === 'oneWay');
      case 'breakLink':
        return this.#flap(at, hosts, host);
      case 'slowDisk':
        this.#then(at + this.#while(), { kind: 'slow-disk', host, factor: 1 });
        return { kind: 'slow-disk', host, factor: random.pick([5, 30, 100]) };
      case 'fullDisk':
        return { kind: 'full-disk', host };
      case 'wallJump':
        return { kind: 'wall-jump', host, byMs: random.between(-10_000_000, 10_000_000) };
      case 'rename':
        return { kind: 'rename', host };
      default:
        return this.#drawRare(at, hosts, { up, fault });
    }
  }

  #drawRare(
    at: number,
    hosts: readonly Host[],
    { up, fault }: { readonly up: Host; readonly fault: Fault },
  ): Act {
    const host = up.index;
    switch (fault) {
      case 'join':
        return this.#join(hosts, host);
      case 'leave':
        return { kind: 'leave', host };
      case 'restore':
        return this.#restore(at, hosts, up);
      case 'wipe':
        this.#then(at + this.#while(), { kind: 'wipe', host });
        return this.#crash(up, this.#random.chance(0.5));
      case 'copy':
        return { kind: 'copy', host };
      default:
        return this.#trap(hosts);
    }
  }

  /**
   * A copy is taken, the promises rise, everyone hears so in a new HELLO, the machine goes down and comes
   * back with the copy: the steps are drawn one at a time, as far as the run has come.
   */
  #restore(at: number, hosts: readonly Host[], up: Host): Act {
    const kept = hosts.find(({ state, snapshot }) => state === 'up' && snapshot !== null);
    if (kept?.snapshot === undefined || kept.snapshot === null) {
      return { kind: 'snapshot', host: up.index };
    }
    if (compareEpochs(kept.disk.promised, kept.snapshot.promised) <= 0) {
      const leader = hosts.find(({ led }) => led !== null) ?? up;
      this.#then(at + this.#while(), { kind: 'start', host: leader.index });
      return this.#crash(leader, false);
    }
    const [a, ...others] = hosts.filter(({ id }) => id !== kept.id).map(({ index }) => index);
    for (const b of others) this.#then(at, { kind: 'break', a: kept.index, b });
    const downAt = at + 4 * (this.#options.redialMs + this.#options.delayMs[1]);
    this.#then(downAt, { kind: 'crash', host: kept.index, power: false, survivors: 1_000 });
    this.#then(downAt + this.#while(), { kind: 'restore', host: kept.index });
    return { kind: 'break', a: kept.index, b: a ?? kept.index };
  }

  #crash(host: Host, power: boolean): Act {
    const survivors = this.#random.below((host.queue?.length ?? 0) + 1);
    return { kind: 'crash', host: host.index, power, survivors };
  }

  #partition(at: number, hosts: readonly Host[], oneWay: boolean): Act {
    const random = this.#random;
    const all = hosts.map((host) => host.index);
    const breaks = random.chance(0.5);
    const now = random.chance(0.5);
    const leader = hosts.find(({ led }) => led !== null);
    // Half of the time it is the leader that is cut off, with few others: so two lead at once.
    const cutOff = leader !== undefined && random.chance(0.5) ? leader.index : -1;
    const from = all.filter((host) => host === cutOff || random.chance(cutOff < 0 ? 0.5 : 0.2));
    const to = oneWay ? [random.pick(all)] : all.filter((host) => !from.includes(host));
    const until = at + this.#while();
    this.#then(until, { kind: 'unblock', from, to });
    if (!oneWay) {
      this.#then(at, { kind: 'block', from: to, to: from, now, breaks });
      this.#then(until, { kind: 'unblock', from: to, to: from });
    }
    return { kind: 'block', from, to, now, breaks };
  }

  #flap(at: number, hosts: readonly Host[], a: number): Act {
    const random = this.#random;
    const b = random.pick(hosts).index;
    const times = random.pick([0, 0, 0, 4]);
    for (let i = 1; i <= times; i++) {
      this.#then(at + i * this.#options.redialMs * 3 * random.unit(), { kind: 'break', a, b });
    }
    return { kind: 'break', a, b };
  }

  #join(hosts: readonly Host[], seed: number): Act {
    if (this.#joined >= this.#options.joinersMax) {
      return { kind: 'submit', host: seed, count: 1 };
    }
    this.#joined += 1;
    // Ids below and above the others, so that a joiner is sometimes the new highest.
    const taken = new Set(hosts.map((host) => host.id));
    let id = this.#random.between(1, this.#joinableId);
    while (taken.has(id)) id++;
    return { kind: 'join', id, seeds: [(hosts[seed] as Host).id] };
  }

  #trap(hosts: readonly Host[]): Act {
    const random = this.#random;
    const anyone = random.chance(0.7);
    return {
      kind: 'trap',
      message: random.pick(TRAP_KINDS),
      sender: anyone ? -1 : random.pick(hosts).index,
      receiver: random.chance(0.7) ? -1 : random.pick(hosts).index,
      nth: random.pick([1, 1, 1, 2, 3, 5]),
      act: random.pick(TRAP_ACTS),
      forMs: this.#while(),
    };
  }
}
