/** A few real processes, real sockets, real disks, a real SIGKILL. */
import { expect, test } from 'vitest';
import { leaderKilled } from './leader-killed.ts';
import { plain, trial } from './trial.ts';

test('300 messages from all at once, the leader is killed, comes back and leads again', async () => {
  const { accepted, final, faults } = await leaderKilled();
  expect(faults).toEqual([]);
  expect(accepted).toBeGreaterThan(400);
  // What the killed leader had not accepted may or may not have become final; nothing else is there.
  expect(final).toBeGreaterThanOrEqual(accepted);
});

test('more waits for the quorum than a link may hold back at once', async () => {
  await trial({ ids: [1, 2], wiring: plain }, async (group) => {
    await group.peer(2).kill();
    await group.peer(1).statusWhere('no quorum', ({ established }) => !established);
    const texts = group.send(1, 700, 'x'.repeat(50_000));
    await group.accepted(1, texts);
    await group.start(2);
    await group.final([1, 2], texts);
    expect(await group.atRest()).toEqual([]);
  });
});
