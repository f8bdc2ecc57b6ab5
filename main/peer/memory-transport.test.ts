/** The fake against the contract, and its cuts. */
import { describe, expect, test } from 'vitest';
import { createGroup } from './identity.ts';
import { MemoryNetwork } from './memory-transport.ts';
import { TestPeer, transportAcceptance } from './transport.acceptance.ts';

describe('memory transport', () => {
  const all = new MemoryNetwork();
  transportAcceptance((options) => all.create(options));

  test('cuts and heals a pair', async () => {
    const network = new MemoryNetwork();
    const group = createGroup();
    const create = network.create.bind(network);
    const a = await new TestPeer(create, { id: 1, group }).listen();
    const b = await new TestPeer(create, { id: 2, group }).listen();
    a.transport.setAddresses([b.member]);
    await Promise.all([a.untilUp(b), b.untilUp(a)]);
    network.cut(1, 2);
    await a.until(() => a.count('down') > 0 && b.count('down') > 0, 'down');
    network.heal(1, 2);
    await Promise.all([a.untilUp(b), b.untilUp(a)]);
    expect([a.up, b.up]).toEqual([[2], [1]]);
  });
});
