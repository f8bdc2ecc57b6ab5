/**
 * The machine interface: one JSON object a line, both ways. Field names are a contract with programs:
 * fields may be added, none may change.
 */
import type { NodeError, Seq, WaitingMessage } from '../../shared/model.ts';
import { assertNever } from '../../shared/assert.ts';
import type { Entry } from '../../shared/protocol/types.ts';
import type { Peer } from '../peer/peer.ts';
import { membersOf } from '../peer/views.ts';
import type { JsonBytes } from './json-bytes.ts';
import type { Output } from './output.ts';
import type { SessionActions, ShownEvent, UserInterface } from './user-interface.ts';

/** Half of a surrogate pair: no text, and no bytes could carry it. */
const HALF_CHARACTER = /\p{Surrogate}/u;

/** Entries of one `history` answer unless asked otherwise. */
const HISTORY_LIMIT = 500;
/** Entries of it that are read at once, 16 MiB at most. */
const HISTORY_PART = 256;

/** Speaks JSON lines. */
export class MachineInterface implements UserInterface {
  readonly #output: Output;
  readonly #session: SessionActions;

  constructor(output: Output, session: SessionActions) {
    this.#output = output;
    this.#session = session;
  }

  show(event: ShownEvent): void {
    if (event.kind === 'accepted') this.#showAccepted(event);
    else this.#output.line(lineOf(event));
  }

  #showAccepted({ message, ref }: Extract<ShownEvent, { kind: 'accepted' }>): void {
    this.#output.lines((bytes) => {
      bytes.ascii('{"event":"accepted","message":"');
      bytes.ascii(message.message);
      bytes.ascii('"');
      bytes.raw(refField(ref));
      bytes.ascii('}\n');
    });
  }

  showFinal(entries: readonly Entry[]): void {
    this.#output.lines((bytes) => {
      for (const entry of entries) {
        bytes.ascii('{"event":"final",');
        writeFields(bytes, entry);
        bytes.ascii('}\n');
      }
    });
  }

  showError(error: NodeError, ref?: unknown): void {
    this.#output.line(lineOf({ kind: 'error', error, ref }));
  }

  takeLine(line: string): void {
    if (line.trim() === '') return;
    const command = parseObject(line);
    if (command === null) {
      this.#refuse('not a JSON object', undefined);
      return;
    }
    const ref = echoOf(command.ref);
    if (ref === NO_ECHO) {
      this.#refuse('"ref" is nested too deep to be echoed', undefined);
      return;
    }
    const peer = this.#session.peer();
    if (peer === null) return;
    switch (command['cmd']) {
      case 'send':
        this.#send(peer, command['text'], ref);
        return;
      case 'status':
        this.show({ kind: 'status', status: peer.status() });
        return;
      case 'history':
        this.#history(command, ref);
        return;
      case 'quit':
        this.#session.quit();
        return;
      default:
        this.#refuse('"cmd" is none of send, status, history, quit', ref);
    }
  }

  #send(peer: Peer, text: unknown, ref: unknown): void {
    if (typeof text !== 'string') this.#refuse('"send" needs a "text"', ref);
    else if (HALF_CHARACTER.test(text)) this.#refuse('"text" is not well-formed Unicode', ref);
    else peer.send(text, ref);
  }

  #history(command: Command, ref: unknown): void {
    const { from = 1, limit = HISTORY_LIMIT } = command;
    const peer = this.#session.peer();
    if (!isCount(from) || !isCount(limit)) {
      this.#refuse('"from" and "limit" are whole numbers from 1', ref);
    } else if (peer !== null) {
      this.#output.longLine(() => historyLine(peer, { from, limit, ref }));
    }
  }

  #refuse(message: string, ref: unknown): void {
    this.showError({ code: 'BAD_COMMAND', message, fatal: false }, ref);
  }
}

/** The answer to `history` in parts: it may be longer than memory should be. */
async function* historyLine(
  peer: Peer,
  asked: { readonly from: Seq; readonly limit: number; readonly ref: unknown },
): AsyncGenerator<(bytes: JsonBytes) => void> {
  const { from, limit, ref } = asked;
  const last = Math.min(from + limit - 1, peer.status().commit);
  yield (bytes) => bytes.ascii('{"event":"history","entries":[');
  let next = from;
  while (next <= last) {
    const entries = await peer.entries(next, Math.min(HISTORY_PART, last - next + 1));
    if (entries.length === 0) break;
    yield (bytes) => {
      for (const entry of entries) {
        bytes.ascii(entry.seq === from ? '{' : ',{');
        writeFields(bytes, entry);
        bytes.ascii('}');
      }
    };
    next += entries.length;
  }
  // The peer has ended meanwhile: what is missing must not look as if it were not there.
  const cut = next <= last ? ',"cut":true' : '';
  yield (bytes) => bytes.raw(`]${cut}${refField(ref)}}\n`);
}

interface Command {
  readonly cmd?: unknown;
  readonly text?: unknown;
  readonly ref?: unknown;
  readonly from?: unknown;
  readonly limit?: unknown;
}

function parseObject(line: string): Command | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Any line may come; the sender is told.
    return null;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function lineOf(event: Exclude<ShownEvent, { kind: 'accepted' }>): string {
  switch (event.kind) {
    case 'ready': {
      const { kind, ...fields } = event;
      return JSON.stringify({ event: kind, ...fields });
    }
    case 'provisional':
      return provisionalLine(event.message);
    case 'status':
      return JSON.stringify({ event: 'status', ...event.status });
    case 'progress':
      return JSON.stringify({ event: 'progress', at: event.at, target: event.target });
    case 'error': {
      const { code, message } = event.error;
      return `{"event":"error","code":"${code}","message":${JSON.stringify(message)}${refField(event.ref)}}`;
    }
    default:
      return assertNever(event, 'event');
  }
}

function provisionalLine({ message, author, text, n }: WaitingMessage): string {
  return JSON.stringify({ event: 'provisional', message, author, text, n });
}

/** A `ref` that is an object or a list, as the JSON text that goes back. */
class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const NO_ECHO = Symbol('a ref that cannot be echoed');

/** A `ref` in the form in which it is kept; whether it can be echoed is found out before anything is sent. */
function echoOf(ref: unknown): unknown {
  if (typeof ref !== 'object' || ref === null) return ref;
  try {
    return new RawJson(JSON.stringify(ref));
  } catch {
    // Nested deeper than JSON.stringify goes, though JSON.parse went there.
    return NO_ECHO;
  }
}

function refField(ref: unknown): string {
  if (ref === undefined) return '';
  return `,"ref":${ref instanceof RawJson ? ref.text : JSON.stringify(ref)}`;
}

/**
 * The fields of an entry as JSON without braces, straight from what the protocol holds: this is the line
 * that a busy peer prints most. Ids are hex digits and dashes.
 */
function writeFields(bytes: JsonBytes, entry: Entry): void {
  bytes.ascii('"seq":');
  bytes.integer(entry.seq);
  bytes.ascii(',"epoch":[');
  bytes.integer(entry.epoch.number);
  bytes.ascii(',');
  bytes.integer(entry.epoch.leader);
  bytes.ascii('],"kind":"');
  bytes.ascii(entry.kind);
  bytes.ascii('","message":"');
  bytes.ascii(entry.id);
  bytes.ascii('","author":');
  bytes.integer(entry.author);
  bytes.ascii(',"text":');
  if (entry.kind === 'message') bytes.string(entry.body);
  else bytes.ascii('null');
  bytes.ascii(',"sentAt":');
  bytes.integer(entry.sentAt);
  bytes.ascii(',"hash":"');
  bytes.hex(entry.hash);
  bytes.ascii('"');
  if (entry.kind === 'members') bytes.raw(`,"members":${JSON.stringify(membersOf(entry))}`);
}
