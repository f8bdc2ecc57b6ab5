/** The simulated network keeps the promises of a TCP connection, however it is broken and blocked. */
import { describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import { Disk } from './disk.ts';
import { EventQueue } from './event-queue.ts';
import { type Actor, Host, actor } from './host.ts';
import { type Item, Network, type Pair } from './network.ts';
import { drawOptions } from './options.ts';
import { memberFor } from './simulation.ts';

const EPOCH = { number: 0, leader: 0 };

/** Two hosts and what arrived at the second, as link changes and numbers. */
class World {
  readonly queue = new EventQueue<Actor>();
  readonly a: Host;
  readonly b: Host;
  readonly pair: Pair;
  readonly network: Network;
  readonly arrived: (string | number)[] = [];
  now = 0;
  #sent = 0;

  constructor(seed: number, verdictMs = 0) {
    const drawn = drawOptions(seed, 100);
    const options = { ...drawn, drop: 0, duplicate: 0, wire: false, verdictMs };
    this.network = new Network(this.queue, options, {
      now: () => this.now,
      receive: (direction, items) => {
        if (direction.to === this.b) this.arrived.push(...items.map(nameOf));
      },
      hello: (host) => ({ ...host.self, promised: EPOCH, nonce: host.nonce }),
      admit: () => true,
    });
    this.a = this.#host(0, seed);
    this.b = this.#host(1, seed);
    this.pair = this.network.pairOf(this.a, this.b) as Pair;
    this.a.wants = new Set([this.b.id]);
    this.network.redial(this.a);
  }

  #host(index: number, seed: number): Host {
    const none = (): Actor => actor(() => {});
    const host = new Host(index, memberFor(index + 1, index), {
      disk: new Disk(new Uint8Array(8)),
      random: new Random(seed + index),
      timers: { tick: none(), disk: none(), read: none(), turn: none(), leave: none() },
    });
    host.state = 'up';
    this.network.addHost(host);
    return host;
  }

  send(): void {
    this.#sent += 1;
    this.network.send(this.a, this.b.id, { kind: 'answer', round: this.#sent });
  }

  run(until: number): void {
    for (let next = this.queue.peek(); next !== undefined && next.at <= until;) {
      this.queue.pop();
      this.now = next.at;
      next.fire();
      next = this.queue.peek();
    }
    this.now = until;
  }
}

function nameOf(item: Item): string | number {
  return item.kind === 'answer' ? item.round : item.kind;
}

describe('a connection', () => {
  test('carries frames in order', () => {
    const world = new World(1);
    world.run(1_000);
    for (let i = 0; i < 50; i++) world.send();
    world.run(3_000);
    expect(world.arrived).toEqual(['link-up', ...Array.from({ length: 50 }, (_, i) => i + 1)]);
  });

  test('holds back what is sent while it is blocked, and lets through what was on its way', () => {
    const world = new World(2);
    world.run(1_000);
    world.send();
    world.network.block(world.pair.ab, { now: false, breaks: false });
    world.send();
    world.run(5_000);
    expect(world.arrived).toEqual(['link-up', 1]);
    world.network.unblock(world.pair.ab);
    world.run(6_000);
    expect(world.arrived).toEqual(['link-up', 1, 2]);
  });

  test('ends once for each time it came up, and loses only a suffix, whatever befalls it', () => {
    for (let seed = 0; seed < 200; seed++) {
      const world = new World(seed);
      disturbOften(world, seed);
      expect(broken(world.arrived)).toBeNull();
      expect(world.pair.up).toBe(true);
    }
  });

  test('is replaced without a word by one that comes up before its end is reported', () => {
    let replaced = 0;
    for (let seed = 0; seed < 50; seed++) {
      const world = new World(seed, 300);
      disturbOften(world, seed);
      expect(broken(world.arrived)).toBeOneOf([null, 'link-up twice']);
      if (broken(world.arrived) !== null) replaced++;
      expect(world.pair.up).toBe(true);
    }
    expect(replaced).toBeGreaterThan(5);
  });
});

function disturbOften(world: World, seed: number): void {
  const random = new Random(seed);
  for (let step = 0; step < 60; step++) {
    disturb(world, random);
    world.run(world.now + random.unit() * 40);
  }
  world.network.heal(false);
  world.run(world.now + 10_000);
}

function disturb(world: World, random: Random): void {
  const { network, pair } = world;
  const direction = random.pick([pair.ab, pair.ba]);
  const draw = random.below(12);
  if (draw === 0) network.breakLink(pair);
  else if (draw === 1) network.block(direction, { now: random.chance(0.5), breaks: true });
  else if (draw === 2) network.block(direction, { now: random.chance(0.5), breaks: false });
  else if (draw === 3) network.unblock(direction);
  else if (draw === 4) network.refuse(pair, random.pick([world.a, world.b]), 'ROLLED_BACK');
  else for (let i = 0; i < draw; i++) world.send();
}

/** The first thing that a connection must not do; null when there is none. */
function broken(arrived: readonly (string | number)[]): string | null {
  let up = false;
  let last = 0;
  for (const item of arrived) {
    if (item === 'link-up' || item === 'link-down') {
      if (up === (item === 'link-up')) return `${item} twice`;
      up = !up;
    } else if (!up) return `frame ${item} without a link`;
    else if (Number(item) <= last) return `frame ${item} after ${last}`;
    else last = Number(item);
  }
  return null;
}
