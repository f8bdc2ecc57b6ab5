/**
 * A group of headless peers on loopback: a data folder and a port each, one folder for everything, gone
 * with `close`. Peers can be killed and started again with their data. On failure `describe` has the
 * last words of each.
 */
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FinalEvent, PeerProcess, patienceMs } from './peer-process.ts';
import { type Wiring, loopback } from './wiring.ts';

/** What one start of one peer may have of its own. */
export interface StartOptions {
  /** Another build of the program than the one in dist. */
  readonly program?: string;
  /** Command put before the program. */
  readonly wrap?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One group under test. */
export class Cluster {
  readonly home = mkdtempSync(join(tmpdir(), 'lockstep-test-'));
  readonly peers = new Map<number, PeerProcess>();
  readonly #ports = new Map<number, number>();
  readonly #args: readonly string[];
  readonly #wiring: Wiring;
  #seed: number | null = null;

  /** The wiring stays the caller's to close. */
  constructor(args: readonly string[] = [], wiring: Wiring = loopback) {
    this.#args = args;
    this.#wiring = wiring;
  }

  /** Starts a group of peers 1 … size and waits until all are members and the highest leads. */
  static async start(
    size: number,
    args: readonly string[] = [],
    wiring: Wiring = loopback,
  ): Promise<Cluster> {
    const cluster = new Cluster(args, wiring);
    try {
      for (let id = 1; id <= size; id++) await cluster.startPeer(id);
      await cluster.settled();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** The running peer with this id. */
  peer(id: number): PeerProcess {
    const peer = this.peers.get(id);
    if (peer === undefined) throw new Error(`peer ${id} was not started`);
    return peer;
  }

  /** Peers whose process runs. */
  running(): readonly PeerProcess[] {
    return [...this.peers.values()].filter((peer) => peer.exit === null);
  }

  /** Data folder of a peer. */
  dataOf(id: number): string {
    return join(this.home, `peer-${id}`);
  }

  portOf(id: number): number {
    const port = this.#ports.get(id);
    if (port === undefined) throw new Error(`peer ${id} never listened`);
    return port;
  }

  /** Starts or restarts a peer with its data folder, and waits until it is ready. */
  async startPeer(
    id: number,
    args: readonly string[] = [],
    options: StartOptions = {},
  ): Promise<PeerProcess> {
    mkdirSync(this.dataOf(id), { recursive: true });
    const peer = this.spawnPeer(id, args, options);
    this.peers.set(id, peer);
    const ready = await peer.until('ready', () => {
      if (peer.exit !== null) throw new Error(`peer ${id} ended\n${peer.describe()}`);
      return peer.events.find((event) => event.event === 'ready');
    });
    this.#ports.set(id, ready.port);
    this.#wiring.listening(id, ready.port);
    this.#seed ??= id;
    return peer;
  }

  /** Starts a process for a peer without waiting for anything. */
  spawnPeer(
    id: number,
    args: readonly string[] = [],
    { program, wrap = [], env = {} }: StartOptions = {},
  ): PeerProcess {
    const wiring = this.#wiring;
    const seed = this.#seed;
    const seeds =
      seed === null || seed === id
        ? []
        : ['--seed', `${seed}:${wiring.hostOf(seed)}:${this.portOf(seed)}`];
    const port = String(this.#ports.get(id) ?? wiring.portOf(id));
    return new PeerProcess({
      home: this.home,
      logFile: join(this.home, `peer-${id}.log`),
      ...(program === undefined ? {} : { program }),
      wrap: [...wiring.wrapOf(id), ...wrap],
      env,
      args: [
        ...['--json', '--id', String(id), '--data', this.dataOf(id)],
        ...['--host', wiring.hostOf(id), '--port', port],
        ...seeds,
        ...wiring.argsOf(id),
        ...this.#args,
        ...args,
      ],
    });
  }

  /** Waits until every running peer follows the highest running one, all of them listed. */
  async settled(limitMs = patienceMs): Promise<void> {
    const ids = [...this.peers].filter(([, peer]) => peer.exit === null).map(([id]) => id);
    const leader = Math.max(...ids);
    await this.allStatus(
      `all follow ${leader}`,
      (status) =>
        status.leader === leader &&
        status.established &&
        ids.every((id) => status.members.includes(id)),
      limitMs,
    );
  }

  /** Waits until the status of every running peer satisfies `accepts`. */
  async allStatus(
    what: string,
    accepts: Parameters<PeerProcess['statusWhere']>[1],
    limitMs = patienceMs,
  ): Promise<void> {
    await Promise.all(this.running().map((peer) => peer.statusWhere(what, accepts, limitMs)));
  }

  /** Waits until every running peer was told these messages as final. */
  async allFinal(messages: readonly string[], limitMs = patienceMs): Promise<void> {
    await Promise.all(
      this.running().map((peer) =>
        peer.until(
          `${messages.length} messages final`,
          () => {
            const told = new Set(peer.final.map((entry) => entry.message));
            return messages.every((message) => told.has(message));
          },
          limitMs,
        ),
      ),
    );
  }

  /** Ends every process. */
  async stop(): Promise<void> {
    await Promise.all([...this.peers.values()].map((peer) => peer.kill()));
  }

  /** Ends every process and removes every file. */
  async close(): Promise<void> {
    await this.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** The last words of every peer. */
  describe(): string {
    return [...this.peers.values()].map((peer) => peer.describe()).join('\n\n');
  }
}

/** What is wrong with the histories that processes were told; empty when nothing is. */
export function historyFaults(histories: readonly (readonly FinalEvent[])[]): readonly string[] {
  const faults: string[] = [];
  const canonical = new Map<number, FinalEvent>();
  for (const history of histories) {
    let expected = history[0]?.seq;
    const seen = new Set<string>();
    for (const entry of history) {
      if (entry.seq !== expected) faults.push(`seq ${entry.seq} where ${expected} was due`);
      expected = entry.seq + 1;
      if (seen.has(entry.message)) faults.push(`message ${entry.message} is told twice`);
      seen.add(entry.message);
      const known = canonical.get(entry.seq);
      if (known === undefined) canonical.set(entry.seq, entry);
      else if (known.hash !== entry.hash || known.message !== entry.message) {
        faults.push(`seq ${entry.seq} differs: ${known.message} and ${entry.message}`);
      }
    }
  }
  return faults;
}

/** Messages by author whose order among the final ones is not the order in which they were accepted. */
export function orderFaults(
  history: readonly FinalEvent[],
  sent: ReadonlyMap<number, readonly string[]>,
): readonly string[] {
  const faults: string[] = [];
  for (const [author, messages] of sent) {
    const final = history.filter((entry) => entry.kind === 'message' && entry.author === author);
    const order = new Map(final.map((entry, index) => [entry.message, index]));
    let last = -1;
    for (const message of messages) {
      const index = order.get(message);
      if (index === undefined) faults.push(`message ${message} of ${author} is lost`);
      else if (index < last) faults.push(`message ${message} of ${author} stands too early`);
      else last = index;
    }
  }
  return faults;
}
