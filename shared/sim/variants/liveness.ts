/** Variants that leave a group that has its quorum without a leader, or with the wrong one. */
import type { Variant } from './variant.ts';

export const livenessVariants: readonly Variant[] = [
  {
    name: 'no-reunion',
    breaks: 'Who leads or follows provisionally and hears a quorum stands (E1).',
    script: 'election/reunion.txt',
    edits: [
      {
        file: 'election.ts',
        find: `    case 'leading-provisionally':
      return mayReunite(s) ? 'reunion' : null;`,
        replace: `    case 'leading-provisionally':
      return null;`,
      },
    ],
    within: 2_000,
  },
  {
    name: 'no-preparing-above',
    breaks: 'A leader that is refused for a higher promise prepares above it (E2).',
    script: 'election/prepares-above-a-promise.txt',
    edits: [
      {
        file: 'replica.ts',
        find: 'if (s.now - role.refusedSince < s.config.reprepareMs) return;',
        replace: 'if (role.refusedSince > 0) return;',
      },
    ],
    within: 2_000,
  },
  {
    name: 'provisional-leader-is-a-reason-to-refuse',
    breaks: 'Only an established leader is a reason to refuse (E3).',
    script: 'election/provisional-is-no-reason-to-refuse.txt',
    edits: [
      {
        file: 'state.ts',
        find: "if (s.role.kind !== 'following' || s.role.via !== null) return null;",
        replace:
          "if (s.role.kind === 'leading-provisionally') return s.self.id;\n  if (s.role.kind !== 'following-provisionally' && (s.role.kind !== 'following' || s.role.via !== null)) return null;",
      },
    ],
    directed: 'provisional-leader-in-the-way',
    within: 200,
  },
  {
    name: 'no-relay',
    breaks: 'A follower passes on what is submitted to it for the leader that it hears.',
    script: 'order/relay-loses-the-first.txt',
    edits: [
      {
        file: 'submission.ts',
        find: 'if (direct && role.leader !== from) {',
        replace: 'if (direct && role.leader !== from && from < 0) {',
      },
    ],
    directed: 'leader-at-second-hand',
    within: 200,
  },
  {
    name: 'no-takeover',
    breaks: 'A caught-up member higher than the leader takes over (G6).',
    script: 'election/taking-over.txt',
    edits: [
      {
        file: 'election.ts',
        find: "return mayTakeOver(s, role.leader, role.epoch) ? 'takeover' : null;",
        replace: "return mayTakeOver(s, role.leader, role.epoch) && s.leaving ? 'takeover' : null;",
      },
    ],
    within: 100,
  },
  {
    name: 'leader-removes-itself',
    breaks: 'No leader takes itself off the list, and a list is never empty (E7).',
    script: 'membership/last-member-just-closes.txt',
    edits: [
      {
        file: 'membership.ts',
        find: 'leaves.delete(s.self.id);',
        replace: 'if (s.leaving) leaves.add(s.self.id);',
      },
      {
        file: 'membership.ts',
        find: 'return ({ id }) => leaves.has(id) && (isEnough || !isConnected(s, id));',
        replace: 'return ({ id }) => leaves.has(id) && (isEnough || id > 0);',
      },
      {
        file: 'membership.ts',
        find: 'if (joins.size === 0 && leaves.size === 0 && isSelfCurrent(s, list.members)) return;',
        replace:
          'if (!s.leaving && joins.size === 0 && leaves.size === 0 && isSelfCurrent(s, list.members)) return;',
      },
    ],
    within: 2_000,
  },
];
