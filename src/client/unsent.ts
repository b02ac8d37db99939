/** What this connection has not been sent yet, oldest first, and what it has refused for now (P15). */
import type { OutboxEntry } from './outbox-entry.ts';

export class Unsent {
  #entries: OutboxEntry[] = [];
  /** What lies before it was sent. */
  #head = 0;
  /** Refused for now. */
  #refused = new Set<OutboxEntry>();

  get none(): boolean {
    return this.#head >= this.#entries.length;
  }

  push(entry: OutboxEntry): void {
    this.#entries.push(entry);
  }

  /** The next; it counts as sent. */
  next(): OutboxEntry | undefined {
    const entry = this.#entries[this.#head];
    if (entry !== undefined) {
      this.#head++;
      return entry;
    }
    if (this.#head > 0) this.#entries = [];
    this.#head = 0;
    return undefined;
  }

  /** It is to be sent again by `retry`. */
  refused(entry: OutboxEntry): void {
    this.#refused.add(entry);
  }

  /** All of these are to be sent, and no others. */
  restart(kept: Iterable<OutboxEntry>): void {
    this.#refused.clear();
    this.#entries = [...kept];
    this.#head = 0;
  }

  /** Those of `kept` that were refused for now are next, so that nothing overtakes them. */
  retry(kept: Iterable<OutboxEntry>): void {
    const refused = this.#refused;
    this.#refused = new Set();
    const again = [...kept].filter((entry) => refused.has(entry));
    const others = this.#entries.slice(this.#head).filter((entry) => !refused.has(entry));
    this.#entries = [...again, ...others];
    this.#head = 0;
  }
}
