/** What was appended and waits for its group, in order, and who waits until all of it has its answer. */
import type { Clock, Timer } from '../../base/clock.ts';
import type { RelayError } from '../../base/errors.ts';
import { MAX_RECORD_BYTES, RECORD_HEADER_BYTES } from './record.ts';
import type { Urgency } from './store.ts';

/** Milliseconds that a record for which nobody waits gives to others to join its group. */
const LINGER_MS = 2;

export interface Pending {
  record: Buffer;
  done: (error?: RelayError) => void;
}

export class AppendQueue {
  readonly #groupBytes: number;
  readonly #clock: Clock;
  readonly #wake: () => void;
  #waiting: Pending[] = [];
  /** Something of it is for now. */
  #due = false;
  #linger: Timer | undefined;
  /** Appends taken and appends answered, counted from the start. */
  #taken = 0;
  #answered = 0;
  #barriers: { at: number; resolve: () => void }[] = [];

  /**
   * @param groupBytes bytes of records written together: bounds the wait of the first of them.
   * @param wake called when a group is due, once or more often.
   */
  constructor(groupBytes: number, clock: Clock, wake: () => void) {
    this.#groupBytes = groupBytes;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** A group should be written now. */
  get due(): boolean {
    return this.#due;
  }

  add(pending: Pending, urgency: Urgency): void {
    this.#taken += 1;
    this.#waiting.push(pending);
    if (urgency === 'now') this.hurry();
    else if (!this.#due) this.#linger ??= this.#clock.after(LINGER_MS, () => this.hurry());
  }

  /** What waits is wanted now. */
  hurry(): void {
    this.#linger?.cancel();
    this.#linger = undefined;
    if (this.#waiting.length === 0) return;
    this.#due = true;
    this.#wake();
  }

  /** The next group: as many as fit, urgent or not. */
  take(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { record } of this.#waiting) {
      bytes += RECORD_HEADER_BYTES + record.length;
      if (count > 0 && bytes > this.#groupBytes) break;
      // Alone, so that its refusal is nobody else's.
      if (record.length > MAX_RECORD_BYTES && count > 0) break;
      count += 1;
      if (record.length > MAX_RECORD_BYTES) break;
    }
    return this.#taking(count);
  }

  takeAll(): Pending[] {
    return this.#taking(this.#waiting.length);
  }

  /** So many have their answer. */
  answered(count: number): void {
    this.#answered += count;
    this.#open();
  }

  /** Resolves when all that was added so far has its answer, which is hurried. */
  barrier(): Promise<void> {
    this.hurry();
    return new Promise((resolve) => {
      this.#barriers.push({ at: this.#taken, resolve });
      this.#open();
    });
  }

  #taking(count: number): Pending[] {
    const taken = this.#waiting.splice(0, count);
    this.#due &&= this.#waiting.length > 0;
    return taken;
  }

  #open(): void {
    while (this.#barriers[0] !== undefined && this.#barriers[0].at <= this.#answered) {
      this.#barriers.shift()?.resolve();
    }
  }
}
