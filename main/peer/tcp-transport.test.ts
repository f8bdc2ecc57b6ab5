/** The contract over real sockets. */
import { describe } from 'vitest';
import { createTcpTransport } from './tcp-transport.ts';
import { transportAcceptance } from './transport.acceptance.ts';

describe('TCP transport', () => {
  transportAcceptance(createTcpTransport);
});
