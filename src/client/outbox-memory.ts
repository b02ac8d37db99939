/** The SENDs of the outbox that are in memory, oldest first, and how much that is. */
import {
  OUTBOX_AWAY_MESSAGES,
  OUTBOX_UNANSWERED_BYTES,
  OUTBOX_UNANSWERED_MESSAGES,
} from '../protocol/limits.ts';
import type { OutboxEntry } from './outbox-entry.ts';

export class OutboxMemory {
  readonly #limit: { messages: number; bytes: number };
  readonly #entries = new Map<string, OutboxEntry>();
  #bytes = 0;
  #unanswered = 0;
  #unansweredBytes = 0;

  constructor(limit: { messages: number; bytes: number }) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** SENDs that no relay has answered for. */
  get unanswered(): number {
    return this.#unanswered;
  }

  get full(): boolean {
    return this.#entries.size >= this.#limit.messages || this.#bytes >= this.#limit.bytes;
  }

  /** More than memory is for, with a relay that answers or without. */
  isLong(connected: boolean): boolean {
    const messages = connected ? OUTBOX_UNANSWERED_MESSAGES : OUTBOX_AWAY_MESSAGES;
    const many = this.#unanswered >= messages || this.#unansweredBytes >= OUTBOX_UNANSWERED_BYTES;
    return many || this.full;
  }

  get(id: string): OutboxEntry | undefined {
    return this.#entries.get(id);
  }

  entries(): IterableIterator<OutboxEntry> {
    return this.#entries.values();
  }

  add(entry: OutboxEntry): void {
    this.#entries.set(entry.id, entry);
    this.#bytes += entry.frame.length;
    this.#unanswered++;
    this.#unansweredBytes += entry.frame.length;
  }

  /** A relay has answered for it: true, once. */
  answered(entry: OutboxEntry): boolean {
    if (entry.answered) return false;
    entry.answered = true;
    this.#answeredFor(entry);
    return true;
  }

  drop(entry: OutboxEntry): void {
    if (!this.#entries.delete(entry.id)) return;
    this.#bytes -= entry.frame.length;
    if (!entry.answered) this.#answeredFor(entry);
  }

  #answeredFor({ frame }: OutboxEntry): void {
    this.#unanswered--;
    this.#unansweredBytes -= frame.length;
  }
}
