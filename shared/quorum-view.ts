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
  /** Each of these could help to complete it, alone or with others; empty when it is complete. */
  readonly wanted: readonly PeerId[];
}

/** Whether some members are a quorum of all. */
export function isQuorum(some: readonly PeerId[], members: readonly PeerId[]): boolean {
  const there = new Set(some);
  const twice = members.filter((id) => there.has(id)).length * 2;
  if (twice !== members.length) return twice > members.length;
  return members.length > 0 && there.has(Math.max(...members));
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
    wanted: complete ? [] : wantedOf({ connected, absent, lists }),
  };
}

type Standing = Pick<QuorumView, 'connected' | 'absent' | 'lists'>;

function wantedOf(standing: Standing): readonly PeerId[] {
  const { absent, lists } = standing;
  // All that counts of a member is which lists it is in, and where it is the highest: a few cases at most.
  const caseOf = (id: PeerId): string =>
    lists.map((list) => (Math.max(...list) === id ? 2 : list.includes(id) ? 1 : 0)).join(' ');
  const examples = new Map(absent.map((id) => [caseOf(id), id]));
  const helping = new Set(
    [...examples].flatMap(([each, id]) => (canHelp(id, standing) ? each : [])),
  );
  return absent.filter((id) => helping.has(caseOf(id)));
}

/** Whether some absent ones are a quorum with this one and those connected, and none without it. */
function canHelp(id: PeerId, { connected, absent, lists }: Standing): boolean {
  const completes = (some: readonly PeerId[]): boolean =>
    isQuorumOfEach([...connected, ...some], lists);
  const others = absent.filter((other) => other !== id);
  // Who does not need this one is left out. Of two lists somebody may be enough for both, or two others
  // one for each: so the search goes from both ends.
  return [others, others.toReversed()].some((order) => {
    let beside = others;
    for (const other of order) {
      const fewer = beside.filter((one) => one !== other);
      if (completes([...fewer, id])) beside = fewer;
    }
    return completes([...beside, id]) && !completes(beside);
  });
}

function ascending(ids: Iterable<PeerId>): readonly PeerId[] {
  return [...ids].sort((a, b) => a - b);
}

/** What somebody is called; null if it is not known. */
export type Naming = (id: PeerId) => string | null;

const nameless: Naming = () => null;

/**
 * Who has to come back, as the end of a sentence: "peer 2 or 3 is back", "peers 2 and 3 are back", "2 of
 * peers 2, 3 and 5 are back", "peer 4 is back, or peers 2 and 3 are back"; with a name where one is known:
 * "Ben (2) or peer 3 is back". Of two lists that both lack somebody else it names the lists.
 */
export function describeWhoIsNeeded(quorum: QuorumView, nameOf: Naming = nameless): string {
  const { anyOneOf, connected, lists } = quorum;
  const lacking = lists.filter((list) => !isQuorum(connected, list));
  const needs = new Set(lacking.map((list) => describeNeedOf(list, connected, nameOf)));
  const [need = ''] = needs;
  if (needs.size <= 1) return need;
  // Nothing works without one of this list, and any one of these is enough for the other as well.
  const absent = lacking.map((list) => list.filter((id) => !connected.includes(id)));
  const enough = absent.find((ids) => ids.every((id) => anyOneOf.includes(id)));
  if (enough !== undefined) return `${someOf(1, ascending(enough), nameOf)} back`;
  const [before = '', now = ''] = lacking.map((list) =>
    listOf(
      ascending(list).map((id) => nameOf(id) ?? id),
      'and',
    ),
  );
  return `a quorum of the members before (${before}) and one of those now (${now}) are connected`;
}

/** Who of one list has to come back. */
function describeNeedOf(list: readonly PeerId[], there: readonly PeerId[], nameOf: Naming): string {
  const members = ascending(list);
  const connected = members.filter((id) => there.includes(id));
  const absent = members.filter((id) => !there.includes(id));
  if (absent.every((id) => isQuorum([...connected, id], members))) {
    return `${someOf(1, absent, nameOf)} back`;
  }
  const highest = Math.max(...members);
  if (members.length % 2 === 1 || connected.includes(highest)) {
    const missing = Math.floor((members.length - 1) / 2) + 1 - connected.length;
    return `${someOf(missing, absent, nameOf)} back`;
  }
  // The highest id breaks the tie of an even number, so one fewer suffices with it.
  const others = absent.filter((id) => id !== highest);
  const half = members.length / 2;
  const beside = half - 1 - connected.length;
  const first = called([highest], 'and', nameOf);
  const withHighest =
    beside === 0
      ? `${first} is back`
      : `${first} and ${someOf(beside, others, nameOf).replace(/ (is|are)$/, '')} are back`;
  if (half + 1 - connected.length > others.length) return withHighest;
  return `${withHighest}, or ${someOf(half + 1 - connected.length, others, nameOf)} back`;
}

/** "peer 2 or 3 is", "peers 2 and 3 are", "2 of peers 2, 3 and 5 are"; long lists as a number. */
function someOf(count: number, ids: readonly PeerId[], nameOf: Naming): string {
  if (count === ids.length && count > 1) return `${called(ids, 'and', nameOf)} are`;
  if (ids.length > 6) return `${count} of the ${ids.length} others ${count === 1 ? 'is' : 'are'}`;
  if (count === 1) return `${called(ids, 'or', nameOf)} is`;
  return `${count} of ${called(ids, 'and', nameOf)} are`;
}

/** "peer 2", "peers 2 and 3", "peer 2 or 3", "Ben (2) or peer 3". */
function called(ids: readonly PeerId[], word: 'and' | 'or', nameOf: Naming): string {
  if (ids.every((id) => nameOf(id) === null)) {
    return `${word === 'and' && ids.length > 1 ? 'peers' : 'peer'} ${listOf(ids, word)}`;
  }
  return listOf(
    ids.map((id) => describePeer(id, nameOf)),
    word,
  );
}

/** "Ben (2)", or "peer 2" for one whose name is not known. */
export function describePeer(id: PeerId, nameOf: Naming): string {
  const name = nameOf(id);
  return name === null ? `peer ${id}` : `${name} (${id})`;
}

/** "2", "2 or 3", "2, 3 or 5". */
export function listOf(items: readonly (number | string)[], word: 'and' | 'or'): string {
  if (items.length <= 1) return items.join('');
  return `${items.slice(0, -1).join(', ')} ${word} ${String(items.at(-1))}`;
}
