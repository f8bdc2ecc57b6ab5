/** Variants that break author order, lose an accepted message, or take one twice. */
import type { Variant } from './variant.ts';

export const orderVariants: readonly Variant[] = [
  {
    name: 'no-deduplication',
    breaks: 'A message whose id is in the log is dropped.',
    script: 'order/duplicates-collapse.txt',
    edits: [
      { file: 'submission.ts', find: "if (log.has(id)) return 'in-log';", replace: '' },
      {
        file: 'submission.ts',
        find: 'if (inLog.has(id) || s.log.has(id)) continue;',
        replace: '',
      },
      {
        file: 'log.ts',
        find: "assert(!this.#seqs.has(entry.id), 'a message stands in the log once');",
        replace: '',
      },
    ],
    within: 20,
  },
  {
    name: 'no-after',
    breaks: "A message waits until its author's previous one has its place (V1).",
    script: 'order/joins-between-two-tentatives.txt',
    edits: [
      {
        file: 'submission.ts',
        find: "return after === null ? 'fits' : 'gap';",
        replace: "return 'fits';",
      },
      {
        file: 'submission.ts',
        find: "if (verdict === 'fits' || after === null || inLog.has(after)) {",
        replace: "if (verdict !== 'in-log') {",
      },
    ],
    within: 500,
  },
  {
    name: 'submitted-before-stored',
    breaks: 'No frame with an own message leaves before it is on disk (V2).',
    script: 'order/stored-before-sent.txt',
    edits: [
      {
        file: 'submission.ts',
        find: 's.pending.add(message, false);',
        replace: 's.pending.add(message, true);\n  submitTo(s, message);',
      },
    ],
    within: 20,
  },
  {
    name: 'cut-message-forgotten',
    breaks: 'The messages of a cut suffix return to pending in the same write (V3).',
    script: 'order/cut-message-returns-to-pending.txt',
    edits: [
      {
        file: 'append.ts',
        find: 'if (messages.length > 0) {',
        replace: 'if (messages.length < 0) {',
      },
    ],
    within: 2_000,
  },
  {
    name: 'provisional-order-kept-to-itself',
    breaks: 'Everyone who follows a provisional leader keeps what it orders.',
    script: 'provisional/newcomer-takes-part.txt',
    edits: [
      {
        file: 'submission.ts',
        find: "else if (role.kind === 'following-provisionally') keep(s, sub);",
        replace: '',
      },
    ],
    directed: 'minority-goes-on',
    within: 200,
  },
  {
    name: 'submitted-once',
    breaks: 'What is not final is submitted again (V4).',
    script: 'order/submitted-until-final.txt',
    edits: [
      {
        file: 'replica.ts',
        find: 'if (s.now >= s.resubmitAt) resubmit(s);',
        replace: '',
      },
    ],
    within: 500,
  },
];
