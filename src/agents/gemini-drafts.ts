/**
 * What lately stood in the agent's input box: a prompt in a transcript that matches it was typed here, and the
 * transcript is ours. Two agents in one folder write theirs side by side.
 */

/** Drafts remembered: the last ones before an Enter, and some of prompts that wait. */
const MAX_DRAFTS = 32;

/** A long paste, drawn as a chip. */
const CHIP = /\[Pasted Text:[^\]]*\]/;

/** Characters from which a beginning is enough: the box is read when it settles, not at each key. */
const TELLING = 12;

/** Characters from which the box may show only a part. */
const LONG = 200;

/** Wrapping and indentation are the screen's own. */
const plain = (text: string): string => text.replace(/\s+/g, '');

export class Drafts {
  #drafts: string[] = [];

  add(text: string): void {
    if (text === '' || this.#drafts.includes(text)) return;
    this.#drafts.push(text);
    if (this.#drafts.length > MAX_DRAFTS) this.#drafts.shift();
  }

  /** This prompt was typed here. */
  match(prompt: string): boolean {
    return this.#drafts.some((draft) => matches(draft, prompt));
  }

  /** It is on record as ours: the same words in another's transcript are not. */
  settle(prompt: string): void {
    this.#drafts = this.#drafts.filter((draft) => !matches(draft, prompt));
  }
}

function matches(draft: string, prompt: string): boolean {
  const whole = plain(prompt);
  const pieces = draft.split(CHIP).map(plain);
  const [first = ''] = pieces;
  if (pieces.length === 1 && first.length < LONG) {
    return first === whole || (first.length >= TELLING && whole.startsWith(first));
  }
  let at = 0;
  for (const piece of pieces) {
    const found = whole.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return true;
}
