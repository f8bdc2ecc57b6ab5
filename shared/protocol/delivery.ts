/**
 * Moving the commit mark and delivering what it newly covers, in order and without gaps (G2). Whoever
 * calls has made sure that the entries up to there are final and equal to the group's (G1); here only
 * the consequences are drawn.
 */
import { assert, must } from '../assert.ts';
import { decodeMembers } from './codec.ts';
import { type State, emit, isListed, knownAs, write } from './state.ts';
import { lookupFloor } from './submission.ts';
import { EPOCH_ZERO, type Entry } from './types.ts';

/** Moves the mark up to `seq`, which is in the own log, and delivers the entries on the way. */
export function moveMark(s: State, seq: number): void {
  if (seq <= s.mark) return;
  assert(seq <= s.log.last.seq, 'the mark never passes the end of the own log');
  const entries = s.log.slice(s.mark + 1, seq);
  s.mark = seq;
  write(s, { kind: 'mark', seq }, false);
  for (const entry of entries) {
    s.out.delivered.push(entry);
    if (entry.kind === 'members') onMembersFinal(s, entry);
  }
  const { tailEntries, tailEntriesForLaggards, tailBytes } = s.config;
  const kept = hasLaggard(s) ? tailEntriesForLaggards : tailEntries;
  s.log.trim(Math.min(seq, lookupFloor(s)), { entries: kept, bytes: tailBytes });
}

/** This peer leads, and somebody fetches what it lacks to come close to the end. */
function hasLaggard({ role, peers }: State): boolean {
  if (role.kind !== 'leading') return false;
  for (const [id, { lagging }] of role.progress) {
    if (lagging && peers.get(id)?.linked === true) return true;
  }
  return false;
}

/** A members list is final: its ids are bound to their keys for good, and its addresses are known. */
function onMembersFinal(s: State, entry: Entry): void {
  const decoded = decodeMembers(entry.body);
  assert(decoded.ok, 'a members entry was checked before it was appended');
  for (const member of decoded.value) {
    const known = knownAs(s, member);
    const peer = {
      member,
      bound: true,
      promised: known?.promised ?? EPOCH_ZERO,
      nonce: known?.nonce ?? 0,
    };
    s.known.set(member.id, peer);
    write(s, { kind: 'know', peer }, false);
  }
  s.out.addressesChanged = true;
  s.out.statusChanged = true;
  const newest = must(s.log.lists.at(-1), 'a final list is in the log');
  if (newest.seq === entry.seq && isListed(s) && !s.bound) {
    s.bound = true;
    emit(s, { kind: 'listed' });
  }
  if (s.leaving && !s.left && newest.seq === entry.seq && !isListed(s)) {
    s.left = true;
    emit(s, { kind: 'left' });
  }
}
