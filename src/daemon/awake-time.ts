/** Time as the daemon lived it: what it slept through does not count (P2, P15). Pure. */

/** Milliseconds between two looks at the clock, at most, unless we slept. */
const AWAKE_MS = 1_000;

export class AwakeTime {
  #ms = 0;
  #lookedAt: number;

  /** All times are monotonic milliseconds. */
  constructor(now: number) {
    this.#lookedAt = now;
  }

  /** Milliseconds, as of the last look. */
  get ms(): number {
    return this.#ms;
  }

  look(now: number): void {
    this.#ms += Math.min(now - this.#lookedAt, AWAKE_MS);
    this.#lookedAt = now;
  }
}
