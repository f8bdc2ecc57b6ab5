/**
 * Turns what a node says when it can't start into an error at the field of the form that mends it.
 * It decides which failures a form can mend at all; the others end the group on this machine until
 * somebody acts outside the window. Pure.
 */
import type { FormError, FormField } from '../../shared/ipc/contract.ts';
import type { FatalCode, NodeError, WarningCode } from '../../shared/model.ts';

/** What a person filled in, as far as it tells which field an error belongs to. */
export interface Asked {
  /** Joining through an invite link rather than through a seed address. */
  readonly byInvite: boolean;
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
export function formErrorFor(error: NodeError, asked: Asked, freePort: number | null): FormError {
  const { code, message } = error;
  const field = asked.known ? null : fieldFor(code, asked.byInvite);
  const offer = code === 'PORT_IN_USE' && freePort !== null ? { freePort } : {};
  return { field, code, message, ...offer };
}

function fieldFor(code: FatalCode | WarningCode, byInvite: boolean): FormField {
  switch (code) {
    case 'PORT_IN_USE':
      return 'port';
    case 'ID_TAKEN':
      return 'id';
    case 'WRONG_KEY':
      return byInvite ? 'invite' : 'key';
    case 'WRONG_GROUP':
    case 'VERSION':
    case 'UNREACHABLE':
      return byInvite ? 'invite' : 'seed';
    default:
      return null;
  }
}
