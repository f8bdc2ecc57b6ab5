import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { nextFreePort } from './ports.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listenAnywhere(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

test('a port in use is passed over, on all interfaces too', async () => {
  const taken = await listenAnywhere();
  expect(await nextFreePort('127.0.0.1', taken)).toBeGreaterThan(taken);
  expect(await nextFreePort('0.0.0.0', taken)).toBeGreaterThan(taken);
});

test('an address in brackets, as people write it, is one to look at', async () => {
  const taken = await listenAnywhere('::1');
  expect(await nextFreePort('[::1]', taken)).toBeGreaterThan(taken);
});

test('a port that is spoken for is passed over', async () => {
  const free = await nextFreePort('127.0.0.1', 20_000);
  expect(await nextFreePort('127.0.0.1', free, new Set([free]))).toBeGreaterThan(free);
});

test('a host that is not ours proposes a port all the same', async () => {
  expect(await nextFreePort('192.0.2.1', 6001)).toBe(6001);
});
