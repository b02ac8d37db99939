/** What one connection was given and has not acknowledged (P13, P14, P23). Pure. */
import { DEFAULT_TOPIC } from '../protocol/address.ts';
import type { Delivery } from './message.ts';

export class Inflight {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #deliveries = new Map<string, Delivery>();
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
    this.#deliveries.set(delivery.id, delivery);
    this.#bytes += delivery.message.size;
  }

  /** Takes out the delivery of a DELIVER's id. */
  take(id: string): Delivery | undefined {
    const delivery = this.#deliveries.get(id);
    if (delivery === undefined) return undefined;
    this.#deliveries.delete(id);
    this.#bytes -= delivery.message.size;
    return delivery;
  }

  /** P23: takes out what one stream was given up to a position. */
  takeUpTo(topic: string, from: string, seq: number): Delivery[] {
    const taken: Delivery[] = [];
    for (const [id, { message, seq: own }] of this.#deliveries) {
      if (message.from !== from || (message.topic ?? DEFAULT_TOPIC) !== topic || own > seq) continue;
      taken.push(this.take(id) as Delivery);
    }
    return taken;
  }

  all(): Iterable<Delivery> {
    return this.#deliveries.values();
  }

  takeAll(): Delivery[] {
    const all = [...this.#deliveries.values()];
    this.#deliveries.clear();
    this.#bytes = 0;
    return all;
  }
}
