/**
 * Finds a port that nothing listens on, for the form to propose. It promises nothing about the next
 * moment: whoever listens first has it, and the node says PORT_IN_USE to the other.
 */
import { createServer } from 'node:net';
import { bareHost } from '../peer/addresses.ts';

/** Where proposals begin. */
export const FIRST_PORT = 6001;
/** How many ports are tried before the system is asked for any. */
const attemptsMax = 200;

/** The first free port at or above `from` on this host that is not in `except`. */
export async function nextFreePort(
  host: string,
  from: number,
  except: ReadonlySet<number> = new Set(),
): Promise<number> {
  for (let port = from; port < Math.min(from + attemptsMax, 65_536); port += 1) {
    if (!except.has(port) && (await canListen(host, port)) !== null) return port;
  }
  // An unusable host is refused by the node, in better words; here any number will do.
  return (await canListen(host, 0)) ?? from;
}

/** The port that was bound for a moment, or null if it can't be. */
function canListen(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ host: bareHost(host), port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
