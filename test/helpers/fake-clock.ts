/** A clock that stands still until a test moves it: timers run in the order in which they are due. */
import type { Clock, Timer } from '../../src/base/clock.ts';

interface Pending {
  due: number;
  /** Order of creation: of two timers due at once, the older one runs first, as in Node. */
  order: number;
  fn: () => void;
  /** Milliseconds between two runs, for a timer of `every`. */
  period: number | undefined;
}

export class FakeClock implements Clock {
  #elapsed = 0;
  #order = 0;
  readonly #start: number;
  readonly #pending = new Set<Pending>();

  /** @param start the wall clock at the beginning, milliseconds since the epoch. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, fn: () => void): Timer {
    return this.#add(ms, fn, undefined);
  }

  every(ms: number, fn: () => void): Timer {
    return this.#add(ms, fn, Math.max(1, ms));
  }

  /** How many timers wait: zero at the end of a test means that nothing was left behind. */
  get timers(): number {
    return this.#pending.size;
  }

  /**
   * Moves time on by `ms` and runs what falls due on the way, also timers made by timers. Promises
   * that those resolve run after this call; await `advanceAsync` where they must run in between.
   */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    for (let next = this.#next(end); next; next = this.#next(end)) this.#run(next);
    this.#elapsed = end;
  }

  /** As `advance`, but lets promises settle before and after each timer. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#run(next);
      await settle();
    }
    this.#elapsed = end;
  }

  #add(ms: number, fn: () => void, period: number | undefined): Timer {
    const due = this.#elapsed + Math.max(0, period ?? ms);
    const timer: Pending = { due, order: this.#order++, fn, period };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  #next(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.due > end) continue;
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }

  #run(timer: Pending): void {
    this.#elapsed = Math.max(this.#elapsed, timer.due);
    if (timer.period === undefined) {
      this.#pending.delete(timer);
    } else {
      timer.due += timer.period;
      timer.order = this.#order++;
    }
    timer.fn();
  }
}

/** Lets everything that already waits for a resolved promise run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
