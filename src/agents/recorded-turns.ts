/**
 * The agent's turns, as its signals show them, against the records of it that we read. A turn that left none
 * was written to a transcript that we do not read.
 */
import type { Clock, Timer } from '../base/clock.ts';

/** Milliseconds after the end of a turn in which something of it must have been recorded. */
const RECORD_MS = 1_500;

/** Milliseconds by which a record may be older than the signal that its turn began. */
const EARLIER_MS = 500;

export interface RecordedTurnsOptions {
  clock: Clock;
  /** Milliseconds that no turn stays below: what is shorter is none. */
  shortestMs?: number;
  /** By now a turn that has ended must have left a record; `since`: what is older is not of it (wall clock). */
  due(since: number): void;
}

export class RecordedTurns {
  readonly #options: RecordedTurnsOptions;
  /** Each turn has a time of its own: the record of a later one says nothing of where it went. */
  readonly #timers = new Set<Timer>();
  /** When the running turn began (wall clock); undefined between turns. */
  #began: number | undefined;
  /** When we last read anything of ours (wall clock). */
  #recorded = 0;

  constructor(options: RecordedTurnsOptions) {
    this.#options = options;
  }

  /** The agent's signals say that it works: what it says is recorded from here on. */
  began(): void {
    this.#began ??= this.#options.clock.now();
  }

  /** …and that it is done. */
  ended(): void {
    const { clock, shortestMs = 0, due } = this.#options;
    const began = this.#began;
    this.#began = undefined;
    if (began === undefined || clock.now() - began < shortestMs) return;
    const timer = clock.after(
      RECORD_MS,
      () => {
        this.#timers.delete(timer);
        due(began - EARLIER_MS);
      },
      { unref: true },
    );
    this.#timers.add(timer);
  }

  /** We read something of ours. */
  record(): void {
    this.#recorded = this.#options.clock.now();
  }

  /** Has anything of ours been read since then (wall clock)? */
  recordedSince(since: number): boolean {
    return this.#recorded >= since;
  }

  /** Nothing is due any more of the turns that have ended so far. */
  forget(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
