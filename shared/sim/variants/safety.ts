/** Variants that lose or change a final entry, or come close to it. */
import type { Variant } from './variant.ts';

export const safetyVariants: readonly Variant[] = [
  {
    name: 'new-list-alone-decides',
    breaks: 'While a members entry is not final, quorums of the old and the new list are needed.',
    script: 'membership/joint-lists.txt',
    edits: [
      {
        file: 'state.ts',
        find: 'return newest.seq <= s.mark ? [newest] : lists.slice(-2);',
        replace: 'return [newest];',
      },
    ],
    within: 2_000,
  },
  {
    name: 'promise-not-stored',
    breaks: 'A promise is on disk before anybody hears of it, and outlives a restart (S10).',
    script: 'commit/promise-survives-restart.txt',
    edits: [
      {
        file: 'state.ts',
        find: "write(s, { kind: 'promise', epoch });",
        replace: '',
      },
    ],
    within: 20,
  },
  {
    name: 'cut-without-replacement',
    breaks: 'A suffix is cut only in the write that appends what replaces it.',
    script: 'commit/entry-of-an-older-epoch.txt',
    edits: [
      {
        file: 'append.ts',
        find: "if (prev.seq > log.last.seq) return 'mismatch';",
        replace: `if (prev.seq > log.last.seq) {
    if (log.last.seq > s.mark) cutAfter(s, s.mark, []);
    return 'mismatch';
  }`,
      },
    ],
    within: 2_000,
  },
  {
    name: 'ack-of-the-last-stored-seq',
    breaks: 'An ACK covers only what is known to equal the leader (S1).',
    script: 'safety/ack-names-only-what-matched.txt',
    edits: [
      {
        file: 'follower.ts',
        find: 'const matched = accept.prev.seq + accept.entries.length;',
        replace: 'const matched = s.log.last.seq;',
      },
    ],
    within: 2_000,
  },
  {
    name: 'ack-of-what-was-cut',
    breaks: 'An ACK that waits for the disk is taken back when its entries are cut (I6).',
    script: 'safety/ack-of-what-was-cut.txt',
    edits: [{ file: 'append.ts', find: '  forgetBeyond(s, seq);\n', replace: '' }],
    within: 4_000,
  },
  {
    name: 'mark-believed-blindly',
    breaks: 'A mark is followed only where the chain hash at it is the own one (S2).',
    script: 'safety/mark-in-heartbeat.txt',
    edits: [
      {
        file: 'follower.ts',
        find: 'const equal = own !== undefined && bytesEqual(own, markHash);',
        replace: 'const equal = own !== undefined && (mark > s.mark || bytesEqual(own, markHash));',
      },
    ],
    within: 2_000,
  },
  {
    name: 'older-epoch-accepted',
    breaks: 'Who promised an epoch follows nobody in a lower one.',
    script: 'safety/accept-raises-promise.txt',
    edits: [
      {
        file: 'follower.ts',
        find: 'if (compareEpochs(epoch, s.promised) < 0) {',
        replace: 'if (compareEpochs(epoch, s.promised) < 0 && epoch.number < 0) {',
      },
    ],
    within: 2_000,
  },
  {
    name: 'accept-does-not-raise-the-promise',
    breaks: 'Following a leader raises the promise to its epoch (S3).',
    script: 'safety/accept-raises-promise.txt',
    edits: [
      {
        file: 'follower.ts',
        find: 'raisePromise(s, epoch);\n  becomeFollowing',
        replace: 'becomeFollowing',
      },
    ],
    within: 200,
  },
  {
    name: 'fetch-does-not-raise-the-promise',
    breaks: 'Storing an entry of an epoch on any path raises the promise with it (S3).',
    script: 'safety/fetch-raises-promise.txt',
    edits: [
      {
        file: 'append.ts',
        find: "raisePromise(s, must(fresh.at(-1), 'something is new').epoch);",
        replace: '',
      },
      {
        file: 'append.ts',
        find: "assert(compareEpochs(s.promised, entry.epoch) >= 0, 'no entry above the own promise');",
        replace: '',
      },
    ],
    within: 500,
  },
  {
    name: 'promise-describes-the-disk',
    breaks: 'A PROMISE describes the log with every write queued before it (S4).',
    script: 'safety/promise-describes-queued-writes.txt',
    edits: [
      {
        file: 'state.ts',
        find: 'this.log = new Log(durable);',
        replace:
          'this.log = new Log(durable);\n    this.ends = [{ write: 0, seq: this.log.last.seq, epoch: this.log.last.epoch }];',
      },
      {
        file: 'state.ts',
        find: 'readonly log: Log;',
        replace: 'readonly log: Log;\n  ends: { write: number; seq: number; epoch: Epoch }[];',
      },
      {
        file: 'replica.ts',
        find: 's.writeNumber += 1;',
        replace:
          's.writeNumber += 1;\n      s.ends.push({ write: s.writeNumber, seq: s.log.last.seq, epoch: s.log.last.epoch });',
      },
      {
        file: 'election.ts',
        find: "sendAfterWrites(s, from.id, { kind: 'promise', epoch, ...logView(s) });",
        replace:
          "const end = s.ends.findLast((each) => each.write <= s.persistedUpTo);\n  sendAfterWrites(s, from.id, { kind: 'promise', epoch, ...logView(s), last: end ?? logView(s).last });",
      },
    ],
    within: 5_000,
  },
  {
    name: 'own-copy-counted-early',
    breaks: "The leader's own copy counts when its own disk has it (S5).",
    script: 'safety/leaders-own-copy.txt',
    edits: [
      {
        file: 'sequencer.ts',
        find: 'if (member.id === s.self.id) return role.ownStored;',
        replace: 'if (member.id === s.self.id) return s.log.last.seq;',
      },
    ],
    within: 200,
  },
  {
    name: 'ack-before-stored',
    breaks: 'An ACK leaves after the write that it reports.',
    script: 'safety/promise-describes-queued-writes.txt',
    edits: [
      {
        file: 'follower.ts',
        find: "sendAfterWrites(s, role.leader, { kind: 'ack', epoch: role.epoch, seq: role.matched });",
        replace: "send(s, role.leader, { kind: 'ack', epoch: role.epoch, seq: role.matched });",
      },
    ],
    within: 20,
  },
  {
    name: 'epoch-resumed-after-restart',
    breaks: 'Leading is volatile: a restart ends it for good (S6).',
    script: 'safety/no-epoch-resumed-after-restart.txt',
    edits: [
      {
        file: 'replica.ts',
        find: 'this.#state.out.statusChanged = true;',
        replace: `this.#state.out.statusChanged = true;
    const s = this.#state;
    if (s.promised.leader === s.self.id && compareEpochs(s.log.last.epoch, s.promised) === 0) {
      s.role = {
        kind: 'leading',
        epoch: s.promised,
        leaderSeq: s.log.last.seq,
        progress: new Map(),
        ownStored: s.log.last.seq,
        refusedSince: null,
        refusedAt: 0,
      };
    }`,
      },
    ],
    within: 20,
  },
  {
    name: 'amnesia',
    breaks: 'Who lost the log lost the vote: the identity key lives in the same database (S7).',
    script: 'safety/restored-leader-is-refused.txt',
    edits: [
      {
        file: 'links.ts',
        find: "compareEpochs(peer.promised, known.promised) < 0 ? 'ROLLED_BACK' : null",
        replace: 'null',
      },
    ],
    amnesia: true,
    weights: { wipe: 4 },
    within: 2_000,
  },
  {
    name: 'restored-backup-let-in',
    breaks: 'A promise that went down shows an old copy of the data, which is refused (S7).',
    script: 'safety/restored-backup-is-refused.txt',
    edits: [
      {
        file: 'links.ts',
        find: "compareEpochs(peer.promised, known.promised) < 0 ? 'ROLLED_BACK' : null",
        replace: 'null',
      },
    ],
    weights: { restore: 6 },
    within: 2_000,
  },
  {
    name: 'any-half-is-a-quorum',
    breaks: 'Half of a list is a quorum only with its highest member.',
    script: 'election/pair.txt',
    edits: [
      {
        file: 'quorum.ts',
        find: '(twice === members.length && hasHighest)',
        replace: '(twice === members.length && highest > 0 && hasHighest !== null)',
      },
      {
        file: 'quorum.ts',
        find: 'Math.min(descending[half - 1] as Seq, highestStored)',
        replace: 'Math.max(descending[half - 1] as Seq, highestStored * 0)',
      },
    ],
    within: 500,
  },
  {
    name: 'second-members-entry-early',
    breaks: 'At most one members entry is not final.',
    script: 'membership/one-change-at-a-time.txt',
    edits: [
      {
        file: 'membership.ts',
        find: 'if (list.seq > s.mark || role.leaderSeq > s.mark) return;',
        replace: 'if (list === null) return;',
      },
    ],
    within: 5_000,
  },
  {
    name: 'winner-outside-the-list',
    breaks: 'A winner is in the newest list of the log that it adopts (E4).',
    script: 'election/evicted-highest-does-not-win.txt',
    edits: [
      {
        file: 'election.ts',
        find: 'listed: isIn(newest, s.self),',
        replace: 'listed: newest.length > 0,',
      },
      {
        file: 'election.ts',
        find: 'if (s.stopped || s.leaving || !isListed(s)) return null;',
        replace: 'if (s.stopped || s.leaving || newestList(s) === null) return null;',
      },
      {
        file: 'election.ts',
        find: 'return leader > candidate.id || !listed ? leader : null;',
        replace: 'return listed && leader > candidate.id ? leader : null;',
      },
    ],
    within: 2_000,
  },
  {
    name: 'outdated-lead-kept',
    breaks: 'Who lacks a final entry of a higher epoch leads no more.',
    script: 'catch-up/outdated-leader.txt',
    edits: [{ file: 'catch-up.ts', find: '  giveUpOutdatedLead(s, final);\n', replace: '' }],
    within: null,
  },
  {
    name: 'old-epoch-committed-by-counting',
    breaks: 'Entries of older epochs become final only under one of the own epoch (Raft figure 8).',
    script: 'commit/entry-of-an-older-epoch.txt',
    edits: [
      {
        file: 'sequencer.ts',
        find: '|| seq < role.leaderSeq) return;',
        replace: ') return;',
      },
    ],
    directed: 'older-epoch-by-counting',
    within: 200,
  },
  {
    name: 'promises-judged-by-the-own-list',
    breaks: 'Promises are judged by the lists of the best promised log.',
    script: 'commit/quorum-of-the-best-log.txt',
    edits: [
      {
        file: 'election.ts',
        find: 'quorum: isQuorumOfEach(s, best.lists, (id) => views.has(id)),',
        replace:
          "quorum: isQuorumOfEach(s, must(views.get(s.self.id), 'own').lists, (id) => views.has(id)),",
      },
    ],
    directed: 'own-list-is-not-enough',
    within: 200,
  },
  {
    name: 'acks-of-an-old-epoch',
    breaks: 'Only ACKs of the present epoch count.',
    script: 'commit/ack-of-an-older-epoch.txt',
    edits: [
      {
        file: 'sequencer.ts',
        find: 'if (progress === undefined || compareEpochs(ack.epoch, role.epoch) !== 0) return;',
        replace: 'if (progress === undefined) return;',
      },
    ],
    directed: 'ack-of-an-old-epoch',
    within: 200,
  },
];
