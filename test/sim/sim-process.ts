/** A simulated process: what it does happens while it lives and is not stopped. */
import type { Clock, Timer } from '../../src/base/clock.ts';
import type { Random } from '../helpers/sim-files.ts';
import type { SimTime } from './sim-time.ts';

/** The machine's wall clock, which somebody sets now and then. */
export interface WallClock {
  offset: number;
}

const START = Date.UTC(2026, 0, 1);

/** What it shows, ms. */
export const wallTime = (time: SimTime, wall: WallClock): number =>
  START + Math.floor(time.now) + wall.offset;

/** Milliseconds over which a process that was stopped catches up, in any order. */
const WAKING_MS = 3;

export class SimProcess {
  readonly pid: number;
  alive = true;
  readonly clock: Clock;
  readonly #time: SimTime;
  readonly #random: Random;
  #stopped = false;
  /** It was stopped once. */
  wasStopped = false;
  #held: (() => void)[] = [];
  /** Those that are still to fire. */
  readonly timers = new Set<Timer>();
  readonly #mourners = new Set<() => void>();

  constructor(pid: number, time: SimTime, random: Random, wall: WallClock) {
    this.pid = pid;
    this.#time = time;
    this.#random = random;
    this.clock = {
      now: () => wallTime(time, wall),
      monotonic: () => time.now,
      after: (ms, fn) => this.#timer(ms, fn),
      every: (ms, fn) => this.#every(Math.max(1, ms), fn),
    };
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Runs `fn` so many milliseconds from now, or when the process goes on; never once it is dead. */
  soon(ms: number, fn: () => void): void {
    this.#time.after(ms, () => {
      if (!this.alive) return;
      if (this.#stopped) this.#held.push(fn);
      else fn();
    });
  }

  /** Runs `fn` when the disk has answered: mostly at once, now and then after a long while. */
  later(fn: () => void): void {
    this.soon(this.#random.chance(0.01) ? this.#random.next() * 100 : this.#random.next(), fn);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.soon(ms, resolve));
  }

  /** SIGSTOP. */
  stop(): void {
    this.#stopped = true;
    this.wasStopped = true;
  }

  /** SIGCONT. */
  goOn(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    for (const fn of this.#held.splice(0)) this.soon(this.#random.next() * WAKING_MS, fn);
  }

  /** SIGKILL. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#held = [];
    for (const mourner of this.#mourners) mourner();
    this.#mourners.clear();
  }

  /** Calls `fn` at its death; returns the way to call that off. */
  whenDead(fn: () => void): () => void {
    this.#mourners.add(fn);
    return () => this.#mourners.delete(fn);
  }

  #timer(ms: number, fn: () => void): Timer {
    const timer = this.#live();
    this.soon(ms, () => {
      if (!this.timers.delete(timer)) return;
      fn();
    });
    return timer;
  }

  #every(ms: number, fn: () => void): Timer {
    const timer = this.#live();
    const next = () =>
      this.soon(ms, () => {
        if (!this.timers.has(timer)) return;
        fn();
        if (this.timers.has(timer)) next();
      });
    next();
    return timer;
  }

  #live(): Timer {
    const timer = { cancel: () => void this.timers.delete(timer) };
    this.timers.add(timer);
    return timer;
  }
}
