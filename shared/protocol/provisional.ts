/**
 * Following a leader that has no quorum. It has no epoch, asks for no promise and is outranked by any
 * established leader; among provisional leaders the highest that a peer hears is followed. What it
 * orders is shown as not final (submission.ts keeps that order).
 */
import { type Run, sameRun } from './messages.ts';
import { type State, isConnected, isListed } from './state.ts';
import { becomeFollowingProvisionally } from './transitions.ts';
import type { PeerId } from './types.ts';

/** `from` leads provisionally: follows it if nobody better is there. */
export function considerProvisional(s: State, from: PeerId, run: Run): void {
  if (run.leader !== from || s.stopped || !isConnected(s, from)) return;
  const { role } = s;
  switch (role.kind) {
    case 'leading':
      return;
    case 'following':
      // The followed leader itself says that it lost its quorum; any other has to wait.
      if (role.leader !== from) return;
      break;
    case 'following-provisionally':
      if (sameRun(role.run, run) || (role.leader > from && role.leader !== from)) return;
      break;
    case 'leading-provisionally':
      if (from < s.self.id) return;
      break;
    case 'leaderless':
      // A listed higher peer stands itself rather than follow a lower one.
      if (from < s.self.id && isListed(s) && !s.leaving) return;
      break;
  }
  if (s.attempt !== null && s.attempt.kind !== 'looking') return;
  becomeFollowingProvisionally(s, run);
}
