/**
 * A short run of the nemesis with a fresh seed. When it fails, the seed and the command that repeats
 * the same faults are in its message; nemesis.ts runs for as long as one likes.
 */
import { expect, test } from 'vitest';
import { type FaultKind, drawPlan, faultKinds, proxyOnly } from './nemesis-plan.ts';
import { runNemesis } from './nemesis-run.ts';
import { openNetwork } from './network.ts';

const ids = [1, 2, 3, 4, 5];
const lastsMs = 20_000;

test('random faults for twenty seconds: nothing lost, doubled or reordered', async () => {
  const seed = Date.now() % 1_000_000;
  const network = await openNetwork(ids);
  try {
    const kinds = (Object.keys(faultKinds) as FaultKind[]).filter(
      (kind) => network.kind === 'proxies' || !proxyOnly.has(kind),
    );
    const plan = drawPlan({ seed, lastsMs, peers: ids.length, kinds });
    const outcome = await runNemesis({ plan, ids, network, say: () => undefined });
    const again = `node e2e/processes/nemesis.ts --minutes ${lastsMs / 60_000} --seed ${seed}`;
    expect(outcome.violations, `${again}\nkept in ${outcome.folder}`).toEqual([]);
    expect(outcome.struck.size).toBeGreaterThan(0);
    expect(outcome.counts.final).toBeGreaterThanOrEqual(outcome.counts.accepted);
    expect(outcome.counts.accepted).toBeGreaterThan(100);
  } finally {
    await network.close();
  }
}, 240_000);

test('a seed and a length draw the same plan again', () => {
  const options = { seed: 7, lastsMs: 60_000, peers: 5, kinds: ['kill', 'split'] as const };
  expect(drawPlan(options)).toEqual(drawPlan(options));
  expect(drawPlan({ ...options, seed: 8 })).not.toEqual(drawPlan(options));
});
