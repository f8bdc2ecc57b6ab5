/**
 * How many messages of others nobody has looked at: those that arrive while the window is not in
 * front. It decides what counts; the window shows it.
 */
import type { FinalEntry, PeerId } from '../../shared/model.ts';

/** Counts what was not looked at. */
export class Attention {
  readonly #show: (unread: number) => void;
  #unread = 0;

  constructor(show: (unread: number) => void) {
    this.#show = show;
  }

  /** Entries became final while somebody was, or was not, looking. */
  onArrived(entries: readonly FinalEntry[], self: PeerId, looking: boolean): void {
    if (looking) return;
    const unseen = entries.filter((entry) => entry.kind === 'message' && entry.author !== self);
    if (unseen.length === 0) return;
    this.#unread += unseen.length;
    this.#show(this.#unread);
  }

  /** The window came to the front, or the group was left. */
  reset(): void {
    if (this.#unread === 0) return;
    this.#unread = 0;
    this.#show(0);
  }
}
