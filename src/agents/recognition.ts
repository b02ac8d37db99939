/**
 * Does a source recognise what it reads? Agents change what they write with any version. Turns without a word
 * of the model, but with records of a shape that we do not know, say that it does not.
 */

/** Turns that may pass without a word: an answer that was broken off has none. */
const PATIENCE_TURNS = 2;

export class Recognition {
  #state: 'new' | 'known' | 'proven' = 'new';
  #strange: string | undefined;
  #turns = 0;

  /** A word of the model: from now on nothing is doubted. */
  speech(): void {
    this.#state = 'proven';
  }

  /** Anything else of the shape we know. */
  known(): void {
    if (this.#state === 'new') this.#state = 'known';
  }

  /** A record that might be speech, and is not as we know it. */
  strange(what: string): void {
    this.#strange ??= what;
  }

  /** A turn has ended, and all of it was read. Why the source is not to be trusted, or undefined. */
  turnEnded(): string | undefined {
    if (this.#state === 'proven' || ++this.#turns < PATIENCE_TURNS) return undefined;
    return this.#strange ?? (this.#state === 'new' ? 'nothing in it is as we know it' : undefined);
  }
}
