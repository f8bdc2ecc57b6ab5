/** Five real processes, and what comes between them: cut networks, paused processes, power failures. */
import { expect, test } from 'vitest';
import { openNetwork } from './network.ts';
import { type Trial, trial } from './trial.ts';
import { type FaultyNetwork, bothWays, oneWay } from './wiring.ts';

type Group = Trial<FaultyNetwork>;

const ids = [1, 2, 3, 4, 5];
const five = { ids, wiring: openNetwork };

/** Sends from all of these and waits until every one of them has everything as final. */
async function converse(group: Group, who: readonly number[]): Promise<void> {
  const texts = who.flatMap((id) => group.send(id, 10));
  await group.final(who, texts);
}

/** Waits until all of these say the same of their leader. */
async function led(group: Group, who: readonly number[], leader: number): Promise<void> {
  const established = who.length > 2;
  const what = `leader ${leader}, ${established ? 'established' : 'provisional'}`;
  await Promise.all(
    who.map((id) =>
      group
        .peer(id)
        .statusWhere(
          what,
          (status) => status.leader === leader && status.established === established,
        ),
    ),
  );
}

/** The provisional places that a peer has told for these texts: run and place are one number line. */
function provisionalOrder(group: Group, id: number, texts: readonly string[]): readonly string[] {
  return group.peer(id).events.flatMap((event) => {
    return event.event === 'provisional' && texts.includes(event.text) ? [event.text] : [];
  });
}

/** Cuts the group in two, lets both sides talk, heals it, and judges. */
async function split(group: Group, minority: readonly number[]): Promise<void> {
  const majority = ids.filter((id) => !minority.includes(id));
  await converse(group, ids);
  group.network.cut(bothWays(minority, majority));
  await led(group, minority, Math.max(...minority));
  await led(group, majority, Math.max(...majority));
  const before = await Promise.all(minority.map((id) => group.peer(id).status()));
  await converse(group, majority);

  // The minority goes on talking, and calls none of it final.
  const open = minority.flatMap((id) => group.send(id, 10));
  for (const id of minority) {
    await group.peer(id).until('everything is provisional', () => {
      const told = new Set(provisionalOrder(group, id, open));
      return open.every((text) => told.has(text));
    });
  }
  for (const [i, id] of minority.entries()) {
    expect((await group.peer(id).status()).commit).toBe(before[i]?.commit);
    expect(
      group
        .peer(id)
        .texts()
        .filter((text) => open.includes(text)),
    ).toEqual([]);
  }

  group.network.heal();
  await group.final(ids, open);
  expect(await group.atRest()).toEqual([]);
}

test('a minority of followers talks provisionally, and its words take their places later', async () => {
  await trial(five, (group) => split(group, [1, 2]));
});

test('a leader cut off with one follower orders nothing that is final', async () => {
  await trial(five, (group) => split(group, [4, 5]));
});

test('a peer that cannot hear the leader, but is heard, misses nothing', async () => {
  await trial(five, async (group) => {
    await converse(group, ids);
    group.network.cut([{ from: 5, to: 1 }]);
    await group
      .peer(1)
      .statusWhere('5 is suspected', ({ peers }) =>
        peers.some(({ id, suspected, connected }) => id === 5 && (suspected || !connected)),
      );
    await converse(group, ids);
    group.network.heal();
    await converse(group, ids);
    expect(await group.atRest()).toEqual([]);
  });
});

test('a leader that hears all and is heard by none is replaced', async () => {
  await trial(five, async (group) => {
    await converse(group, ids);
    group.network.cut(oneWay([5], [1, 2, 3, 4]));
    await led(group, [1, 2, 3, 4], 4);
    await converse(group, [1, 2, 3, 4]);
    const open = group.send(5, 10);
    await group.accepted(5, open);
    group.network.heal();
    await group.final(ids, open);
    expect(await group.atRest()).toEqual([]);
  });
});

test('a paused leader is replaced in about two seconds, and comes back without a loss', async () => {
  await trial(five, async (group) => {
    await converse(group, ids);
    const old = group.peer(5);
    // Some of these are in its hands when it stops.
    const open = ids.flatMap((id) => group.send(id, 100));
    await old.until('some are final', () => old.texts().length > 60);
    old.signal('SIGSTOP');
    const stopped = performance.now();
    const others = [1, 2, 3, 4];
    await led(group, others, 4);
    const tookMs = performance.now() - stopped;
    await converse(group, others);
    const mark = (await group.peer(4).status()).commit;
    old.signal('SIGCONT');
    await old.until('it has caught up', () => (old.final.at(-1)?.seq ?? 0) >= mark);
    await group.final(ids, open);
    expect(await group.atRest()).toEqual([]);
    const roles = old.events.flatMap((event) => (event.event === 'status' ? [event] : []));
    const back = roles.findIndex(({ leader, role }) => leader === 4 && role === 'follower');
    expect(back, 'it followed its successor before it led again').toBeGreaterThan(-1);
    expect(tookMs).toBeLessThan(4_000);
  });
});

test('all processes die at once and come back with everything', async () => {
  await trial(five, async (group) => {
    await converse(group, ids);
    const { accepted } = group.peer(1);
    const [own = []] = ids.map((id) => group.send(id, 50));
    const kept = (): readonly string[] => own.filter((text) => accepted.has(text));
    await group.peer(1).until('some are accepted', () => kept().length > 20);
    await Promise.all(ids.map((id) => group.peer(id).kill()));
    await Promise.all(ids.map((id) => group.start(id)));
    await group.cluster.settled();
    await converse(group, ids);
    // What came after them from the same author is final.
    group.peer(5).send({ cmd: 'history', limit: 1_000 });
    const { entries } = await group.peer(5).event('history');
    expect(entries.map(({ text }) => text)).toEqual(expect.arrayContaining([...kept()]));
    expect(await group.atRest()).toEqual([]);
  });
});
