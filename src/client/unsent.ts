/** What this connection has not been sent yet, oldest first, and what waits for room (P14, P15). */
import type { OutboxEntry } from './outbox-entry.ts';
import { PushedBack } from './pushed-back.ts';

export class Unsent {
  #entries: OutboxEntry[] = [];
  /** What lies before it was sent. */
  #head = 0;
  readonly #pushedBack = new PushedBack();
  readonly #kept: () => Iterable<OutboxEntry>;

  /** @param kept all that is in the outbox, oldest first. */
  constructor(kept: () => Iterable<OutboxEntry>) {
    this.#kept = kept;
  }

  get none(): boolean {
    return this.#head >= this.#entries.length;
  }

  push(entry: OutboxEntry): void {
    this.#entries.push(entry);
  }

  /** The next; it counts as sent. */
  next(): OutboxEntry | undefined {
    for (let entry = this.#entries[this.#head]; entry !== undefined; entry = this.#entries[this.#head]) {
      this.#head++;
      if (!this.#pushedBack.holds(entry)) return entry;
    }
    if (this.#head > 0) this.#entries = [];
    this.#head = 0;
    return undefined;
  }

  /** It was refused for now: it is to be sent again by `retry`, and what is younger waits behind it. */
  refused(entry: OutboxEntry): void {
    this.#pushedBack.refused(entry);
  }

  /** There is an answer for it: true, if it says that there may be room for what waits. */
  answered(entry: OutboxEntry): boolean {
    const next = this.#pushedBack.answered(entry, this.#kept);
    if (next !== undefined) this.#first(next);
    return next !== undefined;
  }

  /** What is for `to` waits until `goOn`. */
  advised(to: string): void {
    this.#pushedBack.advised(to);
  }

  goOn(): void {
    this.#first(this.#pushedBack.goOn(this.#kept));
  }

  /** All that is kept is to be sent. */
  restart(): void {
    this.#pushedBack.clear();
    this.#entries = [...this.#kept()];
    this.#head = 0;
  }

  /** What was refused for now asks again. */
  retry(): void {
    this.#first(this.#pushedBack.ask(this.#kept));
  }

  #first(entries: readonly OutboxEntry[]): void {
    if (entries.length === 0) return;
    this.#entries = [...entries, ...this.#entries.slice(this.#head)];
    this.#head = 0;
  }
}
