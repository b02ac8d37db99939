/** Time as a value that is passed in, so that the same code runs under a simulator with a seed. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since the epoch: for timestamps that people and other machines read. */
  now(): number;
  /** Milliseconds from an arbitrary start that never go back: for every interval we measure. */
  monotonic(): number;
  /** Runs `fn` once after `ms` milliseconds. An unref'd timer does not keep the process alive. */
  after(ms: number, fn: () => void, options?: { unref?: boolean }): Timer;
  /** Runs `fn` every `ms` milliseconds until cancelled. */
  every(ms: number, fn: () => void, options?: { unref?: boolean }): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  // Not performance.now(): Node loads `performance` at its first use, milliseconds of a start.
  monotonic: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  after(ms, fn, options) {
    const timer = setTimeout(fn, ms);
    if (options?.unref) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(ms, fn, options) {
    const timer = setInterval(fn, ms);
    if (options?.unref) timer.unref();
    return { cancel: () => clearInterval(timer) };
  },
};
