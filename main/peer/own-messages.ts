/**
 * Messages that this process was asked to send, until they are durably accepted: held back while the
 * leader has not confirmed that the id is ours (a joiner), then given to the core in order. It keeps
 * what the asker wants back with the answer. A message that is never accepted is reported, not lost
 * silently.
 */
import type { MessageId, NodeError, SendOutcome, WaitingMessage } from '../../shared/model.ts';
import type { Input } from '../../shared/protocol/ready.ts';
import type { Message } from '../../shared/protocol/types.ts';
import { err, ok } from '../../shared/result.ts';

/** What a message is submitted to the core as. */
export type Submission = Extract<Input, { kind: 'submit' }>;

/** Who asked for a message, and how it was worded. */
export interface Asked {
  readonly text: string;
  /** Comes back with the answer. */
  readonly ref: unknown;
  /** Told the outcome instead of events about refusals; null: events only. */
  readonly settle: ((outcome: SendOutcome) => void) | null;
}

/** What is told to whoever asked. */
export interface OwnMessagesHandlers {
  readonly submit: (submission: Submission) => void;
  readonly accepted: (message: WaitingMessage, ref: unknown) => void;
  readonly refused: (error: NodeError, ref: unknown) => void;
}

/** The sends of one process. */
export class OwnMessages {
  readonly #handlers: OwnMessagesHandlers;
  readonly #asked = new Map<MessageId, Asked>();
  #held: Submission[] = [];
  #open = false;
  #drained: (() => void) | null = null;
  #opened: (() => void) | null = null;

  constructor(handlers: OwnMessagesHandlers) {
    this.#handlers = handlers;
  }

  /** Messages that were asked for and are not accepted yet. */
  get unaccepted(): number {
    return this.#asked.size;
  }

  /** Takes a message; it goes to the core at once if this peer's id is known to be its own. */
  add(submission: Submission, asked: Asked): void {
    this.#asked.set(submission.id, asked);
    if (this.#open) this.#handlers.submit(submission);
    else this.#held.push(submission);
  }

  /** The id is ours: what was held goes out in order, and later messages at once. */
  open(): void {
    if (this.#open) return;
    this.#open = true;
    this.#opened?.();
    for (const submission of this.#held) this.#handlers.submit(submission);
    this.#held = [];
  }

  /** Resolves once the id is ours. */
  async opened(): Promise<void> {
    if (this.#open) return;
    await new Promise<void>((resolve) => {
      this.#opened = resolve;
    });
  }

  /** The core has it on disk. */
  accepted({ id, author, sentAt }: Message): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    const { text, ref } = asked;
    this.#handlers.accepted({ message: id, author, text, sentAt, n: null }, ref);
    asked.settle?.(ok(id));
    if (this.#asked.size === 0) this.#drained?.();
  }

  /** Resolves once everything that the core was given is accepted. */
  async settled(): Promise<void> {
    if (this.#asked.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Gives up what is still held back. */
  refuseHeld(error: NodeError): void {
    const held = this.#held;
    this.#held = [];
    for (const { id } of held) this.refuse(id, error);
  }

  /** Gives up everything that is not accepted: this peer has ended. */
  refuseAll(error: NodeError): void {
    this.#held = [];
    for (const id of this.#asked.keys()) this.refuse(id, error);
    this.#drained?.();
  }

  /** Gives up one message, if it is not accepted. */
  refuse(id: MessageId, error: NodeError): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked === undefined) return;
    if (asked.settle === null) this.#handlers.refused(error, asked.ref);
    else asked.settle(err(error));
  }
}
