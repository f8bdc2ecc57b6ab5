/**
 * Turns what a node says when it can't start into an error at the field of the form that mends it, in
 * words that say what to do there. It decides which failures a form can mend at all; the others end
 * the group on this machine until somebody acts outside the window. Pure.
 */
import type { FormError, FormField, Identity } from '../../shared/ipc/contract.ts';
import type { FatalCode, NodeError, WarningCode } from '../../shared/model.ts';

/** What a person filled in, as far as the words or the place of an error depend on it. */
export interface Asked {
  /** Joining through an invite link rather than through a seed address. */
  readonly byInvite: boolean;
  /** A group key was typed. */
  readonly withKey: boolean;
  /** Opening a group that this machine knows: there is no form to mend. */
  readonly known: boolean;
}

/** Failures that no field can mend: the data, the disk, or another process is in the way. */
const endings: ReadonlySet<FatalCode | WarningCode> = new Set([
  'DATA_IN_USE',
  'ID_IN_USE',
  'ID_MISMATCH',
  'ROLLED_BACK',
  'CORRUPT',
  'DISK',
]);

/** Whether this failure at start ends the group here instead of going back to the form. */
export function isEnding(error: NodeError): boolean {
  return endings.has(error.code);
}

/** The error at its field. `freePort` is offered when the chosen port is taken. */
export function formErrorFor(
  error: NodeError,
  identity: Identity,
  asked: Asked,
  freePort: number | null,
): FormError {
  const [field, message] = placeAndWords(error, identity, asked);
  const offer = error.code === 'PORT_IN_USE' && freePort !== null ? { freePort } : {};
  return { field: asked.known ? null : field, code: error.code, message, ...offer };
}

function placeAndWords(
  { code, message }: NodeError,
  { id, port, host }: Identity,
  { byInvite, withKey }: Asked,
): readonly [FormField, string] {
  const through = byInvite ? 'invite' : 'seed';
  switch (code) {
    case 'PORT_IN_USE':
      return ['port', `Another program uses port ${port} already.`];
    case 'ID_TAKEN':
      return ['id', `Somebody else in this group has id ${id}. Choose another one.`];
    case 'WRONG_KEY':
      if (byInvite)
        return ['invite', 'The group has another key than this link. Ask for a new one.'];
      return withKey
        ? ['key', 'This is not the key of that group.']
        : ['key', 'This computer does not know the key of that group. Enter it, or use a link.'];
    case 'WRONG_GROUP':
      return [through, 'Another group answers at this address.'];
    case 'VERSION':
      return [through, 'The others run another version of Lockstep. Update the older one.'];
    case 'BAD_OPTION':
      return badOption(message, host, through);
    default:
      return [null, sentence(message)];
  }
}

/** The node names what it could not use; only listening depends on the machine and passes the form. */
function badOption(
  message: string,
  host: string,
  through: 'invite' | 'seed',
): readonly [FormField, string] {
  if (!message.startsWith('cannot listen')) return [fieldOf(message, through), sentence(message)];
  return message.includes('EACCES')
    ? ['port', 'The system keeps this port for itself. Choose one above 1023.']
    : ['host', `This computer has no address ${host}. 0.0.0.0 stands for all that it has.`];
}

function fieldOf(message: string, through: 'invite' | 'seed'): FormField {
  if (message.includes('group key')) return 'key';
  if (message.includes('invite link')) return 'invite';
  return /has no valid (host|port|id)|is not HOST:PORT/.test(message) ? through : null;
}

/** What the joining card says of a seed that does not answer: the cause in brackets helps nobody. */
export function noticeFor(error: NodeError): string {
  return error.message.replace(/ \([^()]*\)/, '');
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
