/** Variants in which elections do harm, keep out who could lead, or wait for the wrong one. */
import type { Variant } from './variant.ts';

export const electionVariants: readonly Variant[] = [
  {
    name: 'no-look',
    breaks: 'Who stands looks first and asks for promises later (E2).',
    script: 'election/no-damage-without-a-quorum.txt',
    edits: [
      {
        file: 'election.ts',
        find: '  s.attempt = attempt;\n  for (const peer of s.peers.values()) if (peer.reachable) askForSupport',
        replace:
          '  prepare(s);\n  if (attempt.round > 0) return;\n  for (const peer of s.peers.values()) if (peer.reachable) askForSupport',
      },
    ],
    within: null,
  },
  {
    name: 'answer-without-a-quorum',
    breaks: 'Only who can win answers, and so silences a lower peer (E3).',
    script: 'election/no-answer-without-a-quorum.txt',
    edits: [
      {
        file: 'election.ts',
        find: '|| !hearsQuorum(s) || s.now < s.failedUntil) return false;',
        replace: '|| s.now < s.failedUntil) return false;',
      },
    ],
    within: null,
  },
  {
    name: 'answer-from-outside-the-list',
    breaks: 'Who is missing in the newest list of a better log does not answer (E4).',
    script: 'election/unlisted-higher-peer-does-not-answer.txt',
    edits: [
      {
        file: 'election.ts',
        find: 'return behind <= s.config.farBehindEntries && isIn(election.list, s.self);',
        replace: 'return behind <= s.config.farBehindEntries;',
      },
    ],
    within: null,
  },
  {
    name: 'unlisted-not-refused',
    breaks: 'Who hears a leader refuses whoever is not in its newest list (E4).',
    script: 'election/unlisted-is-refused.txt',
    edits: [
      {
        file: 'election.ts',
        find: 'return leader > candidate.id || !listed ? leader : null;',
        replace: 'return leader > candidate.id ? leader : null;',
      },
    ],
    within: null,
  },
  {
    name: 'winner-not-waited-for',
    breaks: 'A winner that makes progress is waited for, and others are refused for its sake (E5).',
    script: 'election/slow-winner.txt',
    edits: [
      {
        file: 'election.ts',
        find: 'if (winner === null || winner.id === candidate || s.now >= winner.until) return null;',
        replace: 'if (winner === null || winner.id > 0) return null;',
      },
      { file: 'heartbeat.ts', find: '  extendWait(s, peer.id, heartbeat);\n', replace: '' },
    ],
    within: null,
  },
  {
    name: 'stuck-winner-waited-for',
    breaks: 'A winner that makes no progress is not waited for (E5).',
    script: 'election/stuck-winner.txt',
    edits: [
      {
        file: 'heartbeat.ts',
        find: 'if (winner.until !== 0 && heartbeat.synchronising <= winner.progress) return;',
        replace: '',
      },
    ],
    within: null,
  },
  {
    name: 'far-behind-goes-first',
    breaks: 'Who lags far behind lets a better one go first, and does not answer it (E5).',
    script: 'election/far-behind.txt',
    edits: [
      {
        file: 'election.ts',
        find: 'if (isFarBehind(s, verdict) && s.failures < DEFERRALS_MAX) {',
        replace: 'if (isFarBehind(s, verdict) && s.failures < 0) {',
      },
      {
        file: 'election.ts',
        find: 'return behind <= s.config.farBehindEntries && isIn(election.list, s.self);',
        replace: 'return behind > 0 && isIn(election.list, s.self);',
      },
    ],
    within: null,
  },
  {
    name: 'caught-up-with-the-mark',
    breaks: "Who takes over is close to the leader's last entry, not to its mark (E6).",
    script: 'election/caught-up-means-the-last-seq.txt',
    edits: [
      {
        file: 'election.ts',
        find: 'role.matched + s.config.caughtUpEntries >= Math.max(last, s.log.last.seq) &&',
        replace: 'role.matched + s.config.caughtUpEntries >= s.mark &&',
      },
    ],
    within: null,
  },
  {
    name: 'takeover-before-the-leader-entry-is-final',
    breaks: "Nobody takes over before the leader's own entry is final (E6).",
    script: 'election/leader-entry-must-be-final.txt',
    edits: [
      {
        file: 'election.ts',
        find: '    compareEpochs(final, epoch) === 0\n',
        replace: '    compareEpochs(final, epoch) <= 0\n',
      },
    ],
    within: null,
  },
  {
    name: 'heard-is-connected',
    breaks: 'Connected means heard and hearing us (E10).',
    script: 'election/one-way-link.txt',
    edits: [
      {
        file: 'peers.ts',
        find: 'return !this.suspected && this.hearsUs && !this.diverged;',
        replace: 'return !this.suspected && !this.diverged;',
      },
    ],
    within: null,
  },
  {
    name: 'no-yield',
    breaks: 'Who lost the lead waits before it takes over again, longer each time (E11).',
    script: 'election/flapping-highest-yields.txt',
    edits: [{ file: 'transitions.ts', find: '  s.yieldUntil = s.now + s.yieldMs;\n', replace: '' }],
    directed: 'flapping-highest',
    within: 200,
  },
  {
    name: 'stands-before-it-hears-the-new-leader',
    breaks:
      'Who lost the lead lets another lead, though it hears a quorum before it hears that one (E11).',
    script: 'election/yields-to-who-leads-elsewhere.txt',
    edits: [
      {
        file: 'election.ts',
        find: 'return (hearsQuorum(s) || hearsOfEstablished(s)) && !yields(s);',
        replace: 'return hearsQuorum(s) || hearsOfEstablished(s);',
      },
      { file: 'election.ts', find: '  maybeYield(s);\n', replace: '' },
    ],
    directed: 'flapping-highest',
    within: 200,
  },
  {
    name: 'yields-to-who-is-higher',
    breaks: 'Who lost the lead waits for a lower leader alone (E11).',
    script: 'election/yields-to-lower-peers-alone.txt',
    edits: [
      {
        file: 'yielding.ts',
        find: 'hearsOfEstablished(s, s.self.id) && !leaves',
        replace: 'hearsOfEstablished(s) && !leaves',
      },
    ],
    within: null,
  },
  {
    name: 'yields-away-from-its-followers',
    breaks: 'Nobody yields who alone can lead on what its followers write (E11).',
    script: 'election/yields-no-further-than-its-followers.txt',
    edits: [
      {
        file: 'yielding.ts',
        find: ' && !leavesSomebodyAlone(s);',
        replace: ';',
      },
    ],
    within: null,
  },
  {
    name: 'lead-lost-to-a-number',
    breaks: 'The lead is lost when somebody else leads, not when a higher number is heard (E11).',
    script: 'election/no-lead-is-lost-to-a-number.txt',
    edits: [
      {
        file: 'replica.ts',
        find: 'if (hearsOfEstablished(s)) giveUpEpoch(s, role);',
        replace: 'giveUpEpoch(s, role);',
      },
    ],
    within: null,
  },
  {
    name: 'follows-who-is-gone',
    breaks:
      'Who yields does not follow on, through one after the other, a leader that it has just lost (E11).',
    script: 'election/follows-no-leader-that-is-gone.txt',
    edits: [
      {
        file: 'replica.ts',
        find: 'if (role.via === null && yields(s)) s.waitUntil = s.now + s.config.rankWaitMs;',
        replace: '',
      },
    ],
    within: null,
  },
  {
    name: 'own-pause-held-against-others',
    breaks: 'After an own pause nobody is suspected by what the clock says (E12).',
    script: 'election/own-pause.txt',
    edits: [
      {
        file: 'replica.ts',
        find: 'if (s.lastStepAt !== null && now - s.lastStepAt > pause) forgiveSilence(s);',
        replace: 'if (s.lastStepAt !== null && now - s.lastStepAt < -pause) forgiveSilence(s);',
      },
    ],
    within: null,
  },
];
