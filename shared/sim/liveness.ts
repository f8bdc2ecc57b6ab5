/**
 * The second half of a run: everything is healed, and then the group must come to rest within a bound.
 * At rest means: everyone who lives is listed and follows the highest of them, every log is final to its
 * end and equal, nothing waits, and what was accepted has its one final place.
 */
import type { Checkers, Submission } from './checkers.ts';
import { isQuorum } from './checkers.ts';
import type { Faults } from './faults.ts';
import type { Host } from './host.ts';
import type { Pair } from './network.ts';
import type { Simulation } from './simulation.ts';
import { type MembersList, type PeerId, bytesEqual } from '../protocol/types.ts';

/** Undoes every fault; some members that are down may stay down. */
export function heal(sim: Simulation, faults: Faults): void {
  const { hosts, network, options } = sim;
  faults.disarm();
  for (const host of hosts) {
    host.slowFactor = 1;
    host.diskFull = false;
    if (host.state === 'paused') sim.resume(host);
    if (host.running && !isOwn(host)) sim.crash(host, { power: false, survivors: 0 });
  }
  const leaving = hosts.some((host) => isLeaving(host));
  const mayStayDead = options.leaveDead && !leaving && !mayWaitForSecond(sim);
  const dead = mayStayDead ? spared(hosts) : new Set<Host>();
  for (const host of hosts) {
    if (!dead.has(host) && isNeeded(sim, host)) faults.start(host);
  }
  for (const host of hosts) {
    // Whoever never got into the group is told of everyone: the only peer that it has met may be gone.
    if (host.running && !sim.checkers.isBound(host.id)) {
      host.wants = new Set(hosts.map(({ id }) => id));
    }
  }
  network.heal(options.drop > 0 || options.duplicate > 0);
  if (options.deadLink && dead.size === 0) cutOneLink(sim);
  forgetLost(sim, dead);
  for (const host of hosts) {
    if (host.state !== 'up' || isLeaving(host)) continue;
    sim.submit(host);
    sim.drain(host);
  }
}

/** The machine has its own data, whatever became of it. */
function isOwn({ folder }: Host): boolean {
  return folder === 'own' || folder === 'spoilt';
}

/**
 * A group of one that is just adding a higher peer, which its last frames may outlive, waits for it: a known
 * limit.
 */
function mayWaitForSecond({ checkers }: Simulation): boolean {
  return checkers.list.members.length < 2;
}

/** Cuts a link for good, where a leader can do without it. */
function cutOneLink(sim: Simulation): void {
  const { hosts, network, coverage } = sim;
  const living = hosts.filter((host) => host.state === 'up' && !isLeaving(host));
  const [first] = living;
  if (first === undefined || living.length < 3) return;
  if (mayWaitForSecond(sim)) return;
  const { random } = first;
  const a = random.pick(living);
  const b = random.pick(living.filter((host) => host !== a));
  const pair = network.pairOf(a, b);
  if (pair === undefined || !canLeadWithout(hosts, living, pair)) return;
  coverage.deadLinks++;
  network.block(pair.ab, { now: true, breaks: true });
  if (random.chance(0.7)) network.block(pair.ba, { now: true, breaks: true });
}

/** Somebody in every list that may be in effect still reaches a quorum of each directly. */
function canLeadWithout(all: readonly Host[], living: readonly Host[], { a, b }: Pair): boolean {
  const lists = all.flatMap(listsOf);
  return living.some((center) => {
    const reaches = (id: PeerId): boolean =>
      living.some((host) => {
        const isCut = (center === a && host === b) || (center === b && host === a);
        return host.id === id && !isCut;
      });
    return lists.every(
      ({ members }) =>
        members.some(({ id }) => id === center.id) && isQuorum(members, ({ id }) => reaches(id)),
    );
  });
}

function isLeaving(host: Host): boolean {
  return host.timers.leave.slot >= 0;
}

/**
 * Who left stays away, unless it is needed: for its own messages, because it was the last, or because a
 * list that others cannot make final without it was written while it went.
 */
export function isNeeded(sim: Simulation, host: Host): boolean {
  if (host.state !== 'left') return true;
  const { checkers, hosts } = sim;
  const lists = hosts.flatMap((other) => (other === host ? [] : other.disk.listsInEffect()));
  for (const { members } of [checkers.list, ...lists]) {
    if (members.some(({ id }) => id === host.id)) return true;
  }
  for (const submission of checkers.open.values()) if (isBy(submission, host)) return true;
  return false;
}

function isBy(submission: Submission, host: Host): boolean {
  const self = host.ownFolder?.self ?? host.self;
  return submission.author === host.id && bytesEqual(submission.key, self.key);
}

/** The lists that may be in effect for a host, queued ones included. */
function listsOf(host: Host): readonly MembersList[] {
  const disk = host.ownFolder?.disk ?? host.disk;
  return [...disk.lists(), ...(host.replica?.inspect().lists ?? [])];
}

/** Hosts that can stay down: every list that may be in effect anywhere keeps a quorum of the others. */
function spared(hosts: readonly Host[]): Set<Host> {
  const lists = hosts.flatMap(listsOf);
  const dead = new Set<Host>();
  for (const host of hosts) {
    if (host.state !== 'down') continue;
    const alive = (id: number): boolean =>
      hosts.some(
        (other) =>
          other.id === id &&
          other !== host &&
          other.folder !== 'copied' &&
          other.state !== 'left' &&
          !dead.has(other),
      );
    if (lists.every(({ members }) => isQuorum(members, ({ id }) => alive(id)))) dead.add(host);
  }
  return dead;
}

/** What only a dead disk holds is not promised to anybody. */
function forgetLost({ hosts, checkers }: Simulation, dead: ReadonlySet<Host>): void {
  checkers.forget((submission) => {
    const gone = [...dead].some((host) => isBy(submission, host));
    if (!gone) return false;
    return !hosts.some(({ running, disk }) => running && isHeld(disk, submission));
  });
}

function isHeld(disk: Host['disk'], { id }: Submission): boolean {
  return disk.pending.has(id) || disk.seqs.has(id);
}

/** Who has asked to leave and is still here; null if nobody. */
export function leaverOf({ hosts }: Simulation): string | null {
  const leaver = hosts.find((host) => host.state === 'up' && isLeaving(host));
  return leaver === undefined ? null : `host ${leaver.index} has not left`;
}

/** Null when the group has come to rest, else what is still missing. */
export function unrest(sim: Simulation): string | null {
  const { checkers, coverage } = sim;
  const living = sim.hosts.filter((host) => host.state === 'up' && host.folder !== 'spoilt');
  const highest = Math.max(...living.map(({ id }) => id));
  const open = checkers.open.values().next().value;
  if (open !== undefined) return `message ${open.id} of peer ${open.author} is not final`;
  for (const host of living) {
    const missing = unrestOfLog(host, checkers);
    if (missing !== null) return `host ${host.index}: ${missing}`;
  }
  if (coverage.deadLinks > 0) {
    // Who leads, and who is listed, depends on which link is dead.
    const leading = living.filter(({ led }) => led !== null).length;
    return leading === 1 ? null : `${leading} lead`;
  }
  for (const host of living) {
    const missing = unrestOfRole(host, highest);
    if (missing !== null) return `host ${host.index}: ${missing}`;
  }
  // Who has stopped may be heard by somebody and stay listed: it counts for nothing but its own vote.
  const spoilt = new Set(sim.hosts.filter(({ folder }) => folder === 'spoilt').map(({ id }) => id));
  const listed = checkers.list.members
    .map(({ id }) => id)
    .filter((id) => !spoilt.has(id))
    .join();
  const expected = living
    .map(({ id }) => id)
    .sort((a, b) => a - b)
    .join();
  if (listed !== expected) return `listed ${listed}, living ${expected}`;
  return sim.hosts.some((host) => host.state === 'refused' && host.folder !== 'copied')
    ? 'a machine with its own folder was refused'
    : null;
}

function unrestOfLog(host: Host, checkers: Checkers): string | null {
  const { replica, disk } = host;
  if (replica === null) return 'no replica';
  const look = replica.inspect();
  const end = checkers.canonical.length;
  if (look.mark !== end || look.last.seq !== end) {
    return `mark ${look.mark}, last ${look.last.seq}, history ${end}`;
  }
  if (disk.log.length !== end || host.queue?.busy === true) return 'the disk is behind';
  for (const id of look.pending) return `${id} is pending`;
  return null;
}

function unrestOfRole(host: Host, highest: PeerId): string | null {
  if ((host.led !== null) !== (host.id === highest)) return 'not the highest leads';
  const status = host.replica?.status();
  if (status?.leader !== highest || !status.established || status.synchronising) {
    return `follows ${status?.leader}`;
  }
  return null;
}
