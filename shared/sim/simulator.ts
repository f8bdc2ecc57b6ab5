/**
 * One run from a seed to a verdict. Safety phase: operations disturb the peers and every event is
 * checked. Liveness phase: everything is healed, and the group must come to rest in bounded time. The
 * same options, core and operations give the same run to the last byte of its log.
 */
import { encodeMembers } from '../protocol/codec.ts';
import { describeReplica } from '../protocol/describe.ts';
import type { Entry } from '../protocol/types.ts';
import type { CoreUnderTest } from './core-under-test.ts';
import type { Coverage } from './coverage.ts';
import { Faults } from './faults.ts';
import { type Actor, type Host, actor } from './host.ts';
import { heal, isNeeded, leaverOf, unrest } from './liveness.ts';
import { type Operation, describeOperation } from './operations.ts';
import type { SimOptions } from './options.ts';
import { Simulation, knownFrom } from './simulation.ts';
import { Violation, type ViolationKind, violated } from './violation.ts';
import { Workload, type OperationSource } from './workload.ts';

/** The group must come to rest this long after everything is healed, simulated milliseconds; see {@link restMs}. */
const REST_MS = 60_000;
/** Nothing stands in the way of a leave when all is quiet, simulated milliseconds. */
const LEAVE_IN_PEACE_MS = 3_000;
/** How often that is looked at, events. */
const LOOK_EVERY = 25;
/** Safety phase of a group in which nothing happens any more, simulated milliseconds. */
const SAFETY_MS_MAX = 600_000;

/** What came of a run. */
export interface Verdict {
  readonly failure: { readonly rule: ViolationKind; readonly message: string } | null;
  /** Simulated time and number of inputs at the end. */
  readonly at: number;
  readonly steps: number;
  /** When everything was healed; null if the run did not come that far. */
  readonly healedAt: number | null;
  /** Every operation carried out, in order: with the options, the whole run. */
  readonly operations: readonly Operation[];
  readonly coverage: Coverage;
  /** How every host stood at the end, for a person who looks into a failure. */
  readonly states: readonly string[];
}

/** How a run departs from what its options say. */
export interface RunSettings {
  /** Where operations come from instead of the seed. */
  readonly source?: OperationSource;
  /** Heals behind everything of this time instead of after a number of events. */
  readonly healAt?: number | undefined;
  /** Looks at everything right before it is healed: what is wrong then, or null. */
  readonly beforeHealing?: (sim: Simulation) => string | null;
  readonly log?: (line: string) => void;
}

/** Runs the schedule of `options` on `core`. Never throws for what the core does. */
export function runSchedule(
  core: CoreUnderTest,
  options: SimOptions,
  settings: RunSettings = {},
): Verdict {
  const run = new Run(core, options, settings);
  const failure = run.attempt();
  return {
    failure,
    at: run.sim.now,
    steps: run.sim.steps,
    healedAt: run.healedAt,
    operations: run.done,
    coverage: run.sim.coverage,
    states: failure === null ? [] : run.sim.hosts.map(describeHost),
  };
}

/** A long history in small frames on slow links takes its time. */
function restMs({ checkers, options }: Simulation): number {
  const { delayMs, diskMs, config } = options;
  const frameMs = 2 * (delayMs[0] + delayMs[1]) + diskMs[0] + diskMs[1];
  return REST_MS + (2 * frameMs * checkers.canonical.length) / config.batchEntries;
}

function describeHost({ index, id, state, folder, replica, disk, links }: Host): string {
  const what =
    replica === null
      ? `disk: ${disk.log.length} entries, final ${disk.mark}, ${disk.pending.size} pending`
      : `${describeReplica(replica.inspect())}, links ${[...links.keys()].join(' ')}`;
  return `#${index}(${id}) ${state}${folder === 'own' ? '' : `, ${folder} folder`}: ${what}`;
}

/** It runs, on a history that nobody has falsified. */
function isSound({ state, folder }: Host): boolean {
  return state === 'up' && folder !== 'spoilt';
}

class Run {
  readonly sim: Simulation;
  readonly done: Operation[] = [];
  healedAt: number | null = null;
  readonly #faults: Faults;
  readonly #source: OperationSource;
  readonly #settings: RunSettings;
  readonly #next: Actor;
  /** Left when all was quiet: nobody may need it. */
  #leaver: Host | null = null;

  constructor(core: CoreUnderTest, options: SimOptions, settings: RunSettings) {
    this.#settings = settings;
    this.#source = settings.source ?? new Workload(options);
    this.sim = new Simulation(core, options, {
      log: settings.log ?? null,
      onSend: (from, to, message) => this.#faults.onSend(from, to, message),
      onStopped: (host) => this.#onStopped(host),
    });
    this.#faults = new Faults(this.sim, (operation) => this.#follow(operation));
    this.#next = actor(() => this.#operate());
  }

  attempt(): Verdict['failure'] {
    try {
      this.#begin();
      this.#safety();
      this.#liveness();
      this.sim.checkers.atRest(this.sim.hosts.filter(isSound));
      return null;
    } catch (error) {
      if (error instanceof Violation) return { rule: error.rule, message: error.message };
      if (error instanceof Error) {
        return { rule: 'assertion', message: error.stack ?? error.message };
      }
      throw error;
    }
  }

  #begin(): void {
    const { sim } = this;
    const { ids, start } = sim.options;
    const members = (start === 'together' ? ids : ids.slice(0, 1)).map((id) => sim.addHost(id));
    const entry = this.#foundingEntry(members);
    sim.checkers.begin(entry);
    for (const host of members) {
      host.disk.apply({
        number: 0,
        ops: [
          { kind: 'promise', epoch: entry.epoch },
          { kind: 'append', entries: [entry] },
          { kind: 'mark', seq: 1 },
        ],
        urgent: true,
      });
      knownFrom(
        members.map(({ self }) => self),
        host.disk,
      );
      sim.start(host, []);
    }
    this.#schedule();
  }

  /** Entry 1, as the founder would write it for a group of all who exist at the start. */
  #foundingEntry(hosts: readonly Host[]): Entry {
    const { core, chainHash, groupHash } = this.sim;
    const founder = hosts[0] as Host;
    const id = '018bcfe5-6800-7000-8000-ffffffffffff';
    const alone = core.found(founder.self, { id, sentAt: 0, chainHash, groupHash });
    const body = encodeMembers(hosts.map(({ self }) => self));
    const together = { ...alone, body };
    return { ...together, hash: chainHash(groupHash, together) };
  }

  #safety(): void {
    const { sim } = this;
    const { healAt } = this.#settings;
    const { steps } = sim.options;
    for (;;) {
      const next = sim.queue.peek();
      const at = next?.at ?? Infinity;
      if (healAt === undefined ? sim.steps >= steps : at > healAt) break;
      if (next === undefined || at > SAFETY_MS_MAX) break;
      this.#dispatch();
    }
    if (healAt !== undefined) sim.now = healAt;
  }

  #liveness(): void {
    const { sim } = this;
    const wrong = this.#settings.beforeHealing?.(sim) ?? null;
    if (wrong !== null) violated('liveness', `before anything is healed: ${wrong}`);
    sim.queue.cancel(this.#next);
    this.healedAt = sim.now;
    sim.hooks.log?.(`${sim.now.toFixed(3).padStart(10)} everything is healed`);
    heal(sim, this.#faults);
    this.#comeToRest(sim.now, () => unrest(sim));
    const inPeace =
      sim.coverage.deadLinks === 0 && !sim.hosts.some(({ folder }) => folder === 'spoilt');
    if (sim.options.leaveAtEnd && inPeace) this.#leaveInPeace();
  }

  /** Goes on until nothing is missing any more, in bounded time. */
  #comeToRest(from: number, missing: () => string | null): void {
    const { sim } = this;
    for (let events = 0; ; events++) {
      if (events % LOOK_EVERY === 0 && missing() === null) return;
      if (sim.queue.size === 0 || sim.now > from + restMs(sim)) {
        violated('liveness', `not at rest after ${restMs(sim)} ms: ${missing()}`);
      }
      this.#dispatch();
    }
  }

  /** One of several peers leaves, mostly the leader; what the others write then is still final. */
  #leaveInPeace(): void {
    const { sim } = this;
    // Whoever was leaving when everything was healed goes first: else two leave at once, and everyone
    // may be gone, which is another story (testdata/membership/first-one-back.txt).
    this.#comeToRest(sim.now, () => leaverOf(sim) ?? unrest(sim));
    const living = sim.hosts.filter(({ state }) => state === 'up').sort((a, b) => b.id - a.id);
    const [leader, ...others] = living;
    const [heir] = others;
    if (leader === undefined || heir === undefined) return;
    this.#leaver = leader.random.chance(0.7) ? leader : leader.random.pick(others);
    const leaver = this.#leaver;
    sim.leave(leaver, LEAVE_IN_PEACE_MS);
    const gone = (): string | null => (leaver.state === 'left' ? null : 'the leaver is still here');
    this.#comeToRest(sim.now, () => gone() ?? unrest(sim));
    const writer = leaver === heir ? leader : heir;
    sim.submit(writer);
    sim.drain(writer);
    this.#comeToRest(sim.now, () => unrest(sim));
  }

  #dispatch(): void {
    const next = this.sim.queue.pop();
    if (next === undefined) return;
    this.sim.now = next.at;
    next.fire();
  }

  #operate(): void {
    const operation = this.#source.take(this.sim.hosts);
    this.done.push(operation);
    this.sim.hooks.log?.(describeOperation(operation));
    this.#faults.apply(operation.act);
    this.#schedule();
  }

  #schedule(): void {
    const at = this.#source.nextAt();
    if (at < Infinity) this.sim.queue.schedule(this.#next, Math.max(at, this.sim.now));
    else this.sim.queue.cancel(this.#next);
  }

  #follow(operation: Operation): void {
    if (this.healedAt !== null) return;
    this.#source.follow(operation);
    this.#schedule();
  }

  /** A process ended by itself: somebody starts it again, mostly. */
  #onStopped(host: Host): void {
    const { random, index } = host;
    if (this.healedAt !== null) {
      if (host !== this.#leaver && isNeeded(this.sim, host)) this.#faults.start(host);
      return;
    }
    if (host.state === 'left' && random.chance(0.5)) return;
    const at = this.sim.now + this.sim.options.config.heartbeatMs * 4 * random.unit();
    this.#follow({ at, act: { kind: 'start', host: index } });
  }
}
