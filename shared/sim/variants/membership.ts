/** Variants that put peers on the list, or take them off it, when those who stay cannot carry that. */
import type { Variant } from './variant.ts';

export const membershipVariants: readonly Variant[] = [
  {
    name: 'no-hand-over',
    breaks: 'When a leader says that it leaves, the next one takes over at once (E7).',
    script: 'membership/leader-hands-over.txt',
    edits: [
      {
        file: 'election.ts',
        find: "      if (s.peers.get(role.leader)?.leaving === true) return 'no-leader';\n      return mayTakeOver",
        replace: '      return mayTakeOver',
      },
    ],
    within: 200,
  },
  {
    name: 'needed-one-let-go',
    breaks: 'Who is needed for a quorum of those who stay is listed until others are back (E7).',
    script: 'membership/needed-one-stays-listed.txt',
    edits: [
      {
        file: 'membership.ts',
        find: 'return ({ id }) => leaves.has(id) && (isEnough || !isConnected(s, id));',
        replace: 'return ({ id }) => leaves.has(id) && (isEnough || id > 0);',
      },
    ],
    within: null,
  },
  {
    name: 'joiner-listed-unheard',
    breaks: 'A joiner is listed once it stores what it is sent (E8).',
    script: 'membership/joiner-must-have-acknowledged.txt',
    edits: [
      {
        file: 'membership.ts',
        find: 'if (progress === undefined || progress.matched === 0) return false;\n  return progress.matched + s.config.caughtUpEntries >= s.log.last.seq;',
        replace: 'return progress !== undefined;',
      },
    ],
    within: null,
  },
  {
    name: 'listed-by-an-old-wish',
    breaks: 'After an own pause nobody is listed who has not heard this peer since (E12).',
    script: 'membership/sleeper-lists-nobody.txt',
    edits: [
      {
        file: 'membership.ts',
        find: '  if ((peer.heartbeat?.echo?.stamp ?? 0) < s.awakeSince) return false;\n',
        replace: '',
      },
    ],
    within: null,
  },
  {
    name: 'all-join-at-once',
    breaks: 'Only so many join at once as the old members can carry (E8).',
    script: 'membership/many-join-at-once.txt',
    edits: [
      {
        file: 'membership.ts',
        find: 'return isQuorum(next, ({ id }) => before.has(id) && isConnected(s, id));',
        replace: 'return before.size > 0;',
      },
    ],
    within: null,
  },
  {
    name: 'evicted-though-heard',
    breaks: 'Nobody is taken off the list whom a connected member hears (E9).',
    script: 'membership/heard-by-somebody-is-not-evicted.txt',
    edits: [
      {
        file: 'membership.ts',
        find: 'return other?.connected === true && other.heartbeat?.hears.includes(id) === true;',
        replace: 'return false;',
      },
    ],
    within: null,
  },
  {
    name: 'evicted-again-as-fast',
    breaks: 'The second eviction of the same peer takes twice as long (E9).',
    script: 'membership/second-eviction-is-slower.txt',
    edits: [
      {
        file: 'membership.ts',
        find: 's.config.evictAfterMs * 2 ** times',
        replace: 's.config.evictAfterMs * 1 ** times',
      },
    ],
    within: null,
  },
];
