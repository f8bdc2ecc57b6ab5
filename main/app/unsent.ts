/**
 * What a person has written in one group and no message holds yet: the words in the composer, and the
 * texts that have left it while the node has not accepted them. Both are kept as the group's draft, so that
 * whatever ends the app, they stand in the composer at the next start. A text leaves the draft when it is
 * accepted; one that is refused goes back to the words.
 */
import type { SendOutcome } from '../../shared/model.ts';
import type { Groups } from './groups.ts';

/** The unsent words of one group. */
export class Unsent {
  readonly #drafts: Pick<Groups, 'draft' | 'saveDraft'>;
  readonly #folder: string;
  readonly #leaving: string[] = [];
  /** Refused, in their order, and not in the composer yet. */
  #returned: readonly string[] = [];
  #words: string;

  constructor(drafts: Pick<Groups, 'draft' | 'saveDraft'>, folder: string) {
    this.#drafts = drafts;
    this.#folder = folder;
    this.#words = drafts.draft(folder);
  }

  /** What stands in the composer, or has to. */
  words(): string {
    return joined([...this.#returned, this.#words]);
  }

  /** The composer holds this now. */
  setWords(words: string): void {
    this.#returned = [];
    this.#words = words;
    this.#save();
  }

  /** Keeps a text until its outcome is known, and answers that outcome. */
  async keepUntil(outcome: Promise<SendOutcome>, text: string): Promise<SendOutcome> {
    this.#leaving.push(text);
    this.#save();
    const known = await outcome;
    this.#leaving.splice(this.#leaving.indexOf(text), 1);
    if (!known.ok) this.#returned = [...this.#returned, text];
    this.#save();
    return known;
  }

  #save(): void {
    this.#drafts.saveDraft(this.#folder, joined([...this.#leaving, this.words()]));
  }
}

/** In the order in which they were written, as the composer shows them again. */
function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n');
}
