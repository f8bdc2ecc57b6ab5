/**
 * The guarantees of the protocol, checked over what processes say: the `final`, `accepted`,
 * `provisional` and `status` events of every process that ever ran in a group, across kills and restarts.
 * The same rules as the simulator's checkers, from outside: nothing here knows how a peer works. A
 * history is judged while it is told, so that a fault is found when it happens; what must hold once
 * everything has come to rest is asked for with `atRest`. The text of every message has to be unique.
 */
import type { FinalEvent, PeerEvent, PeerProcess } from './peer-process.ts';

/** One message that was written to the input of a peer. */
interface Sent {
  readonly author: number;
  /** Order of sending, by author. */
  readonly index: number;
  /** Its id, once the peer said that it is stored. */
  message: string | null;
}

/** What the checkers look at of a process. */
export type Teller = Pick<PeerProcess, 'pid' | 'exit' | 'events' | 'final' | 'garbage'>;

/** What one process has told so far, and how far that was looked at. */
interface Telling {
  readonly id: number;
  readonly peer: Teller;
  finals: number;
  events: number;
  garbage: number;
  /** Seq of the final event that is due; null before `ready`. */
  due: number | null;
  readonly told: Set<string>;
  /** Commit mark and hash of statuses, not compared with the history yet. */
  readonly claims: Map<number, string>;
}

/** How many messages there were. */
export interface Counts {
  readonly sent: number;
  readonly accepted: number;
  readonly final: number;
  /** Accepted and not final. */
  readonly open: number;
  /** Messages that were final once more. */
  readonly doubled: number;
}

/** The one history of a group, and everything that must agree with it. */
export class Histories {
  readonly #sent = new Map<string, Sent>();
  readonly #sentBy = new Map<number, number>();
  readonly #canonical = new Map<number, FinalEvent>();
  /** Told, and what comes before was told by nobody yet: who knew it has died before it could say so. */
  readonly #ahead = new Map<number, FinalEvent>();
  readonly #seqs = new Map<string, number>();
  readonly #finalTexts = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #open = new Map<string, string>();
  readonly #lastFinal = new Map<number, number>();
  readonly #led = new Set<string>();
  readonly #tellings = new Map<Teller, Telling>();
  #accepted = 0;
  #doubled = 0;
  #end = 0;

  /** Says that a peer is about to be given this message, with its text as `ref`. */
  sent(author: number, text: string): void {
    const index = (this.#sentBy.get(author) ?? 0) + 1;
    this.#sentBy.set(author, index);
    if (this.#sent.has(text)) throw new Error(`the text ${text} was sent before`);
    this.#sent.set(text, { author, index, message: null });
  }

  /** Follows one more process; `id` is its peer. */
  follow(id: number, peer: Teller): void {
    if (this.#tellings.has(peer)) return;
    this.#tellings.set(peer, {
      id,
      peer,
      finals: 0,
      events: 0,
      garbage: 0,
      due: null,
      told: new Set(),
      claims: new Map(),
    });
  }

  counts(): Counts {
    return {
      sent: this.#sent.size,
      accepted: this.#accepted,
      final: this.#finalTexts.size,
      open: this.#open.size,
      doubled: this.#doubled,
    };
  }

  /** Accepted messages that are not final, as author and text. */
  open(): readonly string[] {
    return [...this.#open.values()];
  }

  /** Seq of the last entry that anybody told as final. */
  get end(): number {
    return this.#end;
  }

  /** Looks at everything that was said since the last time; what is wrong with it. */
  check(): readonly string[] {
    const faults: string[] = [];
    for (const telling of this.#tellings.values()) {
      const fault = (what: string): void => {
        faults.push(`peer ${telling.id} (process ${telling.peer.pid}): ${what}`);
      };
      this.#lookAt(telling, fault);
      // The memory of a process that is gone and was looked through to its end can go, too.
      if (telling.peer.exit !== null) this.#tellings.delete(telling.peer);
    }
    return faults;
  }

  #lookAt(telling: Telling, fault: (what: string) => void): void {
    const { peer } = telling;
    for (; telling.events < peer.events.length; telling.events++) {
      const event = peer.events[telling.events];
      if (event !== undefined) this.#onEvent(telling, event, fault);
    }
    for (; telling.finals < peer.final.length; telling.finals++) {
      const entry = peer.final[telling.finals];
      if (entry !== undefined) this.#onFinal(telling, entry, fault);
    }
    for (; telling.garbage < peer.garbage.length; telling.garbage++) {
      fault(`said something that is no JSON: ${peer.garbage[telling.garbage]}`);
    }
    for (const [seq, hash] of telling.claims) {
      const entry = this.#canonical.get(seq);
      if (entry === undefined) continue;
      telling.claims.delete(seq);
      if (entry.hash !== hash) fault(`has another hash at seq ${seq}`);
    }
  }

  #onEvent(telling: Telling, event: PeerEvent, fault: (what: string) => void): void {
    switch (event.event) {
      case 'ready':
        telling.due = event.commit + 1;
        break;
      case 'accepted':
        this.#onAccepted(telling.id, event, fault);
        break;
      case 'status':
        if (event.commit > 0) telling.claims.set(event.commit, event.hash);
        break;
      case 'error':
        if (event.code === 'DIVERGED') fault(`error ${event.code}: ${event.message}`);
        if (typeof event.ref === 'string') this.#onRefused(event.ref, fault);
        break;
      default:
        break;
    }
  }

  /** G4, first half: what is accepted is owed. */
  #onAccepted(
    id: number,
    event: Extract<PeerEvent, { event: 'accepted' }>,
    fault: (what: string) => void,
  ): void {
    const sent = this.#sent.get(String(event.ref));
    if (sent === undefined || sent.author !== id) {
      fault(`accepted ${String(event.ref)}, which it was never given`);
      return;
    }
    if (sent.message !== null) fault(`accepted ${String(event.ref)} twice`);
    sent.message = event.message;
    this.#accepted += 1;
    if (!this.#seqs.has(event.message)) this.#open.set(event.message, String(event.ref));
  }

  /** What its author was told will not be sent must not turn up. */
  #onRefused(text: string, fault: (what: string) => void): void {
    this.#refused.add(text);
    if (this.#finalTexts.has(text)) fault(`refused “${text.slice(0, 60)}”, which is final`);
  }

  /** G2 within one process, then G1 or the rules for a new final entry. */
  #onFinal(telling: Telling, entry: FinalEvent, fault: (what: string) => void): void {
    if (telling.due === null) fault(`told seq ${entry.seq} before it was ready`);
    else if (entry.seq !== telling.due) fault(`told seq ${entry.seq} where ${telling.due} was due`);
    telling.due = entry.seq + 1;
    if (telling.told.has(entry.message)) fault(`told message ${entry.message} twice`);
    telling.told.add(entry.message);
    const known = this.#canonical.get(entry.seq) ?? this.#ahead.get(entry.seq);
    if (known === undefined) {
      this.#learn(entry, fault);
    } else if (!isSame(known, entry)) {
      fault(`told another entry ${entry.seq}: ${describe(entry)}, not ${describe(known)}`);
    }
  }

  /** An entry that is new: it extends the history, with what was told of what follows, or waits. */
  #learn(entry: FinalEvent, fault: (what: string) => void): void {
    this.#ahead.set(entry.seq, entry);
    for (;;) {
      const next = this.#ahead.get(this.#end + 1);
      if (next === undefined) return;
      this.#ahead.delete(next.seq);
      this.#extend(next, fault);
    }
  }

  /** Entries that are told to be there and that nobody has told; null if there are none. */
  get gap(): { readonly from: number; readonly to: number } | null {
    if (this.#ahead.size === 0) return null;
    return { from: this.#end + 1, to: Math.min(...this.#ahead.keys()) - 1 };
  }

  /** Asks a peer for the entries of the gap, which it has in its folder. */
  async fillGap(peer: PeerProcess): Promise<readonly string[]> {
    const faults: string[] = [];
    for (let { gap } = this; gap !== null; { gap } = this) {
      const limit = Math.min(500, gap.to - gap.from + 1);
      for (const entry of await page(peer, gap.from, limit)) {
        this.#learn(entry, (what) => faults.push(`process ${peer.pid} has stored: ${what}`));
      }
    }
    return faults;
  }

  /** G3, G5 and G6 for an entry that no peer has told before. */
  #extend(entry: FinalEvent, fault: (what: string) => void): void {
    const before = this.#canonical.get(entry.seq - 1);
    if (before !== undefined && compareEpochs(entry.epoch, before.epoch) < 0) {
      fault(`the epoch decreases at seq ${entry.seq}`);
    }
    const seq = this.#seqs.get(entry.message);
    if (seq !== undefined) fault(`${entry.message} is final at ${seq} and at ${entry.seq}`);
    if (entry.kind === 'leader') {
      const epoch = entry.epoch.join('.');
      if (this.#led.has(epoch)) fault(`epoch ${epoch} began twice`);
      if (entry.author !== entry.epoch[1]) fault(`epoch ${epoch} began by ${entry.author}`);
      this.#led.add(epoch);
    }
    if (entry.kind === 'message') this.#onFinalMessage(entry, fault);
    this.#canonical.set(entry.seq, entry);
    this.#seqs.set(entry.message, entry.seq);
    this.#end = Math.max(this.#end, entry.seq);
    this.#open.delete(entry.message);
  }

  #onFinalMessage(entry: FinalEvent, fault: (what: string) => void): void {
    const text = entry.text ?? '';
    const sent = this.#sent.get(text);
    if (sent === undefined || sent.author !== entry.author) {
      fault(`told “${text.slice(0, 60)}” of peer ${entry.author}, which nobody sent`);
      return;
    }
    if (this.#finalTexts.has(text)) {
      this.#doubled += 1;
      fault(`“${text.slice(0, 60)}” is final twice`);
    }
    if (sent.message !== null && sent.message !== entry.message) {
      fault(`“${text.slice(0, 60)}” is final under another id`);
    }
    if (this.#refused.has(text)) fault(`“${text.slice(0, 60)}” is final after it was refused`);
    this.#finalTexts.add(text);
    if (sent.index < (this.#lastFinal.get(entry.author) ?? 0)) {
      fault(`“${text.slice(0, 60)}” is final after a later message of peer ${entry.author}`);
    }
    this.#lastFinal.set(entry.author, sent.index);
  }

  /**
   * G4 and G8, once everything has come to rest: everything accepted is final, and each of these peers
   * has the whole history in its data folder.
   */
  async atRest(peers: readonly PeerProcess[]): Promise<readonly string[]> {
    const folders = await Promise.all(peers.map(async (peer) => await stored(peer)));
    const faults = [...this.check()];
    for (const text of this.#open.values()) faults.push(`accepted and lost: ${text.slice(0, 60)}`);
    for (const [i, entries] of folders.entries()) {
      for (const [at, entry] of entries.entries()) {
        const known = this.#canonical.get(at + 1);
        if (known === undefined || !isSame(known, entry)) {
          faults.push(`process ${peers[i]?.pid} has stored another entry ${at + 1}`);
        }
      }
    }
    return faults;
  }
}

/** Everything final in the data folder of a peer, read page by page. */
async function stored(peer: PeerProcess): Promise<readonly FinalEvent[]> {
  const { commit } = await peer.status();
  const all: FinalEvent[] = [];
  while (all.length < commit) all.push(...(await page(peer, all.length + 1, 500)));
  // The page may go on past the mark that was asked for; who reads it will have been told by then.
  return all.slice(0, commit);
}

/** One page of history, not empty. */
async function page(
  peer: PeerProcess,
  from: number,
  limit: number,
): Promise<readonly FinalEvent[]> {
  const seen = peer.events.length;
  peer.send({ cmd: 'history', from, limit });
  const { entries } = await peer.event('history', (event) => peer.events.indexOf(event) >= seen);
  if (entries.length === 0) throw new Error(`no history at ${from}`);
  // Pages are large and many, and nobody asks for them again.
  peer.events.splice(seen, peer.events.length, ...withoutPages(peer.events.slice(seen)));
  return entries;
}

function withoutPages(events: readonly PeerEvent[]): readonly PeerEvent[] {
  return events.map((event) => (event.event === 'history' ? { ...event, entries: [] } : event));
}

function isSame(a: FinalEvent, b: FinalEvent): boolean {
  return (
    a.seq === b.seq &&
    a.hash === b.hash &&
    a.message === b.message &&
    a.kind === b.kind &&
    a.author === b.author &&
    a.text === b.text &&
    a.sentAt === b.sentAt &&
    compareEpochs(a.epoch, b.epoch) === 0
  );
}

function compareEpochs(a: FinalEvent['epoch'], b: FinalEvent['epoch']): number {
  return a[0] - b[0] || a[1] - b[1];
}

function describe(entry: FinalEvent): string {
  return `${entry.kind} ${entry.message} by ${entry.author} (${entry.hash.slice(0, 8)})`;
}
