/**
 * The quorum rule as people see it: who is there, whether they suffice, who is still needed. A set A of the
 * n members is a quorum when |A| > n/2, or |A| = n/2 and A contains the highest id; while a change of the
 * members is not final, a quorum of the old and of the new list. It decides only words and dots; the node
 * decides by its own rule.
 */
import type { NodeStatus, PeerId } from './model.ts';

export interface QuorumView {
  /** Everybody in a list in effect, by id. */
  readonly members: readonly PeerId[];
  /** The lists in effect, newest last; two while a change of the members is not final. */
  readonly lists: readonly (readonly PeerId[])[];
  readonly connected: readonly PeerId[];
  readonly absent: readonly PeerId[];
  /** Those connected are a quorum of every list in effect. */
  readonly isQuorum: boolean;
  /** Any one of these alone would complete the quorum; empty when it is complete or one is not enough. */
  readonly anyOneOf: readonly PeerId[];
}

/** Whether some members are a quorum of all. */
export function isQuorum(some: readonly PeerId[], members: readonly PeerId[]): boolean {
  const twice = some.filter((id) => members.includes(id)).length * 2;
  if (twice !== members.length) return twice > members.length;
  return members.length > 0 && some.includes(Math.max(...members));
}

/** Whether some members are a quorum of each of these lists; no list has none. */
function isQuorumOfEach(some: readonly PeerId[], lists: readonly (readonly PeerId[])[]): boolean {
  return lists.length > 0 && lists.every((list) => isQuorum(some, list));
}

/** Who is there and who is needed, for a status. Who is heard and hears us is there, and oneself. */
export function viewQuorum(status: Pick<NodeStatus, 'id' | 'lists' | 'peers'>): QuorumView {
  const { lists } = status;
  const heard = new Set(status.peers.filter((p) => p.connected && !p.suspected).map((p) => p.id));
  const members = ascending(new Set(lists.flat()));
  const connected = members.filter((id) => id === status.id || heard.has(id));
  const absent = members.filter((id) => !connected.includes(id));
  const complete = isQuorumOfEach(connected, lists);
  return {
    members,
    lists,
    connected,
    absent,
    isQuorum: complete,
    anyOneOf: complete ? [] : absent.filter((id) => isQuorumOfEach([...connected, id], lists)),
  };
}

function ascending(ids: Iterable<PeerId>): readonly PeerId[] {
  return [...ids].sort((a, b) => a - b);
}

/**
 * Who has to come back, as the end of a sentence: "peer 2 or 3 is back", "peers 2 and 3 are back", "2 of
 * peers 2, 3 and 5 are back", "peer 4 is back, or peers 2 and 3 are back". Of two lists that both lack
 * somebody else it names the lists.
 */
export function describeWhoIsNeeded({ anyOneOf, connected, lists }: QuorumView): string {
  const lacking = lists.filter((list) => !isQuorum(connected, list));
  const needs = new Set(lacking.map((list) => describeNeedOf(list, connected)));
  const [need = ''] = needs;
  if (needs.size <= 1) return need;
  // Nothing works without one of this list, and any one of these is enough for the other as well.
  const absent = lacking.map((list) => list.filter((id) => !connected.includes(id)));
  const enough = absent.find((ids) => ids.every((id) => anyOneOf.includes(id)));
  if (enough !== undefined) return `peer ${listOf(ascending(enough), 'or')} is back`;
  const [before = [], now = []] = lacking;
  return (
    `a quorum of the members before (${listOf(ascending(before), 'and')}) and one of those now ` +
    `(${listOf(ascending(now), 'and')}) are connected`
  );
}

/** Who of one list has to come back. */
function describeNeedOf(list: readonly PeerId[], there: readonly PeerId[]): string {
  const members = ascending(list);
  const connected = members.filter((id) => there.includes(id));
  const absent = members.filter((id) => !there.includes(id));
  if (absent.every((id) => isQuorum([...connected, id], members))) {
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
