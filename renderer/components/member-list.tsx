/** The roster: members with who leads and how they answer, and below them everyone who is away. */
import { Crown, UserPlus } from 'lucide-react';
import { useId } from 'react';
import { peopleOf } from '../store/selectors.ts';
import type { Person } from '../store/selectors.ts';
import { useChat } from '../store/store-context.tsx';
import { Avatar } from './avatar.tsx';
import { useBorrowedFocus } from './use-borrowed-focus.ts';

/** The left side. */
export function MemberList(props: { readonly over: boolean; readonly onInvite: () => void }) {
  const status = useChat((state) => state.status);
  const away = useId();
  const side = useBorrowedFocus(props.over);
  const people = status === null ? null : peopleOf(status);
  return (
    <aside
      ref={side}
      tabIndex={-1}
      className="side roster"
      data-over={props.over}
      aria-label="Members"
    >
      <div className="side-head">
        <h2 className="section-title">
          Members{people !== null && <span className="side-count"> {people.members.length}</span>}
        </h2>
        <button type="button" className="button roster-invite" onClick={props.onInvite}>
          <UserPlus size={16} aria-hidden />
          Invite
        </button>
      </div>
      {people === null ? (
        <p className="side-empty">Asking who is here…</p>
      ) : (
        <div className="side-scroll">
          {people.members.length === 0 && (
            <p className="side-empty">Nobody is listed before this peer is let in.</p>
          )}
          <ul className="people">
            {people.members.map((person) => (
              <PersonRow key={person.id} person={person} />
            ))}
          </ul>
          {people.away.length > 0 && (
            <>
              <h3 className="section-title people-title" id={away}>
                Away <span className="side-count">{people.away.length}</span>
              </h3>
              <ul className="people" aria-labelledby={away}>
                {people.away.map((person) => (
                  <PersonRow key={person.id} person={person} />
                ))}
              </ul>
            </>
          )}
        </div>
      )}
    </aside>
  );
}

const PRESENCE: Readonly<Record<Person['presence'], string>> = {
  self: 'you',
  connected: 'connected',
  suspected: 'does not answer',
  unconnected: 'not connected',
  away: 'away',
};

function PersonRow({ person }: { readonly person: Person }) {
  const { isLeader, isSelf, name, presence } = person;
  const detail = presence === 'connected' ? latency(person.rttMs) : PRESENCE[presence];
  return (
    <li
      className="person"
      data-peer={person.id}
      data-presence={presence}
      title={person.address === '' ? undefined : `${name} at ${person.address}`}
    >
      <Avatar name={name} isSelf={isSelf} presence={presence} />
      <span className="person-name">
        <bdi>{name}</bdi>
      </span>
      {isLeader && (
        <span className="badge" title="Orders the messages">
          <Crown size={12} aria-hidden />
          leader
        </span>
      )}
      <span className="person-detail">
        <span className="mono">
          <span className="sr-only">peer </span>
          {person.id}
        </span>
        {' · '}
        {presence === 'connected' && <span className="sr-only">connected </span>}
        {detail}
      </span>
    </li>
  );
}

function latency(rttMs: number | null): string {
  if (rttMs === null) return 'connected';
  return rttMs < 1 ? '< 1 ms' : `${Math.round(rttMs)} ms`;
}
