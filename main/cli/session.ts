/**
 * One run of the headless peer from its options to its exit code: opens the peer, feeds it standard
 * input, ends it by command, by signal, by the end of input or by a fatal error. It decides nothing
 * about messages; the two interfaces show and understand them.
 */
import type { MessageId, NodeError, NodeEvent, Seq } from '../../shared/model.ts';
import type { Entry } from '../../shared/protocol/types.ts';
import type { CommandLine } from '../config.ts';
import type { Logger } from '../log.ts';
import { openPeer, type Peer } from '../peer/peer.ts';
import type { Input } from './input.ts';
import type { Output } from './output.ts';
import type { UserInterface } from './user-interface.ts';

/** How long the end of input waits while no own message becomes final and nothing is shown, milliseconds. */
const OWN_FINAL_MS = 10_000;
/**
 * How long a leave may last with everything, milliseconds, if the reader of the output takes nothing at
 * the end; and how long that reader may take nothing at least.
 */
const LEAVE_MS = 2_900;
const LAST_WORDS_MS_MIN = 200;
/** How long that reader may take nothing of a long answer before a leave begins, milliseconds. */
const ANSWERS_MS = 400;
/** Sends that are not stored yet, from which on input is not read any further. */
const UNACCEPTED_MAX = 8_192;
/** Entries that are fetched at once for a reader that was slow. */
const REFILL_ENTRIES = 500;

/** Exit codes: a wrong option, every other fatal error. */
const EXIT_BAD_OPTION = 2;
const EXIT_FATAL = 1;

/** What a run is made of. */
export interface SessionOptions {
  readonly options: CommandLine;
  readonly output: Output;
  /** Null: nothing is read, the peer runs until it is told to stop. */
  readonly input: Input | null;
  readonly log: Logger;
}

/** A run; `run` resolves with the exit code. */
export class Session {
  readonly #options: CommandLine;
  readonly #output: Output;
  readonly #input: Input | null;
  readonly #log: Logger;
  #interface: UserInterface | null = null;
  #peer: Peer | null = null;
  #exitCode = 0;
  #ending = false;
  #endingSince: number | null = null;
  #finish: (code: number) => void = () => {};
  readonly #finished: Promise<number>;
  /** Own messages that are stored and not final. */
  readonly #ownOpen = new Set<MessageId>();
  /** Told whenever something was stored, became final or was shown. */
  #onProgress: (() => void) | null = null;
  /** Last final entry that was shown, and the last one there is. */
  #shown: Seq = 0;
  #final: Seq = 0;
  #refilling = false;
  #inputPaused = false;
  #waitsForOutput = false;

  constructor({ options, output, input, log }: SessionOptions) {
    this.#options = options;
    this.#output = output;
    this.#input = input;
    this.#log = log;
    this.#finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** The peer once it is open. */
  peer(): Peer | null {
    return this.#peer;
  }

  /** Opens the peer and stays until it has ended. */
  async run(shown: UserInterface): Promise<number> {
    this.#interface = shown;
    const { logLevel: _level, json: _json, ...options } = this.#options;
    const onFinal = (entries: readonly Entry[]): void => this.#onFinal(entries);
    const opened = await openPeer({ ...options, key: null, log: this.#log, onFinal }, (event) =>
      this.#onEvent(event),
    );
    if (!opened.ok) {
      shown.showError(opened.error);
      return this.#lastWords(exitCodeOf(opened.error));
    }
    this.#peer = opened.value;
    if (this.#ending) void this.#peer.leave();
    else if (this.#input !== null) this.#readInput(this.#peer, this.#input);
    return this.#lastWords(await this.#finished);
  }

  /** Nothing can be shown any more: because the reader is gone, or its disk takes no more. */
  outputGone(readerGone: boolean): void {
    if (!readerGone && this.#exitCode === 0) this.#exitCode = EXIT_FATAL;
    this.quit();
  }

  /** Leaves the group and ends. */
  quit(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#endingSince = performance.now();
    void this.#leave();
  }

  /** What was asked for is read from the log before that closes, as long as the reader takes it. */
  async #leave(): Promise<void> {
    await this.#output.longLinesWritten(ANSWERS_MS);
    await this.#peer?.leave();
  }

  /** Ends without another word, as a crash does; resolves once the process can be ended. */
  async abandon(): Promise<void> {
    await this.#peer?.abandon();
  }

  /** What the reader has not taken yet, as long as it takes something and a leave may last. */
  async #lastWords(code: number): Promise<number> {
    const used = this.#endingSince === null ? 0 : performance.now() - this.#endingSince;
    await this.#output.flushed(Math.max(LAST_WORDS_MS_MIN, LEAVE_MS - used));
    return code;
  }

  #onEvent(event: NodeEvent): void {
    switch (event.kind) {
      case 'final':
        // Comes through `onFinal`.
        return;
      case 'closed':
        this.#finish(this.#exitCode);
        return;
      case 'ready':
        this.#shown = event.commit;
        break;
      case 'accepted':
        this.#ownOpen.add(event.message.message);
        this.#maybeResumeInput();
        this.#onProgress?.();
        break;
      case 'error':
        if (event.error.fatal) this.#exitCode = exitCodeOf(event.error);
        break;
      case 'provisional':
      case 'status':
      case 'progress':
        break;
    }
    this.#interface?.show(event);
  }

  #onFinal(entries: readonly Entry[]): void {
    this.#final = entries.at(-1)?.seq ?? this.#final;
    // A reader that cannot keep up gets the rest from the disk, later: memory stays bounded. After a
    // refill that ended early nothing more is shown, for there would be a gap.
    const follows = entries[0]?.seq === this.#shown + 1;
    if (!follows || this.#refilling || this.#output.congested) void this.#refill();
    else this.#show(entries);
    if (this.#ownOpen.size > 0) for (const { id } of entries) this.#ownOpen.delete(id);
    this.#onProgress?.();
  }

  #show(entries: readonly Entry[]): void {
    this.#interface?.showFinal(entries);
    this.#shown = entries.at(-1)?.seq ?? this.#shown;
  }

  async #refill(): Promise<void> {
    if (this.#refilling) return;
    this.#refilling = true;
    while (this.#shown < this.#final && !this.#ending) {
      await this.#output.drained();
      const entries = (await this.#peer?.entries(this.#shown + 1, REFILL_ENTRIES)) ?? [];
      if (entries.length === 0) break;
      this.#show(entries);
      this.#onProgress?.();
    }
    this.#refilling = false;
  }

  #readInput(peer: Peer, input: Input): void {
    input.start({
      line: (line) => {
        this.#interface?.takeLine(line);
        if (this.#inputPaused) return;
        if (!this.#output.overfull && peer.unaccepted < UNACCEPTED_MAX) return;
        this.#inputPaused = true;
        input.pause();
        this.#maybeResumeInput();
      },
      unreadable: (message) => {
        this.#interface?.showError({ code: 'BAD_COMMAND', message, fatal: false });
      },
      end: () => void this.#endOfInput(peer),
    });
  }

  #maybeResumeInput(): void {
    if (!this.#inputPaused || (this.#peer?.unaccepted ?? 0) > UNACCEPTED_MAX / 2) return;
    if (this.#output.overfull) {
      void this.#resumeWithRoom();
      return;
    }
    this.#inputPaused = false;
    this.#input?.resume();
  }

  async #resumeWithRoom(): Promise<void> {
    if (this.#waitsForOutput) return;
    this.#waitsForOutput = true;
    await this.#output.roomAgain();
    this.#waitsForOutput = false;
    this.#maybeResumeInput();
  }

  /** Own messages first, then a leave; what was never stored makes the exit code say so. */
  async #endOfInput(peer: Peer): Promise<void> {
    if (this.#ending) return;
    await this.#ownShown(peer);
    if (peer.unaccepted > 0 && this.#exitCode === 0) this.#exitCode = EXIT_FATAL;
    this.quit();
  }

  /** Resolves once every own message is final and shown, or nothing has moved for a while. */
  async #ownShown(peer: Peer): Promise<void> {
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const look = (): void => {
        clearTimeout(timer);
        const stored = peer.unaccepted === 0 && this.#ownOpen.size === 0;
        if (stored && this.#shown >= this.#final) resolve();
        else timer = setTimeout(resolve, OWN_FINAL_MS);
      };
      this.#onProgress = look;
      look();
    });
    this.#onProgress = null;
  }
}

function exitCodeOf(error: NodeError): number {
  return error.code === 'BAD_OPTION' ? EXIT_BAD_OPTION : EXIT_FATAL;
}
