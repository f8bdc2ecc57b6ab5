/**
 * The story that the product exists for, as one function, so that a test runs it once and a soak many
 * times: three peers, 300 messages from all at once, the leader killed in the middle of more, its
 * successor leads, it comes back, catches up and leads again; nothing accepted is lost, doubled or
 * reordered.
 */
import { Cluster, historyFaults, orderFaults } from './cluster.ts';
import type { FinalEvent, PeerProcess } from './peer-process.ts';

/** What one telling of the story found. */
export interface Outcome {
  readonly accepted: number;
  readonly final: number;
  readonly faults: readonly string[];
}

/** Sends `count` messages in one go; their refs are `label` and a number. */
export function sendMany(peer: PeerProcess, label: string, count: number): void {
  peer.send(
    ...Array.from({ length: count }, (_, i) => ({
      cmd: 'send',
      text: `${label} ${i + 1}`,
      ref: `${label}-${i + 1}`,
    })),
  );
}

async function allAccepted(peer: PeerProcess, count: number): Promise<void> {
  await peer.until(`${count} accepted`, () => peer.accepted.size >= count);
}

/** Tells the story once. Throws where something does not happen in time. */
export async function leaderKilled(): Promise<Outcome> {
  const cluster = await Cluster.start(3);
  try {
    const sent = new Map<number, string[]>([1, 2, 3].map((id) => [id, []]));
    for (const id of [1, 2, 3]) sendMany(cluster.peer(id), `first-${id}`, 100);
    await Promise.all([1, 2, 3].map((id) => allAccepted(cluster.peer(id), 100)));
    for (const id of [1, 2, 3]) sent.get(id)?.push(...cluster.peer(id).accepted.values());
    await cluster.allFinal([...sent.values()].flat());

    // The leader dies while messages of all three are on their way.
    const dead = cluster.peer(3);
    for (const id of [1, 2, 3]) sendMany(cluster.peer(id), `second-${id}`, 50);
    await dead.until('some accepted', () => dead.accepted.size > 100);
    await dead.kill();
    sent.get(3)?.push(...[...dead.accepted.values()].slice(100));
    await cluster.settled();
    await Promise.all([1, 2].map((id) => allAccepted(cluster.peer(id), 150)));
    for (const id of [1, 2]) {
      sent.get(id)?.push(...[...cluster.peer(id).accepted.values()].slice(100));
    }
    await cluster.allFinal([...(sent.get(1) ?? []), ...(sent.get(2) ?? [])]);

    const back = await cluster.startPeer(3);
    await cluster.settled();
    sendMany(back, 'third-3', 20);
    await allAccepted(back, 20);
    sent.get(3)?.push(...back.accepted.values());
    const all = [...sent.values()].flat();
    await cluster.peer(1).until('everything final', () => holdsAll(cluster.peer(1).final, all));
    await cluster.peer(2).until('everything final', () => holdsAll(cluster.peer(2).final, all));

    const histories = [...[1, 2].map((id) => cluster.peer(id).final), dead.final, back.final];
    const faults = [...historyFaults(histories), ...orderFaults(cluster.peer(1).final, sent)];
    return { accepted: all.length, final: cluster.peer(1).texts().length, faults };
  } catch (error) {
    throw new Error(`${String(error)}\n\n${cluster.describe()}`, { cause: error });
  } finally {
    await cluster.close();
  }
}

function holdsAll(history: readonly FinalEvent[], messages: readonly string[]): boolean {
  if (history.length < messages.length) return false;
  const told = new Set(history.map((entry) => entry.message));
  return messages.every((message) => told.has(message));
}
