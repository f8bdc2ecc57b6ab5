/** Variants in which something outlives what it was true for, or is believed of somebody else. */
import type { Variant } from './variant.ts';

export const lifetimeVariants: readonly Variant[] = [
  {
    name: 'answer-for-an-earlier-process',
    breaks: 'What is read for a FETCH is for the process that asked, with the mark of then.',
    script: 'safety/answer-for-an-earlier-process.txt',
    edits: [
      {
        file: 'catch-up.ts',
        find: 'const { to, request, after, mark } = serving;',
        replace: 'const { to, request, after } = serving;\n  const { mark } = s;',
      },
      {
        file: 'catch-up.ts',
        find: 'for (const [read, { to }] of s.serving) if (to === peer) s.serving.delete(read);',
        replace: '',
      },
    ],
    directed: 'answer-for-an-earlier-process',
    within: 200,
  },
  {
    name: 'divergence-by-the-own-mark',
    breaks: 'A divergence is a difference in what both call final (S8).',
    script: 'catch-up/outdated-leader-is-no-divergence.txt',
    edits: [
      {
        file: 'append.ts',
        find: 'const finalOnBoth = Math.min(s.mark, mark);',
        replace: 'const finalOnBoth = mark < 0 ? mark : s.mark;',
      },
    ],
    directed: 'outdated-leader',
    within: 200,
  },
  {
    name: 'look-up-outlives-a-cut',
    breaks: 'What the disk was asked is no answer for what has come since a cut (V6).',
    script: 'order/looked-up-before-a-cut.txt',
    edits: [
      {
        file: 'state.ts',
        find: 'for (const lookup of s.lookups.values()) lookup.since = Math.min(lookup.since, after);',
        replace: '',
      },
    ],
    directed: 'looked-up-before-a-cut',
    within: 200,
  },
  {
    name: 'looked-up-places-kept',
    breaks: 'A provisional place belongs to one run, also while the disk is asked (V5).',
    script: 'provisional/looked-up-in-another-run.txt',
    edits: [{ file: 'transitions.ts', find: '  forgetLookedUpPlaces(s);\n', replace: '' }],
    within: 3_000,
  },
  {
    name: 'cut-by-catch-up-without-a-place',
    breaks:
      'What catch-up cuts at a provisional leader gets a place before what its author writes next.',
    script: 'provisional/cut-message-finds-a-place.txt',
    edits: [
      {
        file: 'catch-up.ts',
        find: "if (s.role.kind === 'leading-provisionally') orderOwnPending(s);",
        replace: '',
      },
    ],
    directed: 'cut-by-a-provisional-leader',
    within: 200,
  },
  {
    name: 'stopped-peer-serves',
    breaks: 'Who has stopped serves nobody, and says that it hears nobody (S8).',
    script: 'divergence/stopped-peer-serves-nobody.txt',
    edits: [
      {
        file: 'catch-up.ts',
        find: '  if (s.stopped) return;\n  const { request',
        replace: '  const { request',
      },
      { file: 'heartbeat.ts', find: 'if (!s.stopped) for (const peer', replace: 'for (const peer' },
    ],
    directed: 'stopped-peer-serves-nobody',
    within: 200,
  },
  {
    name: 'stopped-peer-counts',
    breaks: 'Who has stopped is connected to nobody, so that nobody has a quorum by it (S8).',
    script: 'divergence/stopped-peer-is-no-quorum.txt',
    edits: [
      { file: 'heartbeat.ts', find: 'if (!s.stopped) for (const peer', replace: 'for (const peer' },
    ],
    directed: 'stopped-peer-is-no-quorum',
    within: 200,
  },
  {
    name: 'former-leader-believed',
    breaks: 'That the histories differ counts when it is the word of the leader followed now (S8).',
    script: 'divergence/word-of-a-former-leader.txt',
    edits: [
      {
        file: 'divergence.ts',
        find: "peer.linked && s.role.kind === 'following' && s.role.leader === id",
        replace: 's.epoch.leader === id',
      },
    ],
    directed: 'word-of-a-former-leader',
    within: 200,
  },
  {
    name: 'placed-before-its-predecessor',
    breaks: "A provisional place is behind that of the same author's message before it (V1).",
    script: 'provisional/order-of-an-author.txt',
    edits: [
      {
        file: 'submission.ts',
        find: "return role.kind === 'leading-provisionally' ? pending.placeOf(id) !== null : pending.has(id);",
        replace: 'return pending.has(id);',
      },
    ],
    within: 200,
  },
  {
    name: 'promise-of-another-key-noted',
    breaks: 'Nobody but its member speaks for a bound id (S7).',
    script: 'safety/word-for-a-bound-id.txt',
    edits: [
      {
        file: 'links.ts',
        find: 'if (known === undefined && isOthers(s, peer)) return;',
        replace: '',
      },
    ],
    directed: 'promise-of-another-key',
    within: 200,
  },
  {
    name: 'promise-of-a-listed-key-forgotten',
    breaks: 'What a key has promised is remembered as soon as a list has it, final or not (S7).',
    script: 'safety/promise-of-a-listed-key.txt',
    edits: [
      {
        file: 'links.ts',
        find: 'return listsInEffect(s).some(({ members }) => members.some(isAnother));',
        replace: 'return isAnother === undefined;',
      },
    ],
    within: null,
  },
  {
    name: 'promise-of-another-key-kept',
    breaks: 'What somebody else promised under an id does not bind the member (S7).',
    script: 'safety/promise-of-another-key.txt',
    edits: [
      {
        file: 'delivery.ts',
        find: 'const known = knownAs(s, member);',
        replace: 'const known = s.known.get(member.id);',
      },
    ],
    directed: 'promise-of-another-key',
    within: 2_000,
  },
  {
    name: 'another-key-under-a-free-id-refused',
    breaks:
      'Under an id that nobody is bound to a new key is somebody else, who has promised nothing.',
    script: 'membership/joins-again-with-an-empty-folder.txt',
    edits: [
      {
        file: 'links.ts',
        find: "return known.bound ? 'ID_TAKEN' : null;",
        replace: "if (known.bound) return 'ID_TAKEN';",
      },
    ],
    within: 6_000,
  },
];
