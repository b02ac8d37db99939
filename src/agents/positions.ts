/**
 * How far each transcript was heard, kept on disk for the wrapper that takes up a session after ours was
 * killed. What we close in order leaves nothing behind: then a resumed transcript is heard from its end on.
 * A transcript is a file, named by its absolute path, or a session that the agent's server keeps, by any other name.
 */

/** A message that was told under another id than its transcript's, while that does not hold it yet. */
export interface Begun {
  id: string;
  /** How it begins, which is how its transcript's record begins too. */
  text: string;
  /** Where `text` begins in it, if its transcript has the blocks before. */
  offset?: number | undefined;
}

/** What a wrapper that was killed left behind of a transcript. */
export interface Kept {
  /** Of a file, the bytes that were heard: the end of a line. Of a session, whatever rises with what was heard. */
  offset: number;
  begun: readonly Begun[];
  /** What is newer was not said to that wrapper (milliseconds since the epoch). */
  until: number;
}

export interface Positions {
  /** Where a killed wrapper was; undefined for a transcript none was hearing, or a file that is another by now. */
  get(transcript: string): Kept | undefined;
  /**
   * All of it before `offset` was heard. The first position of a transcript is kept at once, so it must come
   * before anything is told; so is a message in `begun` that was not there before; the rest within seconds.
   */
  set(transcript: string, offset: number, begun?: readonly Begun[]): void;
}

/** Keeps nothing: every transcript is unknown. */
export const NO_POSITIONS: Positions = { get: () => undefined, set: () => {} };
