/** When whom is dialled, on a clock that the test turns. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Member, PeerId } from '../../shared/protocol/types.ts';
import { formatAddress, type SeedAddress } from './addresses.ts';
import { Dialler, type Target } from './dialler.ts';
import { REDIAL_FIRST_MS, REDIAL_MAX_MS, REDIAL_REFUSED_MS } from './limits.ts';

interface Dialled {
  readonly target: Target;
  readonly address: SeedAddress;
  readonly at: number;
}

let dialled: Dialled[] = [];
let linked = new Set<PeerId>();
beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(0);
  dialled = [];
  linked = new Set();
});
afterEach(() => vi.useRealTimers());

function dialler(overrides: ReadonlyMap<PeerId, string> = new Map()): Dialler {
  const made = new Dialler(
    {
      linked: (id) => linked.has(id),
      open: (target, { host, port }) =>
        dialled.push({ target, address: { id: null, host, port }, at: Date.now() }),
      random: () => 1,
    },
    overrides,
  );
  made.start();
  return made;
}

function member(id: PeerId, address = `h${id}:1`): Member {
  return { id, key: new Uint8Array(32), name: '', address };
}

const seed = (id: PeerId | null, host: string): SeedAddress => ({ id, host, port: 1 });
const places = (): string[] => dialled.map(({ address }) => formatAddress(address));

/** Lets every attempt fail until `ms` have passed; returns the waits between them. */
function failUntil(made: Dialler, ms: number, refused = false): number[] {
  const begin = dialled.length;
  for (let at = Date.now(); at < ms; at = Date.now()) {
    const before = dialled.length;
    vi.advanceTimersToNextTimer();
    if (dialled.length === before) break;
    made.failed((dialled.at(-1) as Dialled).target, refused);
  }
  const times = dialled.slice(Math.max(0, begin - 1)).map(({ at }) => at);
  return times.slice(1).map((time, i) => Math.round(time - (times[i] as number)));
}

describe('a peer that does not answer', () => {
  test('is dialled ever more seldom, to a limit', () => {
    const made = dialler();
    made.setPeers([member(2)]);
    const waits = failUntil(made, 20_000);
    expect(waits.slice(0, 7)).toEqual([50, 100, 200, 400, 800, 1_600, 2_000]);
    expect(waits[0]).toBe(REDIAL_FIRST_MS);
    expect(Math.max(...waits)).toBe(REDIAL_MAX_MS);
  });

  test('is dialled at each of its addresses in turn before a wait', () => {
    const made = dialler();
    made.setPeers([member(2, 'a:1,b:1,c:1')]);
    const waits = failUntil(made, 1_000);
    expect(places().slice(0, 4)).toEqual(['a:1', 'b:1', 'c:1', 'a:1']);
    expect(waits.slice(0, 4)).toEqual([0, 0, 50, 0]);
  });

  test('and gives a reason is left alone for longer', () => {
    const made = dialler();
    made.setPeers([member(2)]);
    expect(failUntil(made, 25_000, true)[0]).toBe(REDIAL_REFUSED_MS);
  });

  test('is dialled at once when it has a new address', () => {
    const made = dialler();
    made.setPeers([member(2)]);
    failUntil(made, 5_000);
    const before = Date.now();
    made.setPeers([member(2, 'new:1')]);
    vi.advanceTimersByTime(0);
    expect([places().at(-1), dialled.at(-1)?.at]).toEqual(['new:1', before]);
  });
});

describe('nobody is dialled', () => {
  test('twice at a time', () => {
    const made = dialler();
    made.setPeers([member(2)]);
    vi.advanceTimersByTime(60_000);
    expect(places()).toEqual(['h2:1']);
  });

  test('who is linked, until the link is lost', () => {
    const made = dialler();
    linked.add(2);
    made.setPeers([member(2)]);
    vi.advanceTimersByTime(60_000);
    expect(places()).toEqual([]);
    linked.delete(2);
    made.lost(2, { good: true, refused: false });
    vi.advanceTimersByTime(REDIAL_FIRST_MS);
    expect(places()).toEqual(['h2:1']);
  });

  test('who is no longer listed', () => {
    const made = dialler();
    made.setPeers([member(2), member(3)]);
    made.setPeers([member(3)]);
    vi.advanceTimersByTime(0);
    expect(places()).toEqual(['h3:1']);
  });

  test('after the end', () => {
    const made = dialler();
    made.setPeers([member(2)]);
    made.stop();
    vi.advanceTimersByTime(60_000);
    expect(places()).toEqual([]);
  });
});

describe('a seed', () => {
  test('is dialled until its peer is listed, and then as that peer', () => {
    const made = dialler();
    made.addSeed(seed(null, 'seed'));
    made.addSeed(seed(null, 'seed'));
    vi.advanceTimersByTime(0);
    const { target, address } = dialled[0] as Dialled;
    made.learned(target, 2, address);
    linked.add(2);
    made.linked(2, target);
    linked.delete(2);
    made.lost(2, { good: true, refused: false });
    vi.advanceTimersByTime(1_000);
    expect(places()).toEqual(['seed:1', 'seed:1']);
    made.setPeers([member(2)]);
    made.failed((dialled[1] as Dialled).target, false);
    vi.advanceTimersByTime(60_000);
    expect(places()).toEqual(['seed:1', 'seed:1', 'h2:1']);
  });

  test('that leads to this peer itself is given up', () => {
    const made = dialler();
    made.addSeed(seed(null, 'self'));
    vi.advanceTimersByTime(0);
    const { target, address } = dialled[0] as Dialled;
    made.learned(target, null, address);
    made.failed(target, false);
    vi.advanceTimersByTime(60_000);
    expect(places()).toEqual(['self:1']);
  });
});

test('an override replaces what a peer or a seed with its id says', () => {
  const made = dialler(new Map([[2, '127.0.0.1:9']]));
  made.setPeers([member(2)]);
  made.addSeed(seed(2, 'seed'));
  vi.advanceTimersByTime(0);
  expect(places()).toEqual(['127.0.0.1:9', '127.0.0.1:9']);
  expect(made.overrideOf(2)).toMatchObject({ host: '127.0.0.1', port: 9 });
});

test('an address that led to somebody else is tried again seldom', () => {
  const made = dialler();
  made.setPeers([member(2)]);
  vi.advanceTimersByTime(0);
  made.linked(3, (dialled[0] as Dialled).target);
  vi.advanceTimersByTime(REDIAL_REFUSED_MS - 1);
  expect(dialled).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(dialled).toHaveLength(2);
});
