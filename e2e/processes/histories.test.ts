/** The checkers find what they are for: a sound history passes, and each broken guarantee is named. */
import { expect, test } from 'vitest';
import { Histories } from './histories.ts';
import type { FinalEvent, PeerEvent } from './peer-process.ts';

const ready = {
  event: 'ready',
  id: 1,
  host: '',
  port: 1,
  group: '',
  invite: '',
  commit: 0,
} as const;

function final(seq: number, changes: Partial<FinalEvent> = {}): FinalEvent {
  return {
    event: 'final',
    seq,
    epoch: [1, 2],
    kind: 'message',
    message: `m${seq}`,
    author: 1,
    text: `t${seq}`,
    sentAt: 0,
    hash: `h${seq}`,
    ...changes,
  };
}

interface Process {
  readonly pid: number;
  readonly exit: null;
  readonly garbage: string[];
  readonly events: PeerEvent[];
  readonly final: FinalEvent[];
}

function told(finals: readonly FinalEvent[], events: readonly PeerEvent[] = []): Process {
  return { pid: 1, exit: null, garbage: [], events: [ready, ...events], final: [...finals] };
}

/** Peer 1 sent t1 to t3; the processes of peers 1, 2, … told these. */
function faults(...processes: readonly Process[]): readonly string[] {
  const histories = new Histories();
  for (const text of ['t1', 't2', 't3']) histories.sent(1, text);
  for (const [i, process] of processes.entries()) histories.follow(i + 1, process);
  return histories.check().map((fault) => fault.replace(/^peer (\d).*?: /, '$1: '));
}

const accepted = (n: number): PeerEvent => ({ event: 'accepted', ref: `t${n}`, message: `m${n}` });

test('a sound history has no faults, however far each has come', () => {
  const all = [final(1), final(2), final(3)];
  expect(faults(told(all, [accepted(1), accepted(2)]), told(all.slice(0, 2)), told([]))).toEqual(
    [],
  );
  const back = { ...told(all.slice(1)), events: [{ ...ready, commit: 1 }] };
  expect(faults(told(all), back)).toEqual([]);
});

const other = { message: 'other', text: 't3', hash: 'x' };

test.each<[string, readonly Process[], string]>([
  ['G1', [told([final(1)]), told([final(1, { hash: 'x' })])], '2: told another entry 1'],
  ['G1', [told([final(1)]), told([final(1, { sentAt: 5 })])], '2: told another entry 1'],
  ['G2 gap', [told([final(1), final(2), final(3)]), told([final(1), final(3)])], 'where 2 was due'],
  ['G2 repeat', [told([final(1), final(1)])], '1: told seq 1 where 2 was due'],
  ['G2 start', [told([final(1)]), told([final(2)])], '2: told seq 2 where 1 was due'],
  ['G3 twice', [told([final(1), final(2, { message: 'm9', text: 't1' })])], 'is final twice'],
  ['G3 id twice', [told([final(1), final(2, { message: 'm1' })])], 'm1 is final at 1 and at 2'],
  ['G3 unsent', [told([final(1, { text: 'never' })])], 'which nobody sent'],
  ['G3 author', [told([final(1, { author: 2 })])], 'which nobody sent'],
  ['G3 id', [told([final(1, { message: 'm9' })], [accepted(1)])], 'is final under another id'],
  ['G5', [told([final(1, other), final(2)])], 'is final after a later message of peer 1'],
  ['G6 epochs', [told([final(1, { epoch: [2, 1] }), final(2)])], '1: the epoch decreases at seq 2'],
  [
    'G6 leaders',
    [told([1, 2].map((seq) => final(seq, { kind: 'leader', text: null, author: 2 })))],
    'epoch 1.2 began twice',
  ],
  [
    'G8',
    [told([final(1)], [{ event: 'status', commit: 1, hash: 'x' } as PeerEvent])],
    '1: has another hash at seq 1',
  ],
  [
    'refused',
    [told([final(1)], [{ event: 'error', code: 'NOT_READY', message: '', ref: 't1' }])],
    'is final after it was refused',
  ],
  ['noise', [{ ...told([]), garbage: ['oops'] }], 'no JSON: oops'],
])('%s is checked', (_, processes, expected) => {
  expect(faults(...processes).join('\n')).toContain(expected);
});

test('what nobody lived to tell may come later', () => {
  const late = told([final(1), final(2), final(3)]);
  const back = { ...told([final(3)]), events: [{ ...ready, commit: 2 }] };
  const histories = new Histories();
  for (const n of [1, 2, 3]) histories.sent(1, `t${n}`);
  histories.follow(1, back);
  expect([histories.check(), histories.gap]).toEqual([[], { from: 1, to: 2 }]);
  histories.follow(2, late);
  expect([histories.check(), histories.gap, histories.end]).toEqual([[], null, 3]);
});

test('G4: what is accepted and not final is open', () => {
  const histories = new Histories();
  histories.sent(1, 't1');
  histories.sent(1, 't2');
  histories.follow(1, told([final(1)], [accepted(1), accepted(2)]));
  expect(histories.check()).toEqual([]);
  expect(histories.open()).toEqual(['t2']);
  expect(histories.counts()).toEqual({ sent: 2, accepted: 2, final: 1, open: 1, doubled: 0 });
});
