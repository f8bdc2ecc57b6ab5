/**
 * How long the conversation stands still when something happens to the leader: from the event to the
 * first newly final message at a peer that stays, with messages sent all the time.
 */
import type { Cluster } from '../e2e/processes/cluster.ts';
import type { PeerProcess } from '../e2e/processes/peer-process.ts';
import { bothWays, type FaultyNetwork } from '../e2e/processes/wiring.ts';
import { type Spread, spreadOf } from './measure.ts';

/** What happens to the leader. */
export type Fault =
  | { readonly kind: 'killed' | 'paused' | 'leaves' }
  /** Nothing gets from it to the others or back any more, and nobody is told. */
  | { readonly kind: 'cut off'; readonly network: FaultyNetwork };

/** Keeps a message on its way at all times, so that the first final one after an event is seen. */
function keepSending(peer: PeerProcess): () => void {
  let n = 0;
  const timer = setInterval(() => peer.send({ cmd: 'send', text: 'tick', ref: `tick-${n++}` }), 4);
  return () => clearInterval(timer);
}

function strike(cluster: Cluster, leader: number, fault: Fault): void {
  const peer = cluster.peer(leader);
  switch (fault.kind) {
    case 'killed':
      peer.signal('SIGKILL');
      return;
    case 'paused':
      peer.signal('SIGSTOP');
      return;
    case 'leaves':
      peer.send({ cmd: 'quit' });
      return;
    case 'cut off':
      fault.network.cut(bothWays([leader], othersThan(cluster, leader)));
      return;
  }
}

function othersThan(cluster: Cluster, leader: number): readonly number[] {
  return [...cluster.peers.keys()].filter((id) => id !== leader);
}

async function mend(cluster: Cluster, leader: number, fault: Fault): Promise<void> {
  // A leader that lost the lead waits longer each time; a new process starts afresh.
  if (fault.kind === 'paused') cluster.peer(leader).signal('SIGCONT');
  if (fault.kind === 'cut off') fault.network.heal();
  await cluster.peer(leader).kill();
  await cluster.startPeer(leader);
  await cluster.settled();
}

/** Milliseconds from the fault to the next final message, `times` times in one group. */
export async function failover(
  cluster: Cluster,
  options: { readonly fault: Fault; readonly times: number },
): Promise<Spread> {
  const leader = Math.max(...cluster.peers.keys());
  const witness = cluster.peer(1);
  const sample: number[] = [];
  for (let time = 0; time < options.times; time++) {
    const stop = keepSending(witness);
    const before = witness.final.length;
    await witness.until('messages become final', () => witness.final.length > before + 20);
    const begun = performance.now();
    const number = witness.final.at(-1)?.epoch[0] ?? 0;
    strike(cluster, leader, options.fault);
    // Entries of the old epoch that were under way do not count: the next leader's do.
    await witness.until('a final message of the next leader', () => {
      const last = witness.final.at(-1);
      return last !== undefined && last.kind === 'message' && last.epoch[0] > number;
    });
    sample.push(performance.now() - begun);
    stop();
    await mend(cluster, leader, options.fault);
    witness.final.splice(0, Math.max(0, witness.final.length - 10));
    witness.accepted.clear();
  }
  return spreadOf(sample);
}
