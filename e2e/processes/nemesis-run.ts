/**
 * One run of the nemesis: real peers are killed, paused, cut off, slowed down and sent away as a plan
 * says, while all of them send. After each phase everything is mended; the group has to come to rest in
 * a bounded time, and everything that any process ever told has to be sound. The first thing that is
 * wrong ends the run, and the folder with logs, data and plan is kept.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../shared/random.ts';
import { ProxyNetwork } from './chaos-proxy.ts';
import type { Counts } from './histories.ts';
import { Nemesis, type Struck } from './nemesis-faults.ts';
import type { FaultKind, Phase, Plan } from './nemesis-plan.ts';
import { NamespaceNetwork, openNetwork } from './network.ts';
import { SlowDisk } from './slow-disk.ts';
import { Trial } from './trial.ts';
import type { FaultyNetwork } from './wiring.ts';

/** How links are cut: whichever this machine can, or one way only. */
export const networks = {
  auto: openNetwork,
  namespaces: (ids: readonly number[]) => NamespaceNetwork.open(ids),
  proxies: (ids: readonly number[]) => ProxyNetwork.open(ids),
} as const;

/** What to run. */
export interface RunOptions {
  readonly plan: Plan;
  readonly ids: readonly number[];
  readonly network: FaultyNetwork;
  /** Told about every phase. */
  readonly say: (line: string) => void;
  /** Ends the run early, with everything mended and nothing judged. */
  readonly signal?: AbortSignal;
}

/** How a run went. */
export interface Outcome {
  readonly seconds: number;
  /** How often each kind struck. */
  readonly struck: ReadonlyMap<FaultKind, number>;
  readonly counts: Counts;
  /** How long the group took to come to rest after each phase, milliseconds. */
  readonly restMs: readonly number[];
  readonly violations: readonly string[];
  /** Where everything was kept; null when nothing was wrong. */
  readonly folder: string | null;
}

/** Longest time to rest after a phase: a link is found dead in 6 s, and redialled within 2. */
const restMsMax = 45_000;

/** Who lost the lead again and again waits up to a minute before it takes over for good. */
const highestLeadsMsMax = 100_000;

/** How often the checkers look at what was told, milliseconds. */
const checkMs = 250;

/** Carries out a plan. The network stays the caller's to close. */
export async function runNemesis(options: RunOptions): Promise<Outcome> {
  const run = await Run.begin(options);
  try {
    await run.carryOut();
  } catch (error) {
    run.violations.push(String(error));
  }
  return await run.end();
}

class Run {
  readonly violations: string[] = [];
  readonly #options: RunOptions;
  readonly #trial: Trial<FaultyNetwork>;
  readonly #slowDisk: SlowDisk;
  readonly #nemesis: Nemesis;
  readonly #random: Random;
  readonly #struck = new Map<FaultKind, number>();
  readonly #restMs: number[] = [];
  readonly #begun = performance.now();

  static async begin(options: RunOptions): Promise<Run> {
    return new Run(options, await SlowDisk.build());
  }

  private constructor(options: RunOptions, slowDisk: SlowDisk) {
    const { plan, ids, network } = options;
    this.#options = options;
    this.#slowDisk = slowDisk;
    this.#trial = new Trial<FaultyNetwork>(
      {
        ids,
        wiring: () => Promise.resolve(network),
        args: ['--evict-after-ms', String(plan.evictAfterMs)],
        start: (id) => (id === plan.slowPeer ? slowDisk.start : slowDisk.unchanged),
      },
      network,
    );
    this.#nemesis = new Nemesis(this.#trial, { disk: slowDisk, peer: plan.slowPeer });
    this.#random = new Random(plan.seed ^ 0x5e4d);
  }

  async carryOut(): Promise<void> {
    const { plan, ids, signal } = this.#options;
    for (const id of ids) await this.#trial.start(id);
    await this.#rest('highest', restMsMax);
    for (const [i, phase] of plan.phases.entries()) {
      if (this.#isOver()) return;
      const before = total(this.#struck);
      await this.#phase(phase);
      if (signal?.aborted === true || this.violations.length > 0) return;
      const begin = performance.now();
      await this.#rest('any', restMsMax);
      const restMs = performance.now() - begin;
      this.#restMs.push(restMs);
      const { final } = this.#trial.histories.counts();
      this.#options.say(
        `phase ${i + 1}/${plan.phases.length}: ${total(this.#struck) - before} faults, ` +
          `at rest after ${(restMs / 1000).toFixed(1)} s, ${final} messages final`,
      );
    }
    if (this.#isOver()) return;
    await this.#rest('highest', highestLeadsMsMax);
    if (this.#isOver()) return;
    this.violations.push(...(await this.#trial.histories.atRest(this.#trial.cluster.running())));
  }

  #isOver(): boolean {
    return this.violations.length > 0 || this.#options.signal?.aborted === true;
  }

  /** One phase: faults and messages as they are due, then everything mended. */
  async #phase(phase: Phase): Promise<void> {
    const begin = performance.now();
    const now = (): number => performance.now() - begin;
    const faults = [...phase.faults];
    const active: { readonly untilMs: number; readonly struck: Struck }[] = [];
    const mending: Promise<void>[] = [];
    const mend = (struck: Struck): void => {
      this.#log('mend', struck);
      mending.push(
        struck.mend().catch((error: unknown) => {
          this.violations.push(`mending ${struck.kind} ${struck.what}: ${String(error)}`);
        }),
      );
    };
    let checkAt = 0;
    let sendAt = 0;
    while (now() < phase.lastsMs && !this.#isOver()) {
      while (faults[0] !== undefined && faults[0].atMs <= now()) {
        const fault = faults.shift();
        const struck = fault === undefined ? null : this.#strike(fault);
        if (struck !== null && fault !== undefined) {
          active.push({ untilMs: fault.atMs + fault.lastsMs, struck });
        }
      }
      for (const one of active.filter(({ untilMs }) => untilMs <= now())) {
        active.splice(active.indexOf(one), 1);
        mend(one.struck);
      }
      if (sendAt <= now()) {
        this.#send();
        sendAt = now() + (phase.sendEveryMs / this.#trial.ids.length) * 2 * this.#random.unit();
      }
      if (checkAt <= now()) {
        this.#check();
        checkAt = now() + checkMs;
      }
      const due = [faults[0]?.atMs, ...active.map(({ untilMs }) => untilMs), sendAt, checkAt];
      const next = Math.min(phase.lastsMs, ...due.filter((ms) => ms !== undefined));
      await pause(Math.max(0, next - now()));
    }
    for (const { struck } of active) mend(struck);
    await Promise.all(mending);
    this.#options.network.heal();
  }

  #strike(fault: Phase['faults'][number]): Struck | null {
    const struck = this.#nemesis.strike(fault);
    if (struck === null) return null;
    this.#struck.set(struck.kind, (this.#struck.get(struck.kind) ?? 0) + 1);
    this.#log('strike', struck);
    return struck;
  }

  /** One of the peers sends: mostly a line, now and then several at once, or a long one. */
  #send(): void {
    const random = this.#random;
    const reachable = this.#nemesis.reachable();
    if (reachable.length === 0) return;
    const count = random.chance(0.03) ? random.between(5, 30) : 1;
    const padding = random.chance(0.02) ? ` ${'x'.repeat(random.between(1_000, 40_000))}` : '';
    this.#trial.send(random.pick(reachable), count, padding);
  }

  /** What was told is sound so far, and nobody has ended who was not ended. */
  #check(): void {
    this.violations.push(...this.#trial.histories.check());
    for (const id of this.#nemesis.present()) {
      const peer = this.#trial.peer(id);
      if (peer.exit !== null) this.violations.push(`peer ${id} ended by itself`);
    }
  }

  async #rest(leader: 'highest' | 'any', limitMs: number): Promise<void> {
    for (const id of this.#trial.ids) this.#trial.send(id, 1);
    this.#check();
    if (this.violations.length > 0) return;
    this.violations.push(...(await this.#trial.comesToRest(limitMs, leader)));
  }

  /** Ends everything; keeps the folder if something was wrong. */
  async end(): Promise<Outcome> {
    const { cluster, histories } = this.#trial;
    const isSound = this.violations.length === 0;
    await cluster.stop();
    if (isSound) await cluster.close();
    else this.#keep();
    this.#slowDisk.close();
    return {
      seconds: (performance.now() - this.#begun) / 1000,
      struck: this.#struck,
      counts: histories.counts(),
      restMs: this.#restMs,
      violations: this.violations,
      folder: isSound ? null : cluster.home,
    };
  }

  #keep(): void {
    const { home } = this.#trial.cluster;
    const plan = JSON.stringify(this.#options.plan, null, 1);
    writeFileSync(join(home, 'plan.json'), plan);
    writeFileSync(
      join(home, 'violations.txt'),
      `${this.violations.join('\n')}\n\n${this.#trial.cluster.describe()}\n`,
    );
    for (const [id, peer] of this.#trial.cluster.peers) {
      const lines = [...peer.events, ...peer.final].map((event) => JSON.stringify(event));
      writeFileSync(join(home, `peer-${id}.events.jsonl`), lines.join('\n'));
    }
  }

  #log(verb: 'strike' | 'mend', { kind, what }: Struck): void {
    const line = `${new Date().toISOString()} ${verb} ${kind} ${what}\n`;
    appendFileSync(join(this.#trial.cluster.home, 'nemesis.log'), line);
  }
}

function total(struck: ReadonlyMap<FaultKind, number>): number {
  return [...struck.values()].reduce((sum, count) => sum + count, 0);
}
