/**
 * Inputs and what is ready as stable lines of text, for the log of a run. The text is made only when
 * somebody reads it, because it costs more than the run.
 */
import {
  describeEntries,
  describeEpoch,
  describeEvent,
  describeMessage,
  describeStatus,
  describeWriteOp,
} from '../protocol/describe.ts';
import type { Input, Read, Ready } from '../protocol/ready.ts';

/** One input. */
export function describeInput(input: Input): string {
  switch (input.kind) {
    case 'message':
      return `<- ${input.from} ${describeMessage(input.message)}`;
    case 'link-up':
      return `link with ${input.peer.id}, promised ${describeEpoch(input.peer.promised)}, nonce ${input.peer.nonce}`;
    case 'link-down':
      return `lost the link with ${input.peer}${input.refused ? ', which is gone' : ''}`;
    case 'persisted':
      return `wrote up to ${input.upTo}`;
    case 'submit':
      return `writes ${input.id.slice(-6)}`;
    case 'ids-found':
      return `found ${input.found.length} ids for ${input.request}`;
    case 'entries-read':
      return `read ${describeEntries(input.entries)} for ${input.request}`;
    case 'bytes':
      return `bytes from ${input.from}`;
    case 'tick':
    case 'leave':
      return input.kind;
    case 'refused-as-diverged':
      return `is told by ${input.by} that it differs`;
    case 'rename':
      return `is called ${input.name}`;
  }
}

/** Everything in a Ready that is not empty, in the order in which it is carried out. */
export function describeReady(ready: Ready): string[] {
  const lines: string[] = [];
  const { write } = ready;
  if (write !== null) {
    const ops = write.ops.map((op) => describeWriteOp(op)).join('; ');
    lines.push(`write ${write.number}${write.urgent ? '' : ' lazily'}: ${ops}`);
  }
  for (const { to, message } of ready.sends) lines.push(`-> ${to} ${describeMessage(message)}`);
  for (const read of ready.reads) lines.push(`read ${describeRead(read)}`);
  for (const { peer, reason } of ready.disconnects) lines.push(`disconnects ${peer}: ${reason}`);
  if (ready.delivered.length > 0) lines.push(`delivers ${describeEntries(ready.delivered)}`);
  for (const event of ready.events) lines.push(`event ${describeEvent(event)}`);
  if (ready.status !== null) lines.push(`status ${describeStatus(ready.status)}`);
  if (ready.addresses !== null)
    lines.push(`dials ${ready.addresses.map(({ id }) => id).join(' ')}`);
  return lines;
}

function describeRead(read: Read): string {
  if (read.kind === 'find-ids') return `${read.request}: which of ${read.ids.length} ids`;
  return `${read.request}: entries ${read.from} to ${read.to}`;
}
