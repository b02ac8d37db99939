/** What one connection was given and has not acknowledged (P13, P14, P23). Pure. */
import { DEFAULT_TOPIC } from '../protocol/address.ts';
import type { Delivery } from './message.ts';

export class Inflight {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #deliveries = new Set<Delivery>();
  #bytes = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#deliveries.size;
  }

  /** Another delivery may go; one always may. */
  get room(): boolean {
    if (this.#deliveries.size === 0) return true;
    return this.#deliveries.size < this.#maxCount && this.#bytes < this.#maxBytes;
  }

  add(delivery: Delivery): void {
    this.#deliveries.add(delivery);
    this.#bytes += delivery.message.size;
  }

  /** Takes it out; false when it was not here. */
  take(delivery: Delivery): boolean {
    if (!this.#deliveries.delete(delivery)) return false;
    this.#bytes -= delivery.message.size;
    return true;
  }

  /** P23: takes out what one stream was given up to a position. */
  takeUpTo(topic: string, from: string, seq: number): Delivery[] {
    const taken: Delivery[] = [];
    for (const delivery of this.#deliveries) {
      const { message } = delivery;
      if (message.from !== from || (message.topic ?? DEFAULT_TOPIC) !== topic || delivery.seq > seq) continue;
      this.take(delivery);
      taken.push(delivery);
    }
    return taken;
  }

  all(): Iterable<Delivery> {
    return this.#deliveries;
  }

  takeAll(): Delivery[] {
    const all = [...this.#deliveries];
    this.#deliveries.clear();
    this.#bytes = 0;
    return all;
  }
}
