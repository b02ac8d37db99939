/** What was appended and waits for its group, in order, and who waits until all of it has its answer. Pure. */
import type { RelayError } from '../../base/errors.ts';
import { MAX_RECORD_BYTES, RECORD_HEADER_BYTES } from './record.ts';

export interface Pending {
  record: Buffer;
  done: (error?: RelayError) => void;
}

export class AppendQueue {
  readonly #groupBytes: number;
  #waiting: Pending[] = [];
  /** Appends taken and appends answered, counted from the start. */
  #taken = 0;
  #answered = 0;
  #barriers: { at: number; resolve: () => void }[] = [];

  /** @param groupBytes bytes of records written together: bounds the wait of the first of them. */
  constructor(groupBytes: number) {
    this.#groupBytes = groupBytes;
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  add(pending: Pending): void {
    this.#taken += 1;
    this.#waiting.push(pending);
  }

  /** The next group: as many as fit. */
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
    return this.#waiting.splice(0, count);
  }

  takeAll(): Pending[] {
    return this.#waiting.splice(0);
  }

  /** So many have their answer. */
  answered(count: number): void {
    this.#answered += count;
    this.#open();
  }

  /** Resolves when all that was added so far has its answer. */
  barrier(): Promise<void> {
    return new Promise((resolve) => {
      this.#barriers.push({ at: this.#taken, resolve });
      this.#open();
    });
  }

  #open(): void {
    while (this.#barriers[0] !== undefined && this.#barriers[0].at <= this.#answered) {
      this.#barriers.shift()?.resolve();
    }
  }
}
