/**
 * What the first card's form holds and what can be said about it before main is asked. Pure. It checks only
 * what any reading of the field would refuse; whether an address answers or a port is free is main's to say.
 */
import type {
  FormError,
  FormField,
  Identity,
  JoinForm,
  StartView,
} from '../../shared/ipc/contract.ts';
import { NAME_BYTES_MAX, PEER_ID_MAX } from '../../shared/model.ts';
import { err, ok } from '../../shared/result.ts';
import type { Result } from '../../shared/result.ts';

/** The fields as typed. */
export interface StartForm {
  readonly way: 'join' | 'start';
  readonly invite: string;
  readonly seed: string;
  readonly key: string;
  readonly name: string;
  readonly id: string;
  readonly host: string;
  readonly port: string;
}

/** The form as the card first shows it. */
export function proposedForm(start: StartView): StartForm {
  const { id, name, host, port } = start.proposed;
  return {
    way: 'join',
    invite: start.invite,
    seed: '',
    key: '',
    name,
    id: String(id),
    host,
    port: String(port),
  };
}

/** What to send for starting a group, or the first field that cannot be sent. */
export function readIdentity(form: StartForm): Result<Identity, FormError> {
  const name = form.name.trim();
  if (name === '') return refuse('name', 'Choose a name; others see it beside your messages.');
  if (new TextEncoder().encode(name).length > NAME_BYTES_MAX) {
    return refuse('name', `This name is too long: ${NAME_BYTES_MAX} bytes at most.`);
  }
  const id = wholeNumber(form.id);
  if (id === null || id < 1 || id > PEER_ID_MAX) {
    return refuse('id', 'A peer id is a whole number from 1 to 2147483647.');
  }
  const host = form.host.trim();
  if (host === '') {
    return refuse('host', 'Enter the address to listen on; 0.0.0.0 means all interfaces.');
  }
  const port = wholeNumber(form.port);
  if (port === null || port > 65_535) {
    return refuse('port', 'A port is a whole number from 0 to 65535; 0 picks a free one.');
  }
  return ok({ id, name, host, port });
}

/** What to send for joining a group, or the first field that cannot be sent. */
export function readJoin(form: StartForm): Result<JoinForm, FormError> {
  const invite = form.invite.trim();
  const seed = form.seed.trim();
  if (invite === '') {
    if (seed === '') {
      return refuse('seed', 'Paste an invite link above, or enter the address of a member here.');
    }
    if (!/^(\d+:)?(\[[0-9a-f:.%]+\]|[^:\s[\]]+):\d{1,5}$/i.test(seed)) {
      return refuse('seed', 'An address looks like 192.168.1.20:6001 or 3:192.168.1.20:6001.');
    }
    const port = Number(seed.slice(seed.lastIndexOf(':') + 1));
    if (port < 1 || port > 65_535) {
      return refuse('seed', 'The number after the last colon is a port, from 1 to 65535.');
    }
  }
  const identity = readIdentity(form);
  if (!identity.ok) return identity;
  const key = form.key.trim();
  return ok(
    invite === ''
      ? { ...identity.value, seed, invite: '', key }
      : { ...identity.value, seed: '', invite, key: '' },
  );
}

function wholeNumber(text: string): number | null {
  return /^\d{1,10}$/.test(text.trim()) ? Number(text.trim()) : null;
}

function refuse(field: FormField, message: string): Result<never, FormError> {
  return err({ field, code: 'INVALID', message });
}
