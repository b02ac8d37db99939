/** Waiting for a condition of the agent's terminal: looked at when something changed, and from time to time. */
import type { Clock } from '../base/clock.ts';

/** Redraws come in bursts: one look for each is enough. */
const BURST_MS = 10;
/** How often a condition is looked at while nothing changes. */
const LOOK_MS = 50;

/** Something that changes. */
export interface Changing {
  /** Calls back once, at the next change; returns what takes that back. */
  onceChanged(listener: () => void): () => void;
}

export class Patience {
  readonly #terminal: Changing;
  readonly #clock: Clock;
  readonly #stopped: () => boolean;

  /** `stopped`: nothing is waited for any more. */
  constructor(terminal: Changing, clock: Clock, stopped: () => boolean) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#stopped = stopped;
  }

  /** Until the terminal has changed, `ms` at most. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      let forget = (): void => {};
      const timer = this.#clock.after(ms, () => {
        forget();
        resolve();
      });
      forget = this.#terminal.onceChanged(() => {
        timer.cancel();
        this.#clock.after(BURST_MS, resolve);
      });
    });
  }

  /** At least `ms`, whatever changes. */
  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => void this.#clock.after(ms, resolve));
  }

  /**
   * Until `condition` holds; false after `withinMs` in which it did not, or when stopped. The time does not
   * run while `excused` holds.
   */
  async until(
    condition: () => Promise<boolean>,
    withinMs: number,
    excused: () => boolean = () => false,
  ): Promise<boolean> {
    let deadline = this.#clock.monotonic() + withinMs;
    while (!this.#stopped()) {
      if (await condition()) return true;
      const now = this.#clock.monotonic();
      if (excused()) deadline = now + withinMs;
      if (now >= deadline) return false;
      await this.pause(LOOK_MS);
    }
    return false;
  }
}
