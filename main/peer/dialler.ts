/**
 * When to dial whom: one target for each listed peer and each seed, attempts one after the other with
 * waits that double and vary, and none while the peer is linked. It opens no socket and judges no
 * peer; its host reports how each attempt ended.
 */
import type { Member, PeerId } from '../../shared/protocol/types.ts';
import { type Address, formatAddress, parseAddressList, type SeedAddress } from './addresses.ts';
import { REDIAL_FIRST_MS, REDIAL_MAX_MS, REDIAL_REFUSED_MS } from './limits.ts';

/** Somebody to dial until linked. */
export interface Target {
  /** Whom it leads to; of a seed, as far as is known. */
  readonly id: PeerId | null;
  readonly seed: boolean;
}

interface Row {
  id: PeerId | null;
  readonly seed: boolean;
  addresses: readonly Address[];
  /** Attempts since the last good link. */
  attempts: number;
  /** An attempt is under way. */
  busy: boolean;
  timer: NodeJS.Timeout | null;
}

/** What the dialler asks of its host. */
export interface DiallerHost {
  /** No need to dial this peer now. */
  readonly linked: (id: PeerId) => boolean;
  /** Starts an attempt, which ends with {@link Dialler.failed} or {@link Dialler.linked}. */
  readonly open: (target: Target, address: Address) => void;
  /** A number in [0, 1) for the jitter. */
  readonly random: () => number;
}

/** Whom a transport dials. */
export class Dialler {
  readonly #host: DiallerHost;
  readonly #overrides: ReadonlyMap<PeerId, readonly Address[]>;
  readonly #peers = new Map<PeerId, Row>();
  readonly #seeds = new Map<string, Row>();
  #running = false;

  /** `overrides`: where to dial a peer whatever address it tells. */
  constructor(host: DiallerHost, overrides: ReadonlyMap<PeerId, string>) {
    this.#host = host;
    this.#overrides = new Map([...overrides].map(([id, text]) => [id, parseAddressList(text)]));
  }

  /** Attempts may begin. */
  start(): void {
    this.#running = true;
    for (const row of this.#rows()) this.#schedule(row);
  }

  /** Ends all waits; attempts under way are the host's to end. */
  stop(): void {
    this.#running = false;
    for (const row of this.#rows()) clear(row);
  }

  /** Replaces the list of peers to dial; what is known of those that stay is kept. */
  setPeers(members: readonly Member[]): void {
    const listed = new Set(members.map((member) => member.id));
    for (const [id, row] of this.#peers) {
      if (!listed.has(id)) {
        clear(row);
        this.#peers.delete(id);
      }
    }
    for (const { id, address } of members) {
      const addresses = this.#addressesOf(id, parseAddressList(address));
      const row = this.#peers.get(id);
      if (row === undefined) {
        const added = newRow(id, addresses, false);
        this.#peers.set(id, added);
        this.#schedule(added);
      } else if (!sameAddresses(row.addresses, addresses)) {
        row.addresses = addresses;
        row.attempts = 0;
        clear(row);
        this.#schedule(row);
      }
    }
  }

  /** Adds a seed; again the same is one. */
  addSeed(seed: SeedAddress): void {
    const name = formatAddress(seed);
    if (this.#seeds.has(name)) return;
    const addresses = seed.id === null ? [seed] : this.#addressesOf(seed.id, [seed]);
    const row = newRow(null, addresses, true);
    this.#seeds.set(name, row);
    this.#schedule(row);
  }

  /** A target turned out to be somebody else, or this peer itself (`id` null): see what is left to dial. */
  learned(target: Target, id: PeerId | null, address: Address): void {
    const row = target as Row;
    if (id === null) row.addresses = row.addresses.filter((each) => !sameAddress(each, address));
    else if (row.seed) row.id = id;
  }

  /** An attempt ended without a link; `refused`: for a reason that only a person can change. */
  failed(target: Target, refused: boolean): void {
    const row = target as Row;
    row.busy = false;
    row.attempts++;
    this.#schedule(row, refused ? REDIAL_REFUSED_MS : this.#wait(row));
  }

  /** A link with this peer is up; `target`: the attempt that made it, if this side dialled. */
  linked(id: PeerId, target: Target | null): void {
    for (const row of this.#rows()) if (row.id === id) clear(row);
    if (target === null) return;
    const row = target as Row;
    row.busy = false;
    if (row.id !== id) this.failed(target, true);
  }

  /** The link is gone. `good`: it lived long enough to start again with the shortest wait. */
  lost(id: PeerId, how: { readonly good: boolean; readonly refused: boolean }): void {
    for (const row of this.#rows()) {
      if (row.id !== id || row.busy) continue;
      row.attempts = how.good ? 0 : row.attempts + 1;
      this.#schedule(row, how.refused ? REDIAL_REFUSED_MS : this.#wait(row));
    }
  }

  /** Where a peer is dialled first whatever it says; null without an override. */
  overrideOf(id: PeerId): Address | null {
    return this.#overrides.get(id)?.[0] ?? null;
  }

  #addressesOf(id: PeerId, told: readonly Address[]): readonly Address[] {
    return this.#overrides.get(id) ?? told;
  }

  *#rows(): Iterable<Row> {
    yield* this.#peers.values();
    yield* this.#seeds.values();
  }

  /** Doubles with each round through the addresses; half of it is left to chance. */
  #wait(row: Row): number {
    const count = Math.max(1, row.addresses.length);
    if (row.attempts % count !== 0) return 0;
    const rounds = Math.max(0, Math.min(row.attempts / count, 16) - 1);
    const most = Math.min(REDIAL_MAX_MS, REDIAL_FIRST_MS * 2 ** rounds);
    return most * (0.5 + this.#host.random() / 2);
  }

  #schedule(row: Row, waitMs = 0): void {
    if (!this.#running || row.busy || row.timer !== null) return;
    row.timer = setTimeout(() => {
      row.timer = null;
      this.#dial(row);
    }, waitMs);
  }

  #dial(row: Row): void {
    const address = row.addresses[row.attempts % Math.max(1, row.addresses.length)];
    const listed = row.seed && row.id !== null && this.#peers.has(row.id);
    if (address === undefined || listed || (row.id !== null && this.#host.linked(row.id))) return;
    if (!row.seed && this.#peers.get(row.id as PeerId) !== row) return;
    row.busy = true;
    this.#host.open(row, address);
  }
}

function newRow(id: PeerId | null, addresses: readonly Address[], seed: boolean): Row {
  return { id, seed, addresses, attempts: 0, busy: false, timer: null };
}

function clear(row: Row): void {
  if (row.timer !== null) clearTimeout(row.timer);
  row.timer = null;
}

function sameAddress(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}

function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  return a.map(formatAddress).join() === b.map(formatAddress).join();
}
