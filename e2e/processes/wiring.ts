/**
 * How the peers of a group under test reach each other: where each listens, what must be put before
 * its command, where others dial it. `loopback` is the plain way; network.ts and chaos-proxy.ts
 * have ways that can be broken on purpose. A wiring starts no peer and knows no protocol.
 */

/** Everything a process needs to know to take its place in the network. */
export interface Wiring {
  /** Address that a peer listens on. */
  readonly hostOf: (id: number) => string;
  /** Port that a peer is asked to listen on at its first start; 0 lets it pick one. */
  readonly portOf: (id: number) => number;
  /** Command put before the program of a peer. */
  readonly wrapOf: (id: number) => readonly string[];
  /** Further options of a peer. */
  readonly argsOf: (id: number) => readonly string[];
  /** A peer is ready and listens on this port. */
  readonly listening: (id: number, port: number) => void;
  /** Undoes everything. */
  readonly close: () => Promise<void>;
}

/** A wiring with faults. A cut is silent: whoever sends into it learns nothing. */
export interface FaultyNetwork extends Wiring {
  readonly kind: 'namespaces' | 'proxies';
  /** Nothing sent by `from` reaches `to` any more; the other direction is as it was. */
  readonly cut: (cuts: readonly Direction[]) => void;
  /** Ends all cuts. */
  readonly heal: () => void;
  /** Ends these cuts, if they are there. */
  readonly mend: (cuts: readonly Direction[]) => void;
}

/** One direction of the link between two peers. */
export interface Direction {
  readonly from: number;
  readonly to: number;
}

/** Every peer at 127.0.0.1, nothing in between. */
export const loopback: Wiring = {
  hostOf: () => '127.0.0.1',
  portOf: () => 0,
  wrapOf: () => [],
  argsOf: () => [],
  listening: () => undefined,
  close: () => Promise.resolve(),
};

/** Every direction from one of `a` to one of `b`, and back. */
export function bothWays(a: readonly number[], b: readonly number[]): readonly Direction[] {
  return [...oneWay(a, b), ...oneWay(b, a)];
}

/** Every direction from one of `a` to one of `b`. */
export function oneWay(a: readonly number[], b: readonly number[]): readonly Direction[] {
  return a.flatMap((from) => b.filter((to) => to !== from).map((to) => ({ from, to })));
}
