/**
 * The commands of protocol scripts. A block of commands is carried out from top to bottom, then what was
 * shown since is its output. Time passes only in `run`, `settle` and `until`; frames and writes take one
 * millisecond. A guarantee or an invariant that breaks ends the script at that command.
 *
 *     set <option> <number>       a number of ProtocolConfig, for peers started from now on
 *     log-level none|roles|frames|all   what blocks show: nothing; roles and final entries (the default);
 *                                 also each frame; also heartbeats
 *     found <id>                  a machine on which entry 1 of a new group stands; starts its peer
 *     start <id>…                 starts a peer, on a new machine if there is none; links it with all others
 *     group <id>…                 found, start and settle, silently: a group whose members are all of these
 *     crash <id> [silently] [keeping <n>]   the process dies; of its queued writes n survive (default 0);
 *                                 others are told when they redial, unless it dies silently
 *     pause <id>, resume <id>     the process gets no time, then everything that waited
 *     leave <id>                  the peer asks to leave the group
 *     rename <id> <name>          the peer has a new display name
 *     backup <id>, restore <id>   copies the data folder; puts the copy back (peer down)
 *     wipe <id>                   an empty data folder, so a new identity key as well (peer down)
 *     spoil <id> <seq>            falsifies the stored history from that seq on (peer down)
 *     send <id> <name>… [bytes <n>]   a person sends messages; m1..m9 is a range
 *     cut <a> <b>… [one-way]      nothing gets from a to each b, nor back; nobody is told
 *     partition <ids> | <ids>…    cuts every pair that is not on one side
 *     heal [<a> <b>]              lifts cuts; the pairs connect anew
 *     break <a> <b>               their connection closes; link <a> <b> opens a new one
 *     hold <kind> [<a>><b>]       holds such frames from now on; kind or peer may be *
 *     lose <kind> [<a>><b>]       loses such frames from now on
 *     deliver <kind> [<a>><b>] [<n>]   held frames arrive now, in order
 *     drop <kind> [<a>><b>] [<n>]      held frames are lost
 *     release <kind> [<a>><b>]    lifts the rule of these very words; what it held arrives now
 *     held                        lists held frames
 *     disk manual|auto <id>       writes wait for `persist`; they go on by themselves
 *     persist <id> [<n>]          n queued writes (default all) are durable now
 *     run <ms>                    lets time pass
 *     settle                      lets time pass until nothing has changed for three seconds
 *     until <id> <text>           lets time pass until the peer's state contains the text
 *     state [<id>…]               one line per peer
 *     status <id>, roster <id>    what a host is told; everybody ever listed, by name
 *     log <id> [<from>]           the entries in a peer's memory
 *     disk <id>                   what is durable: promise, end of the log, mark, pending
 *     agree [<id>…]               these peers (default: all that run) have the same log, all final
 */
import { assert } from '../../assert.ts';
import { type ProtocolConfig, validateConfig } from '../config.ts';
import { describeEntries, describeEpoch, describeMessage, describeStatus } from '../describe.ts';
import type { ProtocolMessage } from '../messages.ts';
import { type PeerId, bytesEqual } from '../types.ts';
import { Cluster, type FramePattern, type LogLevel } from './cluster.ts';
import type { Command } from './script.ts';

/** Longest time that `settle` and `until` let pass, milliseconds. */
const PATIENCE_MS = 120_000;
const QUIET_MS = 3_000;

/** One script's stage and the commands to use it. */
export class Interaction {
  readonly #cluster = new Cluster();

  /** Carries out a block and returns what it showed. */
  execute(commands: readonly Command[]): readonly string[] {
    for (const command of commands) {
      try {
        this.#perform(command);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        const shown = this.#cluster.takeLines().join('\n');
        throw new Error(`line ${command.line}, ${command.name}: ${text}\nafter:\n${shown}`, {
          cause: error,
        });
      }
    }
    return this.#cluster.takeLines();
  }

  #perform({ name, args }: Command): void {
    const cluster = this.#cluster;
    const first = (): PeerId => peer(args[0]);
    switch (name) {
      case 'set':
        return this.#set(args[0], Number(args[1]));
      case 'log-level':
        assert(['none', 'roles', 'frames', 'all'].includes(args[0] ?? ''), 'unknown level');
        cluster.flushFinals();
        cluster.level = args[0] as LogLevel;
        return;
      case 'found':
        cluster.found(first());
        return cluster.start(first());
      case 'start':
        return args.map(peer).forEach((id) => this.#start(id));
      case 'group':
        return this.#group(args.map(peer));
      case 'crash':
        return cluster.crash(first(), {
          silently: args.includes('silently'),
          survivors: numberAfter(args, 'keeping') ?? 0,
        });
      case 'pause':
        return cluster.pause(first());
      case 'resume':
        return cluster.resume(first());
      case 'leave':
        return cluster.input(cluster.host(first()), { kind: 'leave' });
      case 'rename':
        return cluster.input(cluster.host(first()), { kind: 'rename', name: args[1] ?? '' });
      case 'backup':
        return cluster.backUp(first());
      case 'restore':
        return cluster.replaceDisk(first(), 'backup');
      case 'wipe':
        return cluster.replaceDisk(first(), 'empty');
      case 'spoil':
        return cluster.spoil(first(), Number(args[1]));
      case 'send':
        return this.#submit(args);
      default:
        return this.#performOnLinks(name, args);
    }
  }

  #performOnLinks(name: string, args: readonly string[]): void {
    const cluster = this.#cluster;
    switch (name) {
      case 'cut':
        return this.#cut(args);
      case 'partition':
        return this.#partition(args);
      case 'heal':
        return this.#heal(args);
      case 'break':
        return cluster.disconnect(peer(args[0]), peer(args[1]));
      case 'link':
        return cluster.connect(peer(args[0]), peer(args[1]));
      case 'hold':
      case 'lose':
        return cluster.addRule(name, pattern(args));
      case 'deliver':
        return this.#deliver(args);
      case 'drop':
        cluster.takeHeld(pattern(args), Number(args[2] ?? Infinity));
        return;
      case 'release':
        cluster.removeRules(pattern(args));
        for (const frame of cluster.takeHeld(pattern(args), Infinity)) cluster.arriveHeld(frame);
        return;
      case 'held':
        for (const { from, to, message } of cluster.held) {
          cluster.show(`${from}>${to} ${describeMessage(message, cluster.nameOf)}`);
        }
        return;
      default:
        return this.#performOnTime(name, args);
    }
  }

  #performOnTime(name: string, args: readonly string[]): void {
    const cluster = this.#cluster;
    switch (name) {
      case 'run':
        return cluster.run(Number(args[0]));
      case 'settle':
        return this.#settle();
      case 'until':
        return this.#until(peer(args[0]), args.slice(1).join(' '));
      case 'persist':
        return cluster.persist(cluster.host(peer(args[0])), Number(args[1] ?? Infinity));
      case 'disk':
        return this.#disk(args);
      case 'state': {
        cluster.flushFinals();
        const ids = args.length > 0 ? args.map(peer) : [...cluster.hosts.keys()];
        for (const id of ids) cluster.show(`${id}: ${cluster.describe(id)}`);
        return;
      }
      case 'status':
      case 'roster':
        return this.#showStatus(name, peer(args[0]));
      case 'log':
        return this.#showLog(peer(args[0]), Number(args[1] ?? 1));
      case 'agree':
        return this.#agree(
          args.length > 0 ? args.map(peer) : cluster.running().map(({ id }) => id),
        );
      default:
        throw new Error(`unknown command ${name}`);
    }
  }

  #set(option: string | undefined, value: number): void {
    assert(option !== undefined && option in this.#cluster.config, `no option ${option}`);
    const config: ProtocolConfig = { ...this.#cluster.config, [option]: value };
    const checked = validateConfig(config);
    assert(checked.ok, checked.ok ? '' : checked.error);
    this.#cluster.config = config;
  }

  #start(id: PeerId): void {
    if (!this.#cluster.hosts.has(id)) this.#cluster.addHost(id);
    this.#cluster.start(id);
  }

  #group([founder, ...others]: readonly PeerId[]): void {
    const cluster = this.#cluster;
    const { level } = cluster;
    cluster.level = 'none';
    cluster.found(peer(String(founder)));
    cluster.start(peer(String(founder)));
    this.#settle();
    for (const id of others) this.#start(id);
    if (others.length > 0) this.#settle();
    cluster.level = level;
  }

  #submit(args: readonly string[]): void {
    const bytes = numberAfter(args, 'bytes') ?? 0;
    const end = args.indexOf('bytes');
    for (const word of args.slice(1, end < 0 ? undefined : end)) {
      for (const name of range(word)) this.#cluster.submit(peer(args[0]), name, bytes);
    }
  }

  #cut(args: readonly string[]): void {
    const oneWay = args.includes('one-way');
    const [from, ...others] = args.filter((arg) => arg !== 'one-way').map(peer);
    for (const to of others) {
      this.#cluster.cut(from as PeerId, to);
      if (!oneWay) this.#cluster.cut(to, from as PeerId);
    }
  }

  #partition(args: readonly string[]): void {
    const sides = args
      .join(' ')
      .split('|')
      .map((side) => side.trim().split(' ').map(peer));
    for (const [i, side] of sides.entries()) {
      for (const a of side) {
        for (const b of sides.slice(i + 1).flat()) this.#cut([String(a), String(b)]);
      }
    }
  }

  #heal(args: readonly string[]): void {
    const ids = [...this.#cluster.hosts.keys()].sort((a, b) => a - b);
    const only = args.map(peer);
    for (const a of ids) {
      for (const b of ids) {
        const named = only.length === 0 || (only.includes(a) && only.includes(b));
        if (a < b && named) this.#cluster.heal(a, b);
      }
    }
  }

  #deliver(args: readonly string[]): void {
    const last = args.at(-1) ?? '';
    const count = args.length > 1 && /^\d+$/.test(last) ? Number(last) : Infinity;
    const frames = this.#cluster.takeHeld(pattern(args), count);
    assert(frames.length > 0, 'no such frame is held');
    for (const frame of frames) this.#cluster.arriveHeld(frame);
  }

  #settle(): void {
    const cluster = this.#cluster;
    const picture = (): string =>
      cluster
        .running()
        .map(({ id }) => `${id} ${cluster.describe(id)}`)
        .join('\n');
    const end = cluster.now + PATIENCE_MS;
    let before = picture();
    let since = cluster.now;
    while (cluster.now - since < QUIET_MS) {
      assert(cluster.now < end, `still changing:\n${before}`);
      cluster.run(100);
      const after = picture();
      if (after !== before) since = cluster.now;
      before = after;
    }
  }

  #until(id: PeerId, text: string): void {
    const cluster = this.#cluster;
    const end = cluster.now + PATIENCE_MS;
    while (!cluster.describe(id).includes(text)) {
      assert(cluster.now < end, `still ${cluster.describe(id)}`);
      cluster.run(1);
    }
  }

  #disk([what, id]: readonly string[]): void {
    const cluster = this.#cluster;
    if (what === 'manual' || what === 'auto') {
      if (!cluster.hosts.has(peer(id))) cluster.addHost(peer(id));
      const host = cluster.host(peer(id));
      host.manualDisk = what === 'manual';
      if (!host.manualDisk) cluster.persist(host, Infinity);
      return;
    }
    const { disk } = cluster.host(peer(what));
    const pending = [...disk.pending.keys()].map(cluster.nameOf).join(' ');
    cluster.show(
      `${what}: promised ${describeEpoch(disk.promised)}, final ${disk.mark}, ` +
        `log ${describeEntries(disk.log, cluster.nameOf)}${pending === '' ? '' : `, pending ${pending}`}`,
    );
  }

  #showStatus(what: 'status' | 'roster', id: PeerId): void {
    const status = this.#cluster.replica(id).status();
    const roster = status.roster.map(
      (each) => `${each.id} ${each.name}${each.listed ? '' : ' (not listed)'}`,
    );
    this.#cluster.flushFinals();
    this.#cluster.show(`${id}: ${what === 'status' ? describeStatus(status) : roster.join(', ')}`);
  }

  #showLog(id: PeerId, from: number): void {
    const { entryAt, tailFrom, last } = this.#cluster.replica(id).inspect();
    const entries = [];
    this.#cluster.flushFinals();
    for (let seq = Math.max(from, tailFrom); seq <= last.seq; seq++) {
      const entry = entryAt(seq);
      if (entry !== undefined) entries.push(entry);
    }
    this.#cluster.show(`${id}: ${describeEntries(entries, this.#cluster.nameOf, 40)}`);
  }

  #agree(ids: readonly PeerId[]): void {
    const cluster = this.#cluster;
    const states = ids.map((id) => cluster.replica(id).inspect());
    const [one] = states;
    assert(one !== undefined, 'somebody has to agree');
    const hash = one.entryAt(one.last.seq)?.hash;
    for (const [i, state] of states.entries()) {
      const same = state.entryAt(state.last.seq)?.hash;
      const equal = hash !== undefined && same !== undefined && bytesEqual(hash, same);
      const allFinal = state.mark === state.last.seq && [...state.pending].length === 0;
      assert(equal && allFinal, `${ids[i]} does not agree: ${cluster.describe(ids[i] as PeerId)}`);
    }
    cluster.flushFinals();
    cluster.show(`${ids.join(' ')} agree on ${one.last.seq} entries`);
  }
}

function peer(text: string | undefined): PeerId {
  const id = Number(text);
  assert(Number.isInteger(id) && id > 0, `${text} is no peer`);
  return id;
}

function numberAfter(args: readonly string[], word: string): number | null {
  const at = args.indexOf(word);
  return at < 0 ? null : Number(args[at + 1]);
}

/** `m3..m5` is m3, m4, m5; anything else is itself. */
function range(word: string): string[] {
  const match = /^(\D+)(\d+)\.\.\1(\d+)$/.exec(word);
  if (match === null) return [word];
  const [, stem, from, to] = match;
  const names: string[] = [];
  for (let i = Number(from); i <= Number(to); i++) names.push(`${stem}${i}`);
  return names;
}

function pattern([kind = '*', ends = '*>*']: readonly string[]): FramePattern {
  const [from = '*', to = '*'] = /^\d+$/.test(ends) ? [] : ends.split('>');
  const end = (text: string): PeerId | null => (text === '*' ? null : peer(text));
  return {
    kind: kind === '*' ? null : (kind as ProtocolMessage['kind']),
    from: end(from),
    to: end(to),
  };
}
