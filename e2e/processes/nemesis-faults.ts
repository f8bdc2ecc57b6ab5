/**
 * Carries faults out on real peers, and mends them. It keeps count of who is down or paused and of which
 * directions are cut by how many faults at once, so that faults may overlap in any way. It judges
 * nothing.
 */
import { ProxyNetwork } from './chaos-proxy.ts';
import { type Fault, type FaultKind } from './nemesis-plan.ts';
import type { SlowDisk } from './slow-disk.ts';
import type { Trial } from './trial.ts';
import { type Direction, type FaultyNetwork, bothWays, oneWay } from './wiring.ts';

/** A fault that has struck. */
export interface Struck {
  readonly kind: FaultKind;
  /** What it hit, for the log. */
  readonly what: string;
  /** Ends it; resolves when whoever was hit takes part again. */
  readonly mend: () => Promise<void>;
}

/** How often a start is tried again because another program has taken the port meanwhile. */
const startsMax = 5;

/** The one that strikes. */
export class Nemesis {
  readonly #trial: Trial<FaultyNetwork>;
  readonly #slowDisk: SlowDisk;
  readonly #slowPeer: number;
  readonly #away = new Map<number, 'down' | 'paused'>();
  readonly #cuts = new Map<string, number>();

  constructor(
    trial: Trial<FaultyNetwork>,
    slow: { readonly disk: SlowDisk; readonly peer: number },
  ) {
    this.#trial = trial;
    this.#slowDisk = slow.disk;
    this.#slowPeer = slow.peer;
  }

  /** Peers that no fault has ended, stopped or sent away. */
  present(): readonly number[] {
    return this.#trial.ids.filter((id) => !this.#away.has(id));
  }

  /** Peers that can be written to: a paused one reads later. */
  reachable(): readonly number[] {
    return this.#trial.ids.filter((id) => this.#away.get(id) !== 'down');
  }

  /** Carries a fault out; null when there is nobody to hit. */
  strike({ kind, draw }: Fault): Struck | null {
    const { ids } = this.#trial;
    const half = ids.filter((_, i) => (((draw % (2 ** ids.length - 2)) + 1) >> i) & 1);
    const others = ids.filter((id) => !half.includes(id));
    const one = at(ids, draw) ?? 0;
    const rest = without(ids, one);
    const two = at(rest, Math.floor(draw / ids.length)) ?? 0;
    switch (kind) {
      case 'kill':
        return this.#kill(kind, at(this.present(), draw));
      case 'kill-leader':
        return this.#kill(kind, this.#leader());
      case 'kill-all':
        return this.#killAll(kind);
      case 'pause':
        return this.#pause(kind, at(this.present(), draw));
      case 'pause-leader':
        return this.#pause(kind, this.#leader());
      case 'leave':
        return this.#leave(at(this.present(), draw));
      case 'split':
        return this.#cut(kind, bothWays(half, others));
      case 'split-leader':
        return this.#splitLeader(draw);
      case 'bridge':
        return this.#cut(kind, bothWays(without(half, one), without(others, one)));
      case 'cut-pair':
        return this.#cut(kind, bothWays([one], [two]));
      case 'cut-one-way':
        return this.#cut(kind, oneWay([one], [two]));
      case 'deaf':
        return this.#cut(kind, oneWay(rest, [one]));
      case 'mute':
        return this.#cut(kind, oneWay([one], rest));
      case 'slow-disk':
        return this.#slow(10 + (draw % 490));
      case 'break':
      case 'slow-link':
        return this.#disturb(kind, [one, two], draw);
    }
  }

  /** Whom most of the present peers followed when they last said so. */
  #leader(): number | undefined {
    const votes = new Map<number, number>();
    for (const id of this.present()) {
      const status = this.#trial.peer(id).events.findLast((event) => event.event === 'status');
      if (typeof status?.leader !== 'number') continue;
      votes.set(status.leader, (votes.get(status.leader) ?? 0) + 1);
    }
    const [leader] = [...votes].toSorted((a, b) => b[1] - a[1])[0] ?? [];
    return leader !== undefined && this.present().includes(leader) ? leader : undefined;
  }

  #kill(kind: FaultKind, id: number | undefined): Struck | null {
    if (id === undefined) return null;
    this.#away.set(id, 'down');
    const gone = this.#trial.peer(id).kill();
    return { kind, what: `${id}`, mend: () => this.#startAgain(id, gone) };
  }

  #killAll(kind: FaultKind): Struck | null {
    const all = this.present().flatMap((id) => this.#kill(kind, id) ?? []);
    if (all.length === 0) return null;
    const mend = async (): Promise<void> => {
      await Promise.all(all.map((struck) => struck.mend()));
    };
    return { kind, what: all.map((struck) => struck.what).join(' '), mend };
  }

  #leave(id: number | undefined): Struck | null {
    if (id === undefined) return null;
    this.#away.set(id, 'down');
    const gone = this.#trial
      .peer(id)
      .quit()
      .then(({ code, signal }) => {
        if (code !== 0) throw new Error(`peer ${id} left with ${code ?? signal}`);
      });
    // Looked at when it is mended; until then nobody waits for it.
    gone.catch(() => undefined);
    return { kind: 'leave', what: `${id}`, mend: () => this.#startAgain(id, gone) };
  }

  async #startAgain(id: number, gone: Promise<unknown>): Promise<void> {
    await gone;
    for (let start = 1; ; start++) {
      try {
        await this.#trial.start(id);
        break;
      } catch (error) {
        if (start === startsMax || !String(error).includes('PORT_IN_USE')) throw error;
      }
    }
    this.#away.delete(id);
  }

  #pause(kind: FaultKind, id: number | undefined): Struck | null {
    if (id === undefined) return null;
    const peer = this.#trial.peer(id);
    this.#away.set(id, 'paused');
    peer.signal('SIGSTOP');
    const mend = (): Promise<void> => {
      peer.signal('SIGCONT');
      this.#away.delete(id);
      return Promise.resolve();
    };
    return { kind, what: `${id}`, mend };
  }

  #cut(kind: FaultKind, cuts: readonly Direction[]): Struck {
    const { network } = this.#trial;
    this.#count(cuts, 1);
    network.cut(cuts);
    const mend = (): Promise<void> => {
      this.#count(cuts, -1);
      network.mend(cuts.filter((cut) => this.#cuts.get(nameOf(cut)) === 0));
      return Promise.resolve();
    };
    return { kind, what: cuts.map(nameOf).join(' '), mend };
  }

  #splitLeader(draw: number): Struck | null {
    const leader = this.#leader();
    if (leader === undefined) return null;
    const others = without(this.#trial.ids, leader);
    const follower = at(others, draw) ?? 0;
    return this.#cut('split-leader', bothWays([leader, follower], without(others, follower)));
  }

  #count(cuts: readonly Direction[], by: 1 | -1): void {
    for (const cut of cuts) {
      this.#cuts.set(nameOf(cut), (this.#cuts.get(nameOf(cut)) ?? 0) + by);
    }
  }

  #slow(ms: number): Struck {
    this.#slowDisk.delay(ms);
    const mend = (): Promise<void> => {
      this.#slowDisk.delay(0);
      return Promise.resolve();
    };
    return { kind: 'slow-disk', what: `${this.#slowPeer} by ${ms} ms`, mend };
  }

  #disturb(kind: FaultKind, [a, b]: readonly [number, number], draw: number): Struck | null {
    const { network } = this.#trial;
    if (!(network instanceof ProxyNetwork)) return null;
    if (kind === 'break') {
      network.reset(a, b);
      return { kind, what: `${a} ${b}`, mend: () => Promise.resolve() };
    }
    const ms = 5 + (draw % 195);
    network.delay(bothWays([a], [b]), ms);
    const mend = (): Promise<void> => {
      network.delay(bothWays([a], [b]), 0);
      return Promise.resolve();
    };
    return { kind, what: `${a} ${b} by ${ms} ms`, mend };
  }
}

/** Undefined only when there is nobody. */
function at(ids: readonly number[], draw: number): number | undefined {
  return ids[draw % ids.length];
}

function without(ids: readonly number[], id: number): readonly number[] {
  return ids.filter((other) => other !== id);
}

function nameOf({ from, to }: Direction): string {
  return `${from}>${to}`;
}
