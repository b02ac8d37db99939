/**
 * What sockets bring is worked off in small pieces, a little in each turn of the event loop, one socket
 * after the other: neither a peer that sends without end nor all of them together keep the others, or the
 * keys of the person whose wrapper hosts the daemon, waiting. docs/architecture.md "A busy neighbour".
 */

/** Milliseconds of a turn that may be spent on what sockets have brought: less than a person's key notices. */
const TURN_MS = 1;

/** Has pieces to work off. */
export interface Worker {
  /** Works off one piece; false when nothing is left. */
  work(): boolean;
}

export interface TurnsOptions {
  turnMs?: number;
  /** Milliseconds, monotonic. */
  now?: () => number;
  /** Runs `fn` in the next turn of the loop, after the events at hand. */
  nextTurn?: (fn: () => void) => void;
}

export class Turns {
  readonly #turnMs: number;
  readonly #now: () => number;
  readonly #nextTurn: (fn: () => void) => void;
  readonly #waiting: Worker[] = [];
  /** When the work of this turn is to end; undefined: none was done yet. */
  #endsAt: number | undefined;

  constructor({
    turnMs = TURN_MS,
    now = () => performance.now(),
    nextTurn = setImmediate,
  }: TurnsOptions = {}) {
    this.#turnMs = turnMs;
    this.#now = now;
    this.#nextTurn = nextTurn;
  }

  /** Lets `worker` work until it says false: now if nobody waits, as long as this turn has room, else in later ones. */
  take(worker: Worker): void {
    if (this.#waiting.length === 0) {
      for (const endsAt = this.#begun(); this.#now() < endsAt; ) if (!worker.work()) return;
    }
    this.#waiting.push(worker);
  }

  #begun(): number {
    if (this.#endsAt === undefined) {
      this.#endsAt = this.#now() + this.#turnMs;
      this.#nextTurn(() => this.#goOn());
    }
    return this.#endsAt;
  }

  #goOn(): void {
    this.#endsAt = undefined;
    if (this.#waiting.length === 0) return;
    const endsAt = this.#begun();
    do {
      const worker = this.#waiting.shift() as Worker;
      if (worker.work()) this.#waiting.push(worker);
    } while (this.#waiting.length > 0 && this.#now() < endsAt);
  }
}
