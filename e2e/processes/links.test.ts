/** The proxy that breaks links does what it says, and three real peers live with it. */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ChaosProxy, ProxyNetwork } from './chaos-proxy.ts';
import { trial } from './trial.ts';
import { bothWays, oneWay } from './wiring.ts';

const closing: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** What came out of a socket so far, and how it ended. */
class Reading {
  text = '';
  end: 'open' | 'ended' | 'broken' = 'open';
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (text) => {
      this.text += String(text);
    });
    socket.on('error', () => {
      this.end = 'broken';
    });
    socket.on('end', () => {
      this.end = 'ended';
    });
  }

  async until(condition: () => boolean): Promise<void> {
    await expect.poll(condition, { interval: 5, timeout: 5_000 }).toBe(true);
  }
}

/** A server that keeps what it gets, and a proxy in front of it. */
async function behindProxy(): Promise<{ proxy: ChaosProxy; accepted: Reading[] }> {
  const accepted: Reading[] = [];
  const server: Server = createServer((socket) => accepted.push(new Reading(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await ChaosProxy.open(() => ({ host: '127.0.0.1', port }));
  closing.push(() => void server.close());
  closing.push(() => proxy.close());
  return { proxy, accepted };
}

/** A client with a connection through the proxy, and the server's end of it. */
async function joined(
  proxy: ChaosProxy,
  accepted: readonly Reading[],
): Promise<{ client: Reading; server: Reading }> {
  const before = accepted.length;
  const client = new Reading(connect(proxy.port, '127.0.0.1'));
  closing.push(() => void client.socket.destroy());
  client.socket.write('hello ');
  await expect.poll(() => accepted.at(before)?.text).toBe('hello ');
  return { client, server: accepted[before] as Reading };
}

test('passes bytes and their end both ways', async () => {
  const { proxy, accepted } = await behindProxy();
  const { client, server } = await joined(proxy, accepted);
  server.socket.end('bye');
  await client.until(() => client.end === 'ended');
  expect(client.text).toBe('bye');
});

test('delays without reordering', async () => {
  const { proxy, accepted } = await behindProxy();
  const { client, server } = await joined(proxy, accepted);
  proxy.treat('out', { delayMs: 120 });
  const begin = performance.now();
  client.socket.write('one ');
  await expect.poll(() => proxy.delayed).toBe(1);
  proxy.treat('out', { delayMs: 0 });
  client.socket.write('two');
  await server.until(() => server.text === 'hello one two');
  expect(performance.now() - begin).toBeGreaterThan(100);
});

test('swallows one way in silence, and breaks the connection when that ends', async () => {
  const { proxy, accepted } = await behindProxy();
  const { client, server } = await joined(proxy, accepted);
  proxy.treat('out', { swallow: true });
  client.socket.write('lost');
  server.socket.write('still here');
  await client.until(() => client.text === 'still here');
  expect(server.text).toBe('hello ');
  expect([client.end, server.end]).toEqual(['open', 'open']);
  proxy.treat('out', { swallow: false });
  await client.until(() => client.end === 'broken');
  await server.until(() => server.end === 'broken');
  expect(server.text).toBe('hello ');
});

test('a connection that finds a cut is taken, and never reaches the other side', async () => {
  const { proxy, accepted } = await behindProxy();
  proxy.treat('back', { swallow: true });
  const client = new Reading(connect(proxy.port, '127.0.0.1'));
  closing.push(() => void client.socket.destroy());
  client.socket.write('hello');
  await expect.poll(() => proxy.connections).toBe(1);
  expect(accepted).toEqual([]);
  proxy.treat('back', { swallow: false });
  await client.until(() => client.end === 'broken');
  await joined(proxy, accepted);
});

test('resets both ends', async () => {
  const { proxy, accepted } = await behindProxy();
  const { client, server } = await joined(proxy, accepted);
  proxy.reset();
  await Promise.all([client, server].map((one) => one.until(() => one.end === 'broken')));
  expect(proxy.connections).toBe(0);
});

const ids = [1, 2, 3];
const three = { ids, wiring: (all: readonly number[]) => ProxyNetwork.open(all) };

test('slow links that break again and again under load lose and double nothing', async () => {
  await trial(three, async (group) => {
    const { network } = group;
    network.delay(bothWays([1], [2, 3]), 30);
    network.delay(oneWay([3], [2]), 5);
    const all: string[] = [];
    for (let round = 0; round < 12; round++) {
      const texts = ids.flatMap((id) => group.send(id, 20));
      all.push(...texts);
      // In the middle of it: as soon as some of this round have arrived somewhere.
      const mark = group.peer(2).final.length;
      await group.peer(2).until('something arrives', () => group.peer(2).final.length > mark);
      network.reset(1 + (round % 2), 3);
      if (round % 3 === 0) network.reset(1, 2);
    }
    await group.final(ids, all);
    expect(await group.atRest()).toEqual([]);
  });
});

test('links swallowed one way and both ways, without namespaces', async () => {
  await trial(three, async (group) => {
    const { network } = group;
    network.cut(oneWay([3], [1]));
    await group
      .peer(1)
      .statusWhere('3 is not heard', ({ peers }) =>
        peers.some(({ id, connected }) => id === 3 && !connected),
      );
    await group.final(
      ids,
      ids.flatMap((id) => group.send(id, 20)),
    );
    network.cut(bothWays([1], [2, 3]));
    await group.peer(1).statusWhere('alone', ({ established }) => !established);
    await group.final([2, 3], group.send(2, 20));
    const open = group.send(1, 20);
    await group.accepted(1, open);
    expect(
      group
        .peer(1)
        .texts()
        .filter((text) => open.includes(text)),
    ).toEqual([]);
    network.heal();
    await group.final(ids, open);
    expect(await group.atRest()).toEqual([]);
  });
});
