/**
 * One headless peer as a real process, driven through its JSON interface. It knows the contract of that
 * interface and nothing else: no import from main/. Every wait has a deadline and names what it waited
 * for; a process is only ever signalled by the id it was started with.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { StringDecoder } from 'node:string_decoder';

const root = fileURLToPath(new URL('../..', import.meta.url));
const nodePath = `${root}node_modules/.bin/node`;
const cliPath = `${root}dist/main/cli.js`;

/** How long a condition may take unless a test knows better, milliseconds. */
export const patienceMs = 20_000;

/** A final entry as the `final` event has it. */
export interface FinalEvent {
  readonly event: 'final';
  readonly seq: number;
  readonly epoch: readonly [number, number];
  readonly kind: 'message' | 'members' | 'leader';
  readonly message: string;
  readonly author: number;
  readonly text: string | null;
  readonly sentAt: number;
  readonly hash: string;
  readonly members?: readonly { id: number; name: string; address: string }[];
}

/** A status event. */
export interface StatusEvent {
  readonly event: 'status';
  readonly id: number;
  readonly role: string;
  readonly established: boolean;
  readonly synchronising: boolean;
  readonly leader: number | null;
  readonly epoch: readonly [number, number];
  readonly members: readonly number[];
  readonly commit: number;
  readonly hash: string;
  readonly pending: number;
  readonly peers: readonly {
    id: number;
    connected: boolean;
    suspected: boolean;
    phi: number;
    rttMs: number | null;
    commit: number;
  }[];
}

/** The events that tests look into; any other is kept as it came. */
export type PeerEvent =
  | FinalEvent
  | StatusEvent
  | {
      readonly event: 'ready';
      readonly id: number;
      readonly host: string;
      readonly port: number;
      readonly group: string;
      readonly invite: string;
      readonly commit: number;
    }
  | { readonly event: 'accepted'; readonly ref: unknown; readonly message: string }
  | {
      readonly event: 'provisional';
      readonly message: string;
      readonly author: number;
      readonly text: string;
      readonly n: number;
    }
  | { readonly event: 'progress'; readonly at: number; readonly target: number }
  | { readonly event: 'history'; readonly entries: readonly FinalEvent[] }
  | {
      readonly event: 'error';
      readonly code: string;
      readonly message: string;
      readonly ref?: unknown;
    };

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How to start one. */
export interface SpawnOptions {
  readonly args: readonly string[];
  /** Per-user folder of keys and default data, so that no test sees another's. */
  readonly home: string;
  /** Another build of the program than the one in dist. */
  readonly program?: string;
  /** Command put before the program, as `ip netns exec NAME`. */
  readonly wrap?: readonly string[];
  /** Other environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where stderr goes; kept in memory as well. */
  readonly logFile?: string;
}

/** A started peer and everything it has said so far. */
export class PeerProcess {
  readonly child: ChildProcess;
  readonly events: PeerEvent[] = [];
  /** Final entries in the order in which they were told. */
  readonly final: FinalEvent[] = [];
  /** Ids of accepted messages by ref. */
  readonly accepted = new Map<unknown, string>();
  /** Lines of stdout that were no JSON object: always a fault. */
  readonly garbage: string[] = [];
  stderr = '';
  exit: Exit | null = null;
  readonly #watchers = new Set<() => void>();
  readonly #ended: Promise<Exit>;

  constructor(options: SpawnOptions) {
    const program = options.program ?? cliPath;
    const [command, ...args] = [...(options.wrap ?? []), nodePath, program, ...options.args];
    this.child = spawn(command ?? nodePath, args, {
      cwd: options.home,
      env: { ...process.env, LOCKSTEP_HOME: options.home, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const log = options.logFile === undefined ? null : openSync(options.logFile, 'a');
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      if (log !== null) writeSync(log, text);
    });
    // A peer that dies while a test writes to it is what some tests are about.
    this.child.stdin?.on('error', () => undefined);
    this.#readLines();
    this.#ended = new Promise((settle) => {
      this.child.once('close', (code, signal) => {
        if (log !== null) closeSync(log);
        this.exit = { code, signal };
        this.#notify();
        settle(this.exit);
      });
    });
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error('the peer could not be started');
    return pid;
  }

  /** Writes commands, one JSON line each, in one piece. */
  send(...commands: readonly object[]): void {
    this.child.stdin?.write(commands.map((command) => `${JSON.stringify(command)}\n`).join(''));
  }

  /** Writes a line as it is. */
  sendRaw(text: string | Uint8Array): void {
    this.child.stdin?.write(text);
  }

  /** Waits until `condition` gives something other than undefined, null or false. */
  async until<T>(
    what: string,
    condition: () => T | undefined | null | false,
    limitMs = patienceMs,
  ): Promise<T> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const value = condition();
      if (value !== undefined && value !== null && value !== false) return value;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${what}: not within ${limitMs} ms\n${this.describe()}`);
      await this.change(left);
    }
  }

  /** Waits for an event of this kind that satisfies `accepts`, past or future. */
  async event<K extends PeerEvent['event']>(
    kind: K,
    accepts: (event: Extract<PeerEvent, { event: K }>) => boolean = () => true,
    limitMs = patienceMs,
  ): Promise<Extract<PeerEvent, { event: K }>> {
    return await this.until(
      `event ${kind}`,
      () =>
        this.events.find(
          (event): event is Extract<PeerEvent, { event: K }> =>
            event.event === kind && accepts(event as Extract<PeerEvent, { event: K }>),
        ),
      limitMs,
    );
  }

  /** Asks for a fresh status. */
  async status(): Promise<StatusEvent> {
    const before = this.events.length;
    this.send({ cmd: 'status' });
    return await this.until('status', () =>
      this.events.slice(before).find((event): event is StatusEvent => event.event === 'status'),
    );
  }

  /** Asks for statuses until one satisfies `accepts`. */
  async statusWhere(
    what: string,
    accepts: (status: StatusEvent) => boolean,
    limitMs = patienceMs,
  ): Promise<StatusEvent> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const status = await this.status();
      if (accepts(status)) return status;
      if (Date.now() > deadline) throw new Error(`${what}: not reached\n${this.describe()}`);
      await this.change(50);
    }
  }

  /** The text of every final message so far. */
  texts(): readonly string[] {
    return this.final.flatMap((entry) => (entry.text === null ? [] : [entry.text]));
  }

  /** Sends a signal. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Ends the process at once, as a crash does. */
  async kill(): Promise<Exit> {
    if (this.exit === null) this.signal('SIGKILL');
    return await this.#ended;
  }

  /** Waits for the process to end by itself. */
  async ended(limitMs = patienceMs): Promise<Exit> {
    return await this.until('the end of the process', () => this.exit, limitMs);
  }

  /** Leaves gracefully. */
  async quit(): Promise<Exit> {
    this.send({ cmd: 'quit' });
    return await this.ended();
  }

  /** The last events and the log, for a failure's message. */
  describe(): string {
    const statuses = this.events.filter(({ event }) => event === 'status').slice(-2);
    const told = this.events.filter(({ event }) => event !== 'status' && event !== 'accepted');
    const last = [...told.slice(-8), ...statuses].map((event) =>
      JSON.stringify(event).slice(0, 700),
    );
    const ended = this.exit === null ? 'running' : JSON.stringify(this.exit);
    return `peer ${this.child.pid} (${ended})\n${last.join('\n')}\n${this.stderr.slice(-3_000)}`;
  }

  #readLines(): void {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    this.child.stdout?.on('data', (bytes: Buffer) => {
      const lines = (rest + decoder.write(bytes)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
      this.#notify();
    });
  }

  #take(line: string): void {
    let event: PeerEvent;
    try {
      event = JSON.parse(line) as PeerEvent;
    } catch {
      this.garbage.push(line);
      return;
    }
    // Final entries are many; they are kept once, in their own list.
    if (event.event === 'final') this.final.push(event);
    else this.events.push(event);
    if (event.event === 'accepted') this.accepted.set(event.ref, event.message);
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Waits until the process says something or ends, at most this long. */
  async change(limitMs: number): Promise<void> {
    await new Promise<void>((settle) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        settle();
      };
      const timer = setTimeout(done, limitMs);
      this.#watchers.add(done);
    });
  }
}
