/**
 * A TCP proxy in the middle of one link, which can be slow, break, or swallow. Peers are sent through
 * proxies by the option `--dial ID=HOST:PORT`. A proxy never invents, repeats or reorders a byte; a
 * connection that lost one is broken before anything else passes, as TCP would have it.
 */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import type { Direction, FaultyNetwork } from './wiring.ts';

/** What a proxy does with the bytes of one direction. */
export interface Treatment {
  /** Every chunk arrives this much later, milliseconds. */
  readonly delayMs: number;
  /** Chunks vanish, and whoever sent them learns nothing. */
  readonly swallow: boolean;
}

const untreated: Treatment = { delayMs: 0, swallow: false };

/** `out`: from who dialled to who was dialled. */
export type Way = 'out' | 'back';

/** One direction of one connection. */
class Pipe {
  /** Bytes were swallowed: what comes after them can't be told from garbage. */
  broken = false;
  /** Chunks that were made to wait, those that have passed since included. */
  delayed = 0;
  readonly #to: Socket;
  readonly #treatment: () => Treatment;
  /** What waits, in order. */
  readonly #late: { readonly due: number; readonly pass: () => void }[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(ends: { readonly from: Socket; readonly to: Socket }, treatment: () => Treatment) {
    this.#to = ends.to;
    this.#treatment = treatment;
    ends.from.on('data', (chunk: Buffer) => this.#take(() => this.#to.write(chunk)));
    ends.from.on('end', () => this.#take(() => this.#to.end()));
  }

  /** Passes on what arrived, bytes or their end, now or later. */
  #take(pass: () => void): void {
    const { delayMs, swallow } = this.#treatment();
    if (swallow) this.broken = true;
    if (this.broken) return;
    if (delayMs === 0 && this.#late.length === 0) {
      pass();
      return;
    }
    this.delayed += 1;
    this.#late.push({ due: performance.now() + delayMs, pass });
    if (this.#timer === null) this.#wait();
  }

  /** One timer, for the first: timers of different lengths that end together have no order. */
  #wait(): void {
    const first = this.#late[0];
    if (first === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        // Cut while it was on its way.
        if (this.#treatment().swallow) this.broken = true;
        const now = performance.now();
        while (this.#late[0] !== undefined && this.#late[0].due <= now) {
          const pass = this.#late.shift()?.pass;
          if (!this.broken) pass?.();
        }
        this.#wait();
      },
      Math.max(0, first.due - performance.now()),
    );
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#late.length = 0;
  }
}

/** A connection: its two ends and directions, or only who dialled, into a cut. */
interface Connection {
  readonly ends: readonly Socket[];
  readonly pipes: readonly Pipe[];
}

/** A proxy on a port of its own. */
export class ChaosProxy {
  readonly #server: Server;
  readonly #target: () => { readonly host: string; readonly port: number } | null;
  readonly #connections = new Set<Connection>();
  readonly #treatments: Record<Way, Treatment> = { out: untreated, back: untreated };

  /** Listens on loopback; `target` is asked at every connection and may be unknown yet. */
  static async open(
    target: () => { readonly host: string; readonly port: number } | null,
  ): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(target: () => { readonly host: string; readonly port: number } | null) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections.size;
  }

  get #swallows(): boolean {
    return this.#treatments.out.swallow || this.#treatments.back.swallow;
  }

  /** Chunks of open connections that were made to wait, those that have passed since included. */
  get delayed(): number {
    const pipes = [...this.#connections].flatMap((connection) => connection.pipes);
    return pipes.reduce((sum, pipe) => sum + pipe.delayed, 0);
  }

  /** Changes what happens to one direction. Connections that lost bytes are broken by the change. */
  treat(way: Way, treatment: Partial<Treatment>): void {
    this.#treatments[way] = { ...this.#treatments[way], ...treatment };
    if (this.#swallows) return;
    for (const connection of this.#connections) {
      const { ends, pipes } = connection;
      const lost = pipes.length === 0 || pipes.some(({ broken }) => broken);
      if (lost || ends.some(({ destroyed }) => destroyed)) this.#end(connection);
    }
  }

  /** Breaks every connection with a reset; new ones are welcome. */
  reset(): void {
    for (const connection of this.#connections) this.#end(connection);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.reset();
    await closed;
  }

  #accept(client: Socket): void {
    const target = this.#target();
    if (target === null) client.resetAndDestroy();
    else if (this.#swallows) this.#swallow(client);
    else this.#join(client, connect({ ...target, allowHalfOpen: true }));
  }

  /** A connection that finds the cut there already gets no answer, whichever direction is cut. */
  #swallow(client: Socket): void {
    client.resume();
    this.#keep({ ends: [client], pipes: [] });
  }

  #join(client: Socket, server: Socket): void {
    const out = new Pipe({ from: client, to: server }, () => this.#treatments.out);
    const back = new Pipe({ from: server, to: client }, () => this.#treatments.back);
    this.#keep({ ends: [client, server], pipes: [out, back] });
  }

  #keep(connection: Connection): void {
    this.#connections.add(connection);
    for (const end of connection.ends) {
      end.setNoDelay(true);
      // An error is always followed by `close`, and that is all a proxy has to know.
      end.on('error', () => undefined);
      end.once('close', (failed) => this.#onClose(connection, failed));
    }
  }

  /** An end that vanishes behind a cut is not seen on the other side before the cut is mended. */
  #onClose(connection: Connection, failed: boolean): void {
    if (connection.ends.every(({ destroyed }) => destroyed)) this.#end(connection);
    else if (failed && !this.#swallows) this.#end(connection);
  }

  #end(connection: Connection): void {
    this.#connections.delete(connection);
    for (const pipe of connection.pipes) pipe.close();
    for (const end of connection.ends) if (!end.destroyed) end.resetAndDestroy();
  }
}

/** A proxy for every pair of peers and each of the two that may dial. */
export class ProxyNetwork implements FaultyNetwork {
  readonly kind = 'proxies';
  readonly #ids: readonly number[];
  readonly #ports = new Map<number, number>();
  /** By who dials and who is dialled. */
  readonly #proxies = new Map<string, ChaosProxy>();

  static async open(ids: readonly number[]): Promise<ProxyNetwork> {
    const network = new ProxyNetwork(ids);
    for (const { from, to } of network.#all()) {
      const proxy = await ChaosProxy.open(() => {
        const port = network.#ports.get(to);
        return port === undefined ? null : { host: network.hostOf(), port };
      });
      network.#proxies.set(`${from}>${to}`, proxy);
    }
    return network;
  }

  private constructor(ids: readonly number[]) {
    this.#ids = ids;
  }

  hostOf(): string {
    return '127.0.0.1';
  }

  portOf(): number {
    return 0;
  }

  wrapOf(): readonly string[] {
    return [];
  }

  argsOf(id: number): readonly string[] {
    return this.#ids.flatMap((to) => {
      const proxy = this.#proxies.get(`${id}>${to}`);
      return proxy === undefined ? [] : ['--dial', `${to}=127.0.0.1:${proxy.port}`];
    });
  }

  listening(id: number, port: number): void {
    this.#ports.set(id, port);
  }

  cut(cuts: readonly Direction[]): void {
    for (const cut of cuts) this.#treat(cut, { swallow: true });
  }

  mend(cuts: readonly Direction[]): void {
    for (const cut of cuts) this.#treat(cut, { swallow: false });
  }

  heal(): void {
    this.mend(this.#all());
  }

  /** Everything sent in these directions arrives this much later, milliseconds. */
  delay(directions: readonly Direction[], delayMs: number): void {
    for (const direction of directions) this.#treat(direction, { delayMs });
  }

  /** Breaks the connections between two peers. */
  reset(a: number, b: number): void {
    this.#proxies.get(`${a}>${b}`)?.reset();
    this.#proxies.get(`${b}>${a}`)?.reset();
  }

  /** Either of two peers may have dialled the other. */
  #treat({ from, to }: Direction, treatment: Partial<Treatment>): void {
    this.#proxies.get(`${from}>${to}`)?.treat('out', treatment);
    this.#proxies.get(`${to}>${from}`)?.treat('back', treatment);
  }

  #all(): readonly Direction[] {
    return this.#ids.flatMap((from) =>
      this.#ids.filter((to) => to !== from).map((to) => ({ from, to })),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }
}
