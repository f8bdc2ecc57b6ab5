/**
 * The command line of the headless peer: which options there are, what they mean, and what is wrong
 * with the ones that were given. It reads no file and opens nothing.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PEER_ID_MAX, type PeerId } from '../shared/model.ts';
import { err, ok, type Result } from '../shared/result.ts';
import { isLogLevel, LOG_LEVELS, type LogLevel } from './log.ts';
import { configFor, type ProtocolConfig } from '../shared/protocol/config.ts';
import { parseAddress } from './peer/addresses.ts';
import { parseInvite } from './peer/invite.ts';
import { userFolder } from './peer/key-store.ts';
import { wrongName } from './peer/peer-options.ts';

/** What the command line asks for. */
export interface CommandLine {
  /** The machine interface instead of the terminal's. */
  readonly json: boolean;
  readonly id: PeerId | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly seeds: readonly string[];
  readonly invite: string | null;
  readonly data: string;
  readonly name: string | null;
  readonly heartbeatMs: number;
  readonly evictAfterMs: number;
  readonly logLevel: LogLevel;
  readonly dial: ReadonlyMap<PeerId, string>;
}

/** The help that `--help` prints. */
export const USAGE = `Usage: npm run peer -- --id N [options]

  --id N               this peer's number, unique in the group; the highest leads.
                       Needed at the first start of a data folder
  --host H             interface to listen on (127.0.0.1); 0.0.0.0 or [::] for all
  --port P             port to listen on (6001); 0 picks a free one, which is kept
  --seed [ID:]HOST:PORT  a peer to join through; may be repeated
  --invite LINK        join with a link that a member gave you
  --data DIR           data folder (one per id in your user folder)
  --name NAME          display name (peer_ID)
  --json               JSON lines on stdin and stdout, for programs
  --heartbeat-ms MS    interval of signs of life (250)
  --evict-after-ms MS  silence after which a member is removed (30000)
  --log-level LEVEL    ${LOG_LEVELS.join(', ')} (warn); logs go to stderr
  --help               this text
`;

const OPTIONS = {
  id: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  seed: { type: 'string', multiple: true },
  invite: { type: 'string' },
  data: { type: 'string' },
  name: { type: 'string' },
  json: { type: 'boolean' },
  'heartbeat-ms': { type: 'string' },
  'evict-after-ms': { type: 'string' },
  'log-level': { type: 'string' },
  // Routes one link elsewhere, for tests that cut it.
  dial: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const;

const HEARTBEAT_MS_MIN = 20;
const HEARTBEAT_MS_MAX = 60_000;
const EVICT_MS_MAX = 7 * 24 * 3_600_000;

/** An option that cannot be used; thrown and caught in this file only. */
class BadOption extends Error {}

/** Reads the arguments after the program's name; the error names the option that is wrong. */
export function parseCommandLine(argv: readonly string[]): Result<CommandLine | 'help', string> {
  try {
    return ok(read(argv));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof BadOption) return err(message);
    if (code?.startsWith('ERR_PARSE_ARGS') === true) return err(firstSentence(message));
    throw error;
  }
}

/** True if the arguments ask for the machine interface, even when others of them are wrong. */
export function wantsJson(argv: readonly string[]): boolean {
  return argv.includes('--json');
}

function read(argv: readonly string[]): CommandLine | 'help' {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false });
  if (values.help === true) return 'help';
  const id = integer('--id', values.id, { min: 1, max: PEER_ID_MAX });
  for (const seed of values.seed ?? []) address('--seed', seed);
  const { invite, host, name } = values;
  if (invite !== undefined) {
    const parsed = parseInvite(invite);
    if (!parsed.ok) throw new BadOption(`--invite: ${parsed.error}`);
  }
  const hostText = host?.includes(':') === true ? bracketed(host) : host;
  if (hostText !== undefined && !parseAddress(`${hostText}:1`).ok) {
    throw new BadOption(`--host: "${host}" is no name or address to listen on`);
  }
  const wrong = name === undefined ? null : wrongName(name);
  if (wrong !== null) throw new BadOption(`--name: ${wrong}`);
  const heartbeat = { min: HEARTBEAT_MS_MIN, max: HEARTBEAT_MS_MAX };
  const evict = { min: 1, max: EVICT_MS_MAX };
  const heartbeatMs = integer('--heartbeat-ms', values['heartbeat-ms'], heartbeat) ?? 250;
  const evictAfterMs = integer('--evict-after-ms', values['evict-after-ms'], evict) ?? 30_000;
  const silence = quietestSilenceMs(configFor(heartbeatMs, evictAfterMs));
  if (evictAfterMs <= silence) {
    throw new BadOption(
      `--evict-after-ms must be above ${silence} with --heartbeat-ms ${heartbeatMs}`,
    );
  }
  return {
    json: values.json === true,
    id,
    host: host ?? null,
    port: integer('--port', values.port, { min: 0, max: 65_535 }),
    seeds: values.seed ?? [],
    invite: invite ?? null,
    data: dataFolder(values.data, id),
    name: name ?? null,
    heartbeatMs,
    evictAfterMs,
    logLevel: logLevel(values['log-level']),
    dial: new Map((values.dial ?? []).map(dialRoute)),
  };
}

/** After this much of it a member is suspected on the quietest of links, and not before. */
function quietestSilenceMs(config: ProtocolConfig): number {
  return config.heartbeatMs * config.floorIntervals * config.quietFactor;
}

function integer(
  option: string,
  text: string | undefined,
  range: { readonly min: number; readonly max: number },
): number | null {
  if (text === undefined) return null;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw new BadOption(
    `${option}: "${text}" is not a whole number from ${range.min} to ${range.max}`,
  );
}

function address(option: string, text: string): void {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new BadOption(`${option}: ${parsed.error}`);
}

function bracketed(host: string): string {
  return host.startsWith('[') ? host : `[${host}]`;
}

function dataFolder(given: string | undefined, id: PeerId | null): string {
  if (given !== undefined && given !== '') return given;
  if (given === '') throw new BadOption('--data: the folder is empty');
  if (id === null) throw new BadOption('--id is missing: which peer is this?');
  return join(userFolder(), 'peers', String(id));
}

function logLevel(text = 'warn'): LogLevel {
  if (isLogLevel(text)) return text;
  throw new BadOption(`--log-level: "${text}" is none of ${LOG_LEVELS.join(', ')}`);
}

function dialRoute(text: string): [PeerId, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new BadOption(`--dial: "${text}" is not ID=HOST:PORT`);
  const id = integer('--dial', text.slice(0, Math.max(0, at)), { min: 1, max: PEER_ID_MAX });
  const to = text.slice(at + 1);
  address('--dial', to);
  return [id ?? 0, to];
}

function firstSentence(message: string): string {
  return message.split('. ')[0] ?? message;
}
