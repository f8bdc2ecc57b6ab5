/**
 * Quorum arithmetic, nothing else: when a set of members is a quorum of a list, and up to which seq a
 * quorum has stored. Majority, with the linear tie-break of dynamic linear voting (Jajodia and Mutchler
 * 1990): exactly half counts when it contains the highest member. Any two quorums of one list intersect.
 */
import { assert } from '../assert.ts';
import type { PeerId, Seq } from './types.ts';

/** True if the members for which `has` holds are a quorum of `members` (not empty). */
export function isQuorum<M extends { readonly id: PeerId }>(
  members: readonly M[],
  has: (member: M) => boolean,
): boolean {
  assert(members.length > 0, 'a members list is never empty');
  let count = 0;
  let highest = 0;
  let hasHighest = false;
  for (const member of members) {
    const counted = has(member);
    if (counted) count++;
    if (member.id > highest) {
      highest = member.id;
      hasHighest = counted;
    }
  }
  const twice = 2 * count;
  return twice > members.length || (twice === members.length && hasHighest);
}

/** The greatest seq that a quorum of `members` has stored, given what each has stored (0: nothing). */
export function quorumSeq<M extends { readonly id: PeerId }>(
  members: readonly M[],
  storedBy: (member: M) => Seq,
): Seq {
  assert(members.length > 0, 'a members list is never empty');
  const stored = members.map(storedBy);
  let highest = 0;
  for (let i = 1; i < members.length; i++) {
    if ((members[i] as M).id > (members[highest] as M).id) highest = i;
  }
  const highestStored = stored[highest] as Seq;
  const descending = [...stored].sort((a, b) => b - a);
  const half = members.length / 2;
  const majority = descending[Math.floor(half)] as Seq;
  if (!Number.isInteger(half)) return majority;
  // With an even list, half of it including the highest member is enough.
  return Math.max(majority, Math.min(descending[half - 1] as Seq, highestStored));
}
