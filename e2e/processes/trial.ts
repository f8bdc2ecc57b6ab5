/**
 * A group on trial: peers on a network that can be broken, everything that is sent to them, and the
 * checkers over all that they say. `trial` runs one story, judges it, and cleans up whatever happens;
 * a story that fails shows what every peer said last.
 */
import { Cluster, type StartOptions } from './cluster.ts';
import { Histories } from './histories.ts';
import { type PeerProcess, type StatusEvent, patienceMs } from './peer-process.ts';
import { type Wiring, loopback } from './wiring.ts';

/** How a trial is set up. */
export interface TrialOptions<W extends Wiring> {
  /** Peers that start, in this order. */
  readonly ids: readonly number[];
  /** Opens what they are joined by; closed with the trial. */
  readonly wiring: (ids: readonly number[]) => Promise<W>;
  /** Further options of every peer. */
  readonly args?: readonly string[];
  /** How long the group may take to form, milliseconds. */
  readonly settleMs?: number;
  /** What single peers have of their own. */
  readonly start?: (id: number) => StartOptions;
}

/** The plain network, as a trial takes it. */
export function plain(): Promise<Wiring> {
  return Promise.resolve(loopback);
}

/** What a story has at hand. */
export class Trial<W extends Wiring> {
  readonly cluster: Cluster;
  readonly network: W;
  readonly histories = new Histories();
  readonly ids: readonly number[];
  readonly #startOptions: (id: number) => StartOptions;
  readonly #numbers = new Map<number, number>();

  constructor(options: TrialOptions<W>, network: W) {
    this.network = network;
    this.ids = options.ids;
    this.cluster = new Cluster(options.args ?? [], network);
    this.#startOptions = options.start ?? (() => ({}));
  }

  peer(id: number): PeerProcess {
    return this.cluster.peer(id);
  }

  /** Starts a peer, or starts it again, and waits until it is ready. */
  async start(id: number): Promise<PeerProcess> {
    const peer = await this.cluster.startPeer(id, [], this.#startOptions(id));
    this.histories.follow(id, peer);
    return peer;
  }

  /** Gives a peer messages to send, in one go; their texts are their refs. */
  send(id: number, count: number, padding = ''): readonly string[] {
    const texts = Array.from({ length: count }, () => {
      const number = (this.#numbers.get(id) ?? 0) + 1;
      this.#numbers.set(id, number);
      return `p${id}.${number}${padding}`;
    });
    for (const text of texts) this.histories.sent(id, text);
    this.peer(id).send(...texts.map((text) => ({ cmd: 'send', text, ref: text })));
    return texts;
  }

  /** Waits until the peer has said that these are stored. */
  async accepted(id: number, texts: readonly string[]): Promise<void> {
    const peer = this.peer(id);
    await peer.until(`${texts.length} accepted`, () =>
      texts.every((text) => peer.accepted.has(text)),
    );
  }

  /** Waits until these peers have told these texts as final. */
  async final(
    ids: readonly number[],
    texts: readonly string[],
    limitMs = patienceMs,
  ): Promise<void> {
    await Promise.all(
      ids.map((id) => {
        const peer = this.peer(id);
        const open = new Set(texts);
        let seen = 0;
        return peer.until(
          `${texts.length} messages final at peer ${id}`,
          () => {
            for (; seen < peer.final.length; seen++) open.delete(peer.final[seen]?.text ?? '');
            return open.size === 0;
          },
          limitMs,
        );
      }),
    );
  }

  /**
   * Waits until the running peers agree on everything and nothing is open: one established leader, the
   * highest unless anyone will do, all of them members, all with the same mark. Then asks the
   * checkers about all that was told. Empty when all is well.
   */
  async comesToRest(limitMs: number, leader: 'highest' | 'any'): Promise<Faults> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const peers = this.cluster.running();
      const statuses = await Promise.all(peers.map((peer) => peer.status()));
      const faults = [...this.histories.check()];
      const [first] = peers;
      if (this.histories.gap !== null && first !== undefined && isAgreed(statuses)) {
        faults.push(...(await this.histories.fillGap(first)));
      }
      if (faults.length > 0) return faults;
      const settled = leader === 'any' || isLedByHighest(statuses);
      if (settled && isAgreed(statuses) && this.histories.counts().open === 0) return [];
      if (Date.now() > deadline) return [this.#unrest(statuses, limitMs)];
      await peers[0]?.change(50);
    }
  }

  /** Waits until the group has come to rest, then asks the checkers about all data folders, too. */
  async atRest(limitMs = patienceMs): Promise<Faults> {
    const faults = await this.comesToRest(limitMs, 'highest');
    return faults.length > 0 ? faults : await this.histories.atRest(this.cluster.running());
  }

  /** Why there is no rest. */
  #unrest(statuses: readonly StatusEvent[], limitMs: number): string {
    const open = this.histories.open();
    const lines = [
      `no rest within ${limitMs} ms, ${open.length} messages open: ${open.slice(0, 5).join(', ')}`,
      ...statuses.map((status) => JSON.stringify({ ...status, roster: undefined })),
    ];
    return lines.join('\n');
  }
}

type Faults = readonly string[];

function isLedByHighest(statuses: readonly StatusEvent[]): boolean {
  const highest = Math.max(...statuses.map(({ id }) => id));
  return statuses.every(({ leader }) => leader === highest);
}

/** True if they say the same, and that all is well. */
function isAgreed(statuses: readonly StatusEvent[]): boolean {
  const ids = statuses.map(({ id }) => id);
  const views = new Set(statuses.map((s) => [s.leader, s.epoch, s.commit, s.hash].join(' ')));
  return (
    views.size === 1 &&
    statuses.every(
      ({ established, pending, members }) =>
        established && pending === 0 && ids.every((id) => members.includes(id)),
    )
  );
}

/** Runs a story on a fresh group: all started and settled before, everything gone afterwards. */
export async function trial<W extends Wiring, Result>(
  options: TrialOptions<W>,
  story: (trial: Trial<W>) => Promise<Result>,
): Promise<Result> {
  const network = await options.wiring(options.ids);
  const trial = new Trial(options, network);
  try {
    for (const id of options.ids) await trial.start(id);
    await trial.cluster.settled(options.settleMs ?? patienceMs);
    return await story(trial);
  } catch (error) {
    throw new Error(`${String(error)}\n\n${trial.cluster.describe()}`, { cause: error });
  } finally {
    await trial.cluster.close();
    await network.close();
  }
}
