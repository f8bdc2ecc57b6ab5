/**
 * The quorum rule as people see it: who is there, whether they suffice, who is still needed. A set A of the
 * n members is a quorum when |A| > n/2, or |A| = n/2 and A contains the highest id. It decides only words
 * and dots; the node decides by its own rule.
 */
import type { NodeStatus, PeerId } from '../../shared/model.ts';

export interface QuorumView {
  readonly members: readonly PeerId[];
  readonly connected: readonly PeerId[];
  readonly absent: readonly PeerId[];
  readonly isQuorum: boolean;
  /** This many members always suffice; of an even number, one fewer does with the highest id. */
  readonly needed: number;
  /** Any one of these alone would complete the quorum; empty when it is complete or one is not enough. */
  readonly anyOneOf: readonly PeerId[];
}

/** Members that this node hears and that hear it, itself included. */
export function connectedMembers(status: NodeStatus): readonly PeerId[] {
  const heard = new Set(status.peers.filter((p) => p.connected && !p.suspected).map((p) => p.id));
  return status.members.filter((id) => id === status.id || heard.has(id));
}

/** Whether some members are a quorum of all. */
export function isQuorum(some: readonly PeerId[], members: readonly PeerId[]): boolean {
  const twice = some.length * 2;
  if (twice !== members.length) return twice > members.length;
  return members.length > 0 && some.includes(Math.max(...members));
}

/** Who is there and who is needed, for a status. */
export function viewQuorum(status: NodeStatus): QuorumView {
  const members = [...status.members].sort((a, b) => a - b);
  const connected = connectedMembers({ ...status, members });
  const absent = members.filter((id) => !connected.includes(id));
  const complete = isQuorum(connected, members);
  return {
    members,
    connected,
    absent,
    isQuorum: complete,
    needed: Math.floor(members.length / 2) + 1,
    anyOneOf: complete ? [] : absent.filter((id) => isQuorum([...connected, id], members)),
  };
}

/**
 * Who has to come back, as the end of a sentence: "peer 2 or 3 is back", "peers 2 and 3 are back", "2 of
 * peers 2, 3 and 5 are back", "peer 4 is back, or peers 2 and 3 are back".
 */
export function describeWhoIsNeeded(view: QuorumView): string {
  const { absent, connected, members, anyOneOf } = view;
  if (anyOneOf.length > 0 && anyOneOf.length === absent.length) {
    return `peer ${listOf(absent, 'or')} is back`;
  }
  const highest = Math.max(...members);
  if (members.length % 2 === 1 || connected.includes(highest)) {
    const missing = Math.floor((members.length - 1) / 2) + 1 - connected.length;
    return `${someOf(missing, absent)} back`;
  }
  // The highest id breaks the tie of an even number, so one fewer suffices with it.
  const others = absent.filter((id) => id !== highest);
  const half = members.length / 2;
  const beside = half - 1 - connected.length;
  const withHighest =
    beside === 0
      ? `peer ${highest} is back`
      : `peer ${highest} and ${someOf(beside, others).replace(/ (is|are)$/, '')} are back`;
  if (half + 1 - connected.length > others.length) return withHighest;
  return `${withHighest}, or ${someOf(half + 1 - connected.length, others)} back`;
}

/** "peer 2 or 3 is", "peers 2 and 3 are", "2 of peers 2, 3 and 5 are"; long lists as a number. */
function someOf(count: number, ids: readonly PeerId[]): string {
  if (count === 1) return `peer ${listOf(ids, 'or')} is`;
  if (count === ids.length) return `peers ${listOf(ids, 'and')} are`;
  if (ids.length > 6) return `${count} of the ${ids.length} others are`;
  return `${count} of peers ${listOf(ids, 'and')} are`;
}

/** "2", "2 or 3", "2, 3 or 5". */
export function listOf(items: readonly (number | string)[], word: 'and' | 'or'): string {
  if (items.length <= 1) return items.join('');
  return `${items.slice(0, -1).join(', ')} ${word} ${String(items.at(-1))}`;
}
