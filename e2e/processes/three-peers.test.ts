/** Three real processes, real sockets, real disks, a real SIGKILL. */
import { expect, test } from 'vitest';
import { leaderKilled } from './leader-killed.ts';

test('300 messages from all at once, the leader is killed, comes back and leads again', async () => {
  const { accepted, final, faults } = await leaderKilled();
  expect(faults).toEqual([]);
  expect(accepted).toBeGreaterThan(400);
  // What the killed leader had not accepted may or may not have become final; nothing else is there.
  expect(final).toBeGreaterThanOrEqual(accepted);
});
