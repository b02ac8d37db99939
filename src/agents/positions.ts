/**
 * How far each transcript was heard, kept on disk for the wrapper that takes up a session after ours was
 * killed. What we close in order leaves nothing behind: then a resumed transcript is heard from its end on.
 */

/** A message that was told under another id than its transcript's, while that does not hold it yet. */
export interface Begun {
  id: string;
  /** How it begins, which is how its transcript's record begins too. */
  text: string;
}

/** What a wrapper that was killed left behind of a transcript. */
export interface Kept {
  /** Bytes that were heard: the end of a line. */
  offset: number;
  begun: readonly Begun[];
  /** What is newer was not said to that wrapper (milliseconds since the epoch). */
  until: number;
}

export interface Positions {
  /** Where a killed wrapper was; undefined for a file that none was hearing, or that is another by now. */
  get(file: string): Kept | undefined;
  /**
   * All of the file before `offset` was heard. The first position of a file is kept at once, so it must come
   * before anything is told; so is a message in `begun` that was not there before; the rest within seconds.
   */
  set(file: string, offset: number, begun?: readonly Begun[]): void;
}

/** Keeps nothing: every file is unknown. */
export const NO_POSITIONS: Positions = { get: () => undefined, set: () => {} };
