/**
 * Frames, entries and states as stable one-line text, for scripts, logs and the simulator. The text says
 * who, which epoch and which places; it never contains what a person wrote or a key, so it may be logged.
 * It decides nothing and is not parsed by anybody.
 */
import { assertNever } from '../assert.ts';
import type { NodeStatus } from '../model.ts';
import { decodeMembers } from './codec.ts';
import type { LogView, ProtocolMessage, Run } from './messages.ts';
import type { CoreEvent, Inspection, WriteOp } from './ready.ts';
import { type Entry, type Epoch, type MessageId, type Position, compareEpochs } from './types.ts';

/** How message ids are written; a script knows them by the names in its story. */
export type NameOf = (id: MessageId) => string;

/** The last digits of an id: enough to tell messages of one run apart. */
export function shortId(id: MessageId): string {
  return `…${id.slice(-6)}`;
}

/** `e4.3`: epoch number 4, led by peer 3. */
export function describeEpoch({ number, leader }: Epoch): string {
  return `e${number}.${leader}`;
}

/** `7@e4.3`: the place with number 7, whose entry is of epoch 4 led by 3. */
export function describePosition({ seq, epoch }: Position): string {
  return `${seq}@${describeEpoch(epoch)}`;
}

/** What stands in an entry: a message by name, a list by its ids, or `leader`. */
export function describeContent(entry: Entry, nameOf: NameOf = shortId): string {
  switch (entry.kind) {
    case 'message':
      return nameOf(entry.id);
    case 'leader':
      return `leader-${entry.author}`;
    case 'members': {
      const list = decodeMembers(entry.body);
      return list.ok ? `members[${ids(list.value)}]` : 'members[?]';
    }
    default:
      return assertNever(entry.kind, 'entry kind');
  }
}

/** `7@e4.3 m1`. */
export function describeEntry(entry: Entry, nameOf: NameOf = shortId): string {
  return `${describePosition(entry)} ${describeContent(entry, nameOf)}`;
}

/**
 * Consecutive entries in runs of one epoch: `e4.3: 7 m1, 8 m2; e5.2: 9 leader-2`. With more than `max`
 * entries the middle is counted instead.
 */
export function describeEntries(
  entries: readonly Entry[],
  nameOf: NameOf = shortId,
  max = 8,
): string {
  if (entries.length > max) {
    const half = Math.floor(max / 2);
    const head = describeEntries(entries.slice(0, half), nameOf, max);
    const tail = describeEntries(entries.slice(-half), nameOf, max);
    return `${head} (… ${entries.length - 2 * half} more …) ${tail}`;
  }
  let text = '';
  let epoch: Epoch | null = null;
  for (const entry of entries) {
    const goesOn = epoch !== null && compareEpochs(epoch, entry.epoch) === 0;
    if (goesOn) text += ', ';
    else text += `${epoch === null ? '' : '; '}${describeEpoch(entry.epoch)}: `;
    text += `${entry.seq} ${describeContent(entry, nameOf)}`;
    ({ epoch } = entry);
  }
  return text;
}

/** One line for a frame: its kind, then what matters in it. */
export function describeMessage(message: ProtocolMessage, nameOf: NameOf = shortId): string {
  const details = describeDetails(message, nameOf);
  return details === '' ? message.kind : `${message.kind} ${details}`;
}

function describeDetails(message: ProtocolMessage, nameOf: NameOf): string {
  switch (message.kind) {
    case 'heartbeat': {
      const { leader, established, epoch, last, mark, hears, synchronising } = message;
      const state = established ? describeEpoch(epoch) : 'provisional';
      const role = leader === null ? 'no leader' : `leader ${leader} ${state}`;
      const sync = synchronising === null ? '' : ` synchronising ${synchronising}`;
      const leaving = message.leaving ? ' leaving' : '';
      return `${role}, ${describePosition(last)} final ${mark}, hears ${hears.join(' ')}${sync}${leaving}`;
    }
    case 'election':
      return `round ${message.round}, ${describePosition(message.last)} of [${ids(message.list)}]`;
    case 'answer':
      return `round ${message.round}`;
    case 'support':
      return `round ${message.round}, ${describeView(message)}`;
    case 'refuse':
      return `round ${message.round}, for ${message.leader}`;
    case 'prepare':
      return describeEpoch(message.epoch);
    case 'promise':
      return `${describeEpoch(message.epoch)}, ${describeView(message)}`;
    case 'reject': {
      const { epoch, promised, leader } = message;
      const why = leader === null ? `promised ${describeEpoch(promised)}` : `for ${leader}`;
      return `${describeEpoch(epoch)}, ${why}`;
    }
    case 'coordinator': {
      const { lead } = message;
      return lead.kind === 'established' ? describeEpoch(lead.epoch) : describeRun(lead.run);
    }
    case 'submit':
      return names(
        message.messages.map(({ id }) => id),
        nameOf,
      );
    case 'offer':
    case 'want':
      return names(message.ids, nameOf);
    default:
      return describeOrdering(message, nameOf);
  }
}

type Ordering = Exclude<
  ProtocolMessage,
  {
    readonly kind:
      | 'heartbeat'
      | 'election'
      | 'answer'
      | 'support'
      | 'refuse'
      | 'prepare'
      | 'promise'
      | 'reject'
      | 'coordinator'
      | 'submit'
      | 'offer'
      | 'want';
  }
>;

function describeOrdering(message: Ordering, nameOf: NameOf): string {
  switch (message.kind) {
    case 'accept': {
      const { epoch, prev, entries, mark } = message;
      const what = entries.length === 0 ? 'nothing' : describeEntries(entries, nameOf);
      return `${describeEpoch(epoch)} after ${describePosition(prev)}: ${what} (final ${mark})`;
    }
    case 'ack':
      return `${describeEpoch(message.epoch)} up to ${message.seq}`;
    case 'behind':
      return `${describeEpoch(message.epoch)} last ${message.last} final ${message.mark}`;
    case 'tentative': {
      const { run, from, messages } = message;
      const what = names(
        messages.map(({ id }) => id),
        nameOf,
      );
      return `${describeRun(run)} from ${from}: ${what}`;
    }
    case 'fetch': {
      const { after, epoch } = message;
      return `after ${describePosition(after)}${epoch === null ? '' : ` as ${describeEpoch(epoch)}`}`;
    }
    case 'entries': {
      const { matched, prev, entries, mark } = message;
      if (!matched) return `no match at ${describePosition(prev)} (final ${mark})`;
      const what = entries.length === 0 ? 'nothing' : describeEntries(entries, nameOf);
      return `after ${describePosition(prev)}: ${what} (final ${mark})`;
    }
    case 'join':
      return String(message.member.id);
    case 'join-refused':
      return message.code;
    case 'leave':
      return '';
    case 'addresses':
      return ids(message.members);
    default:
      return assertNever(message, 'message');
  }
}

/** `3#1`: the first provisional run of peer 3's process. */
export function describeRun(run: Run): string {
  return `run ${run.leader}#${run.counter}`;
}

function describeView({ last, mark, lists }: LogView): string {
  return `${describePosition(last)} final ${mark} of ${lists.map((list) => `[${ids(list)}]`).join('+')}`;
}

/** `leads e4.3`, `follows 3 e4.3`, `follows 3 provisionally`, `no leader` … */
export function describeRole({ role }: Pick<Inspection, 'role'>): string {
  switch (role.kind) {
    case 'leaderless':
      return 'no leader';
    case 'following': {
      const via = role.via === null ? '' : ` through ${role.via}`;
      return `follows ${role.leader} ${describeEpoch(role.epoch)}${via}`;
    }
    case 'following-provisionally':
      return `follows ${role.leader} provisionally`;
    case 'leading':
      return `leads ${describeEpoch(role.epoch)}`;
    case 'leading-provisionally':
      return 'leads provisionally';
    default:
      return assertNever(role, 'role');
  }
}

/**
 * One line for a replica: role, promise where it is above the last entry, end of its log, what is final,
 * what waits (`2:m1` has provisional place 2), and the lists in effect (two while a change is not final).
 */
export function describeReplica(inspection: Inspection, nameOf: NameOf = shortId): string {
  const { promised, last, mark, lists } = inspection;
  const newest = lists.at(-1);
  const inEffect = newest !== undefined && newest.seq <= mark ? [newest] : lists.slice(-2);
  const above =
    compareEpochs(promised, last.epoch) > 0 ? `, promised ${describeEpoch(promised)}` : '';
  const waiting = names([...inspection.pending], (id) => {
    const place = inspection.pendingPlace(id);
    return place === null ? nameOf(id) : `${place}:${nameOf(id)}`;
  });
  return [
    `${describeRole(inspection)}${above}`,
    `log ${describePosition(last)} final ${mark}`,
    ...(waiting === '' ? [] : [`pending ${waiting}`]),
    `of ${inEffect.map((list) => `[${ids(list.members)}]`).join('+') || 'no list'}`,
  ].join(', ');
}

/** One line for a status as hosts see it. */
export function describeStatus(status: NodeStatus): string {
  const { role, leader, established, epoch, members, commit, pending, peers } = status;
  const lead = leader === null ? 'none' : `${leader}${established ? '' : ' (provisional)'}`;
  const suspects = peers.filter(({ suspected }) => suspected).map(({ id }) => id);
  const flags =
    (status.synchronising ? ', synchronising' : '') +
    (status.diverged ? ', diverged' : '') +
    (suspects.length > 0 ? `, suspects ${suspects.join(' ')}` : '');
  return (
    `${role}, leader ${lead}, epoch ${epoch.join('.')}, final ${commit}, ` +
    `pending ${pending}, members ${members.join(' ')}${flags}`
  );
}

/** One line for what people and the host are told. */
export function describeEvent(event: CoreEvent, nameOf: NameOf = shortId): string {
  switch (event.kind) {
    case 'accepted':
      return `accepted ${nameOf(event.message.id)}`;
    case 'provisional':
      return `provisional ${event.n} ${nameOf(event.message.id)}`;
    case 'progress':
      return `progress ${event.at} of ${event.target}`;
    case 'listed':
    case 'left':
      return event.kind;
    case 'join-refused':
      return `join refused: ${event.code}`;
    case 'diverged':
      return `differs from ${event.peer} at ${event.seq}${event.stopped ? ', stopped' : ''}`;
    default:
      return assertNever(event, 'event');
  }
}

/** One line for a durable change. */
export function describeWriteOp(op: WriteOp, nameOf: NameOf = shortId): string {
  switch (op.kind) {
    case 'cut':
      return `cut after ${op.after}`;
    case 'append':
      return `append ${describeEntries(op.entries, nameOf)}`;
    case 'add-pending': {
      const which = op.messages.map(({ id }) => id);
      return `add to pending, ${op.at}: ${names(which, nameOf)}`;
    }
    case 'remove-pending':
      return `remove from pending: ${names(op.ids, nameOf)}`;
    case 'promise':
      return `promise ${describeEpoch(op.epoch)}`;
    case 'mark':
      return `final ${op.seq}`;
    case 'last-own':
      return `last own ${nameOf(op.id)}`;
    case 'know':
      return `know ${op.peer.member.id}${op.peer.bound ? ' bound' : ''}`;
    default:
      return assertNever(op, 'write');
  }
}

function names(list: readonly MessageId[], nameOf: NameOf): string {
  const max = 12;
  const shown = list.slice(0, max).map(nameOf).join(' ');
  return list.length > max ? `${shown} … ${list.length} in all` : shown;
}

function ids(list: readonly { readonly id: number }[]): string {
  return list.map(({ id }) => id).join(' ');
}
