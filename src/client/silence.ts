/** Notices a leader that says nothing for three heartbeats (P20). */
import type { Clock, Timer } from '../base/clock.ts';

/** Our own timer came later than this: we slept, and what we did not hear in that time says nothing. */
const LATE_MS = 1_000;

export class SilenceWatch {
  readonly #clock: Clock;
  readonly #heartbeatMs: number;
  readonly #silent: () => void;
  #heardAt: number;
  #timer: Timer | undefined;

  /** Calls `silent` once, after three heartbeats in which `heard` was not called. */
  constructor(clock: Clock, heartbeatMs: number, silent: () => void) {
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
    this.#silent = silent;
    this.#heardAt = clock.monotonic();
    this.#look();
  }

  /** Any bytes count as life. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const due = this.#clock.monotonic() + this.#heartbeatMs;
    this.#timer = this.#clock.after(this.#heartbeatMs, () => {
      const now = this.#clock.monotonic();
      if (now - due > LATE_MS) this.#heardAt = now;
      if (now - this.#heardAt > 3 * this.#heartbeatMs) this.#silent();
      else this.#look();
    });
  }
}
