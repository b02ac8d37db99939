/** The time of a recording: it moves when the recording does, so that playing it is deterministic. */
import type { Clock, Timer } from '../base/clock.ts';

interface Pending {
  due: number;
  fn: () => void;
}

export class RecordedClock implements Clock {
  #elapsed = 0;
  readonly #start: number;
  readonly #pending = new Set<Pending>();

  /** @param start the wall clock at the beginning of the recording, milliseconds since the epoch. */
  constructor(start = 0) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, fn: () => void): Timer {
    const timer = { due: this.#elapsed + ms, fn };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  every(ms: number, fn: () => void): Timer {
    let timer: Timer;
    const again = () => {
      timer = this.after(ms, again);
      fn();
    };
    timer = this.after(ms, again);
    return { cancel: () => timer.cancel() };
  }

  /** Moves on to `elapsed` milliseconds from the start and runs what falls due on the way, in order. */
  advanceTo(elapsed: number): void {
    for (let next = this.#next(elapsed); next !== undefined; next = this.#next(elapsed)) {
      this.#pending.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.due);
      next.fn();
    }
    this.#elapsed = Math.max(this.#elapsed, elapsed);
  }

  #next(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }
}
