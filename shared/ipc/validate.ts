/**
 * Decoders for what the untrusted page sends: each request's arguments, checked once, before any handler
 * sees them. It decides shape, types and bounds only; whether a port is free or a name may be taken is the
 * handler's question, answered with a FormError. An unknown field is an error: nothing rides along.
 */
import * as v from 'valibot';
import { PEER_ID_MAX } from '../model.ts';
import { err, ok } from '../result.ts';
import type { Result } from '../result.ts';
import type { RequestName, Requests } from './contract.ts';

/**
 * Longest text of a message or draft, in UTF-16 units. Four times what the node accepts, so that a text
 * that is merely too long gets the node's own TOO_LONG answer; beyond it the request is refused here.
 */
export const TEXT_LENGTH_MAX = 256 * 1024;

/** Longest one-line value: names, hosts, keys, folders. Beyond it the request is refused. */
export const LINE_LENGTH_MAX = 4096;

/** Longest invite, link or copied text; an invite lists a group's addresses. */
export const LINK_LENGTH_MAX = 16 * 1024;

/** Most entries that one `load-entries` may ask for. */
export const LOAD_LIMIT_MAX = 500;

const nothing = v.strictObject({});
const line = v.pipe(v.string(), v.maxLength(LINE_LENGTH_MAX));
const link = v.pipe(v.string(), v.maxLength(LINK_LENGTH_MAX));
const text = v.pipe(v.string(), v.maxLength(TEXT_LENGTH_MAX));

function integer(min: number, max: number) {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
}

const identity = {
  id: integer(1, PEER_ID_MAX),
  name: line,
  host: line,
  port: integer(0, 65_535),
};

const schemas: {
  readonly [Name in RequestName]: v.GenericSchema<unknown, Requests[Name]['args']>;
} = {
  'get-snapshot': nothing,
  'start-group': v.strictObject(identity),
  'join-group': v.strictObject({ ...identity, seed: line, invite: link, key: line }),
  'open-group': v.strictObject({ data: line }),
  'cancel-join': nothing,
  'join-again': nothing,
  'read-invite': v.strictObject({ link }),
  'send-message': v.strictObject({ text }),
  'load-entries': v.strictObject({
    from: integer(1, Number.MAX_SAFE_INTEGER),
    limit: integer(1, LOAD_LIMIT_MAX),
  }),
  'save-draft': v.strictObject({ text }),
  'save-settings': v.strictObject({
    theme: v.picklist(['system', 'light', 'dark']),
    statusPanel: v.boolean(),
  }),
  'copy-text': v.strictObject({ text }),
  'open-link': v.strictObject({ url: link }),
};

/** The checked arguments of a request, or one line that says which field is wrong and how. */
export function decodeRequest<Name extends RequestName>(
  name: Name,
  args: unknown,
): Result<Requests[Name]['args'], string> {
  const schema: v.GenericSchema<unknown, Requests[Name]['args']> = schemas[name];
  const decoded = v.safeParse(schema, args, { abortEarly: true });
  if (decoded.success) return ok(decoded.output);
  const [issue] = decoded.issues;
  const path = v.getDotPath(issue);
  return err(`${name}${path === null ? '' : `.${path}`}: ${issue.message}`);
}
