/**
 * What each members list of the history changed. A list alone says who is there, not who came: for that it
 * takes the list before it, and to tell a return from a first time all lists before. It keeps the changes
 * alone, because lists are long and changes are short.
 */
import type { MembersChange, MemberView, PeerId, Seq } from '../../shared/model.ts';
import type { Entry } from '../../shared/protocol/types.ts';
import { membersOf } from './views.ts';

/** The changes of one group, from entry 1 on. */
export class MembershipHistory {
  readonly #changes = new Map<Seq, MembersChange>();
  readonly #everListed = new Set<PeerId>();
  #members: readonly MemberView[] = [];
  #last: Seq = 0;

  /** Takes the final entries' lists in their order; other entries and known ones change nothing. */
  note(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'members' || entry.seq <= this.#last) continue;
      const members = membersOf(entry);
      this.#changes.set(entry.seq, changeBetween(this.#members, members, this.#everListed));
      for (const { id } of members) this.#everListed.add(id);
      this.#members = members;
      this.#last = entry.seq;
    }
  }

  /** Seq of the newest list noted; 0 before the first. */
  get last(): Seq {
    return this.#last;
  }

  /** What the list at a seq changed; null where none was noted. */
  changeAt(seq: Seq): MembersChange | null {
    return this.#changes.get(seq) ?? null;
  }
}

function changeBetween(
  before: readonly MemberView[],
  after: readonly MemberView[],
  everListed: ReadonlySet<PeerId>,
): MembersChange {
  const old = new Map(before.map((member) => [member.id, member]));
  const now = new Set(after.map(({ id }) => id));
  const added = after.filter(({ id }) => !old.has(id));
  return {
    joined: added.filter(({ id }) => !everListed.has(id)),
    back: added.filter(({ id }) => everListed.has(id)),
    gone: before.filter(({ id }) => !now.has(id)),
    renamed: after.flatMap((member) => {
      const was = old.get(member.id)?.name ?? member.name;
      return was === member.name ? [] : [{ member, was }];
    }),
    moved: after.filter(({ id, address }) => (old.get(id)?.address ?? address) !== address),
  };
}
