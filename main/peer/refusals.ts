/**
 * What a refused link means for this peer: whether it must stop, and what its user is told. A refusal
 * counts only from somebody who has proven the group key, or from the seed that this peer itself chose
 * to join through; anybody else could stop a peer with one packet.
 */
import { assertNever } from '../../shared/assert.ts';
import type { FatalCode, NodeError } from '../../shared/model.ts';
import { objectionTo } from '../../shared/protocol/links.ts';
import type { KnownPeer, LinkedPeer } from '../../shared/protocol/ready.ts';
import type { LinkRefused, Refusal, RefusalCode } from './transport.ts';

const WORDS: Readonly<Partial<Record<RefusalCode, string>>> = {
  ID_TAKEN: 'This id belongs to someone else in the group. Join with another id.',
  ID_IN_USE:
    'The same identity is up elsewhere: this data folder is a copy. Close the other one, or join ' +
    'afresh in an empty folder with a new id.',
  ROLLED_BACK:
    'This data folder is an old copy: the group has seen a newer one. Join afresh in an empty folder ' +
    'with a new id.',
  WRONG_KEY: 'The key of this group is missing or wrong. Join with an invite link of a member.',
  WRONG_GROUP: 'The seed belongs to another group.',
  VERSION: 'The other peers run another version of Lockstep. Update the older ones.',
};

/** Codes that stop any peer, once somebody who proved the key says so. */
const ALWAYS: ReadonlySet<RefusalCode> = new Set(['ID_IN_USE', 'ROLLED_BACK']);
/** Codes that stop a peer that is not a member yet, from the seed it asked. */
const JOINING: ReadonlySet<RefusalCode> = new Set(['WRONG_KEY', 'WRONG_GROUP', 'VERSION']);

/** The error that ends this peer because of a refusal; null when it goes on. */
export function endingOf(refused: LinkRefused, joining: boolean): NodeError | null {
  const { code, by, proven, seed } = refused;
  const trusted = proven || (joining && seed);
  const ends =
    (ALWAYS.has(code) && by === 'them' && trusted) ||
    (code === 'ID_TAKEN' && by === 'them' && joining && trusted) ||
    (JOINING.has(code) && joining && seed);
  return ends ? fatal(code as FatalCode, refused.message) : null;
}

/** A fatal error in words; `detail` is what the other side or the system said. */
export function fatal(code: FatalCode, detail: string): NodeError {
  const words = WORDS[code as RefusalCode];
  const message = words === undefined ? detail : `${words} (${detail})`;
  return { code, message, fatal: true };
}

/** Why a peer that proved who it is is not let in, by what is known of its id; null lets it in. */
export function refusalFor(peer: LinkedPeer, known: KnownPeer | undefined): Refusal | null {
  const code = objectionTo(peer, known);
  switch (code) {
    case null:
      return null;
    case 'ID_TAKEN':
      return { code, message: `id ${peer.id} belongs to someone else` };
    case 'ROLLED_BACK':
      return { code, message: `peer ${peer.id} promised more before than its data says now` };
    default:
      return assertNever(code, 'objection');
  }
}
