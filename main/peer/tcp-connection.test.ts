/** What a connection takes from somebody who has proven nothing, in chunks that no real socket promises. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { type Hello, helloFrame } from './handshake.ts';
import { createIdentity, random } from './identity.ts';
import { UNPROVEN_BYTES_MAX } from './limits.ts';
import { type Ending, TcpConnection } from './tcp-connection.ts';

const identity = createIdentity();
const hello: Hello = {
  group: random(16),
  id: 2,
  name: '',
  address: '',
  key: identity.publicKey,
  promised: { number: 0, leader: 0 },
  nonce: 1,
  upMs: 0,
  random: random(32),
};

test.each([
  ['as much as is allowed stays', 0, null],
  ['a byte more is closed', 1, 'too much before the handshake was over'],
])('whoever sends %s while its group is looked up', async (_what, more, why) => {
  const socket = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() });
  const endings: Ending[] = [];
  const greeted = new Promise<void>((resolve) => {
    const connection = new TcpConnection({
      socket: socket as Socket,
      side: 'acceptor',
      address: '127.0.0.1:1',
      host: {
        identity,
        hello: () => hello,
        // The key of the group is being looked up all the while.
        greeted: () => {
          setImmediate(() => {
            connection.destroy('the test is over');
            resolve();
          });
          return new Promise(() => undefined);
        },
        proven: () => undefined,
        welcomed: () => undefined,
        bytes: () => undefined,
        message: () => undefined,
        ended: (_connection, ending) => endings.push(ending),
      },
    });
  });
  const first = helloFrame(hello);
  process.nextTick(() => {
    socket.push(Buffer.concat([first, Buffer.alloc(UNPROVEN_BYTES_MAX - first.length + more)]));
  });
  await greeted;
  expect(endings.map(({ refusal }) => refusal?.message ?? null)).toEqual([why]);
});
