/**
 * The one row of `state` and its seal: a hash over all the rest of it, written with every change, so that
 * a promise, a mark or a key that the disk has changed by itself is found before anybody hears of it.
 */
import { sha256 } from '../peer/identity.ts';

/** As SQLite gives it. */
export interface StateRow {
  mark: number;
  promised_number: number;
  promised_leader: number;
  last_own: Buffer | null;
  group_id: Buffer | null;
  group_key: Buffer | null;
  self_id: number | null;
  identity_seed: Buffer | null;
  name: string | null;
  host: string | null;
  port: number | null;
  created_at: number | null;
  /** Null in a folder that an older program wrote last. */
  readonly seal: Buffer | null;
}

/** The hash over everything but the seal itself. */
export function sealOf(state: StateRow): Buffer {
  const hex = (bytes: Buffer | null): string | null => bytes?.toString('hex') ?? null;
  // Texts and numbers in a fixed order: JSON keeps them apart, and null from everything else.
  const content = [
    state.mark,
    state.promised_number,
    state.promised_leader,
    hex(state.last_own),
    hex(state.group_id),
    hex(state.group_key),
    state.self_id,
    hex(state.identity_seed),
    state.name,
    state.host,
    state.port,
    state.created_at,
  ];
  return Buffer.from(sha256(Buffer.from(JSON.stringify(content))));
}
