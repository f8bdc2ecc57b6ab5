/** The right side: how the node stands, in one sentence and in its parts. */
import { Check, Copy, Fingerprint } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { NodeStatus } from '../../shared/model.ts';
import { describePeer, viewQuorum } from '../../shared/quorum-view.ts';
import type { QuorumView } from '../../shared/quorum-view.ts';
import { calledIn, nameOf, namingOf } from '../store/selectors.ts';
import { count } from '../store/situation.ts';
import type { Situation } from '../store/situation.ts';
import { useActions, useChat } from '../store/store-context.tsx';
import { useBorrowedFocus } from './use-borrowed-focus.ts';

/** The status panel. */
export function StatusPanel(props: {
  readonly over: boolean;
  readonly situation: Situation | null;
}) {
  const status = useChat((state) => state.status);
  const side = useBorrowedFocus(props.over);
  const { situation } = props;
  return (
    <aside
      ref={side}
      tabIndex={-1}
      className="side panel"
      data-over={props.over}
      aria-label="Status"
    >
      <div className="side-head">
        <h2 className="section-title">Status</h2>
      </div>
      {status === null || situation === null ? (
        <p className="side-empty">Looking who is there…</p>
      ) : (
        <div className="side-scroll panel-body">
          <SituationBox situation={situation} />
          <Facts status={status} />
          <HistoryFingerprint status={status} />
          {/* Last, because a large group has many. Who has stopped takes part in no quorum: nobody who
              came back would change that. */}
          {!status.diverged && <QuorumDots status={status} />}
        </div>
      )}
    </aside>
  );
}

function SituationBox({ situation }: { readonly situation: Situation }) {
  const { progress } = situation;
  return (
    <div className="situation" data-tone={situation.tone} data-situation={situation.kind}>
      <p role="status">
        <span className="tone-dot" data-tone={situation.tone} aria-hidden />
        {situation.sentence}
      </p>
      {progress !== null && (
        <progress aria-label="Catching up" value={progress.at} max={progress.target} />
      )}
    </div>
  );
}

/** One dot a member: who is there, who is not, and who could help to complete the quorum. */
function QuorumDots({ status }: { readonly status: NodeStatus }) {
  const quorum = viewQuorum(status);
  if (quorum.members.length === 0) return null;
  const there = new Set(quorum.connected);
  const wanted = new Set(quorum.wanted);
  const oneIsEnough = quorum.anyOneOf.length > 0;
  return (
    <section className="panel-part" aria-label="Quorum">
      <h3 className="section-title">Quorum</h3>
      <ul className="dots" data-quorum={quorum.isQuorum}>
        {quorum.members.map((id) => {
          const state = there.has(id) ? 'there' : wanted.has(id) ? 'needed' : 'absent';
          const needed = oneIsEnough ? 'is needed' : 'is one of those needed';
          const words = { there: 'is there', needed, absent: 'is not there' }[state];
          return (
            <li
              key={id}
              className="dot"
              data-state={state}
              title={`${nameOf(status, id)} ${words}`}
            >
              <span className="sr-only">Peer </span>
              <span className="mono">{id}</span>
              <span className="sr-only"> {words}</span>
            </li>
          );
        })}
      </ul>
      <p className="panel-note">
        {quorum.connected.length} of {quorum.members.length} connected,{' '}
        {describeNeed(quorum, status)}
      </p>
    </section>
  );
}

function describeNeed({ lists, members }: QuorumView, status: NodeStatus): string {
  if (lists.length > 1) return 'a quorum of the members before the change and after it is needed';
  const needed = Math.floor(members.length / 2) + 1;
  if (members.length % 2 === 1) return `${needed} needed`;
  return `${needed} needed, or ${needed - 1} with ${describePeer(Math.max(...members), namingOf(status))}`;
}

const ROLES: Readonly<Record<NodeStatus['role'], string>> = {
  leader: 'Leader',
  follower: 'Follower',
  candidate: 'Without a leader',
  joining: 'Joining',
};

function Facts({ status }: { readonly status: NodeStatus }) {
  const [number, epochLeader] = status.epoch;
  const leader =
    status.leader === null
      ? 'nobody'
      : status.leader === status.id
        ? `you (${status.id})`
        : calledIn(status, status.leader);
  return (
    <dl className="facts">
      <Fact name="Your role">
        {status.diverged ? 'Stopped' : ROLES[status.role]}
        {status.role === 'leader' && !status.established && ', provisional'}
      </Fact>
      <Fact name="Leader">
        <bdi>{leader}</bdi>
      </Fact>
      <Fact name="Epoch">
        <span className="mono" title={`Led by ${describePeer(epochLeader, namingOf(status))}`}>
          {count(number)}
        </span>
      </Fact>
      <Fact name="Last final number">
        <span className="mono">{count(status.commit)}</span>
      </Fact>
      <Fact name="Messages waiting">
        <span className="mono">{count(status.pending)}</span>
      </Fact>
    </dl>
  );
}

function Fact(props: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="fact">
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

/** Digits of the hash that are shown; 40 bits, enough for people to compare by voice. */
const SHORT_HASH = 10;

function HistoryFingerprint({ status }: { readonly status: NodeStatus }) {
  const { copyText } = useActions();
  const [copied, setCopied] = useState<string | null>(null);
  const text = `${status.hash.slice(0, SHORT_HASH)} at #${status.commit}`;
  useEffect(() => setCopied(null), [text]);
  if (status.commit === 0) return null;
  return (
    <section className="panel-part" aria-label="History fingerprint">
      <h3 className="section-title">History fingerprint</h3>
      <div className="fingerprint">
        <Fingerprint size={20} aria-hidden />
        <p className="mono" title={status.hash}>
          <span className="fingerprint-hash">{grouped(status.hash.slice(0, SHORT_HASH))}</span>{' '}
          <span className="fingerprint-at">at #{count(status.commit)}</span>
        </p>
        <button
          type="button"
          className="icon-button"
          aria-label={copied === text ? 'Fingerprint copied' : 'Copy fingerprint'}
          title="Copy"
          onClick={() => {
            copyText(`${status.hash} at #${status.commit}`).then(
              () => setCopied(text),
              () => setCopied(null),
            );
          }}
        >
          {copied === text ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
        </button>
      </div>
      <p className="panel-note">
        The same on two screens at the same number means the same history up to there.
      </p>
    </section>
  );
}

function grouped(hash: string): string {
  return hash.replace(/(.{5})(?=.)/g, '$1 ');
}
