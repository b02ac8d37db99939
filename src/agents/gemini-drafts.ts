/**
 * What lately stood in the agent's input box: a prompt in a transcript that matches it was typed here, and the
 * transcript is ours. Two agents in one folder write theirs side by side.
 */

/** Drafts remembered: the last ones before an Enter. */
const MAX_DRAFTS = 8;

/** A long paste, drawn as a chip. */
const CHIP = /\[Pasted Text:[^\]]*\]/;

/** Wrapping and indentation are the screen's own. */
const plain = (text: string): string => text.replace(/\s+/g, '');

export class Drafts {
  readonly #drafts: string[] = [];

  add(text: string): void {
    if (text === '' || text === this.#drafts.at(-1)) return;
    this.#drafts.push(text);
    if (this.#drafts.length > MAX_DRAFTS) this.#drafts.shift();
  }

  /** The newest; undefined before the first. */
  get last(): string | undefined {
    return this.#drafts.at(-1);
  }

  /** This prompt was typed here: it holds the pieces of a draft, in their order. A box may show only a part. */
  match(prompt: string): boolean {
    const whole = plain(prompt);
    return this.#drafts.some((draft) => {
      let at = 0;
      for (const piece of draft.split(CHIP).map(plain)) {
        const found = whole.indexOf(piece, at);
        if (found < 0) return false;
        at = found + piece.length;
      }
      return true;
    });
  }
}
