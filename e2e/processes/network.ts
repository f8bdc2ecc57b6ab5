/**
 * A network for peers that can really be cut: each peer in a network namespace of its own, all of them
 * joined by a router namespace. A cut is a policy rule of the router that drops packets of one
 * direction without a word, so that the peers see what a pulled cable shows: nothing.
 * Needs root and `ip`; `openNetwork` uses proxies where that is not to be had, and says so.
 */
import { execFileSync } from 'node:child_process';
import { ProxyNetwork } from './chaos-proxy.ts';
import { Undo } from './undo.ts';
import type { Direction, FaultyNetwork } from './wiring.ts';

const port = 6001;
let opened = 0;

/** A network for these peers that can be cut; with namespaces if this machine has them. */
export async function openNetwork(ids: readonly number[]): Promise<FaultyNetwork> {
  try {
    return await NamespaceNetwork.open(ids);
  } catch (error) {
    // After its own headline, the error of a command has what the command said.
    const [headline = '', said = headline] = String(error).split('\n');
    console.warn(`No network namespaces here (${said}); links are cut by proxies instead.`);
    return await ProxyNetwork.open(ids);
  }
}

/** One namespace for each peer, one for the router. */
export class NamespaceNetwork implements FaultyNetwork {
  readonly kind = 'namespaces';
  readonly #name: string;
  readonly #undo = new Undo();
  readonly #cuts = new Map<string, Direction>();

  /** Throws where namespaces can't be made; nothing is left behind then. */
  static async open(ids: readonly number[]): Promise<NamespaceNetwork> {
    const network = new NamespaceNetwork();
    try {
      network.#make(ids);
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  private constructor() {
    opened += 1;
    this.#name = `ls${process.pid}n${opened}`;
  }

  get #router(): string {
    return `${this.#name}r`;
  }

  #namespaceOf(id: number): string {
    return `${this.#name}p${id}`;
  }

  #make(ids: readonly number[]): void {
    const namespaces = [this.#router, ...ids.map((id) => this.#namespaceOf(id))];
    for (const name of namespaces) this.#undo.add('ip', 'netns', 'del', name);
    ip(
      [],
      namespaces.map((name) => `netns add ${name}`),
    );
    ip(
      ['-n', this.#router],
      ids.flatMap((id) => [
        `link add to${id} type veth peer name wire netns ${this.#namespaceOf(id)}`,
        `addr add 10.77.${id}.1/24 dev to${id}`,
        `link set to${id} up`,
      ]),
    );
    for (const id of ids) {
      ip(
        ['-n', this.#namespaceOf(id)],
        [
          'link set lo up',
          `addr add ${this.hostOf(id)}/24 dev wire`,
          'link set wire up',
          `route add default via 10.77.${id}.1`,
        ],
      );
    }
    const forward = 'echo 1 > /proc/sys/net/ipv4/ip_forward';
    run('ip', ['netns', 'exec', this.#router, 'sh', '-c', forward]);
  }

  hostOf(id: number): string {
    return `10.77.${id}.2`;
  }

  portOf(): number {
    return port;
  }

  wrapOf(id: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#namespaceOf(id)];
  }

  argsOf(): readonly string[] {
    return [];
  }

  listening(): void {}

  cut(cuts: readonly Direction[]): void {
    const fresh = cuts.filter((cut) => !this.#cuts.has(keyOf(cut)));
    for (const cut of fresh) this.#cuts.set(keyOf(cut), cut);
    this.#rules('add', fresh);
  }

  mend(cuts: readonly Direction[]): void {
    this.#rules(
      'del',
      cuts.filter((cut) => this.#cuts.delete(keyOf(cut))),
    );
  }

  heal(): void {
    this.mend([...this.#cuts.values()]);
  }

  #rules(verb: 'add' | 'del', cuts: readonly Direction[]): void {
    if (cuts.length === 0) return;
    const rules = cuts.map(
      ({ from, to }) => `rule ${verb} from ${this.hostOf(from)} to ${this.hostOf(to)} blackhole`,
    );
    ip(['-n', this.#router], rules);
  }

  async close(): Promise<void> {
    await this.#undo.now();
  }
}

function keyOf({ from, to }: Direction): string {
  return `${from}>${to}`;
}

/** Runs several `ip` commands in one process. */
function ip(options: readonly string[], commands: readonly string[]): void {
  run('ip', [...options, '-batch', '-'], `${commands.join('\n')}\n`);
}

function run(command: string, args: readonly string[], input = ''): void {
  execFileSync(command, args, { input, stdio: ['pipe', 'ignore', 'pipe'] });
}
