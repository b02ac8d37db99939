/**
 * What was given to a client that does not acknowledge, and is not yet out of our memory: a delivery has
 * ended for it when its bytes have left. docs/protocol.md §5 (P13).
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Connection } from '../transport/connection.ts';
import type { Delivery } from './message.ts';

/** Milliseconds between two looks whether bytes have left. */
const WRITTEN_LOOK_MS = 5;

export class Unwritten {
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #written: (deliveries: Delivery[]) => void;
  #deliveries: Delivery[] = [];
  #next: Timer | undefined;

  /** @param written takes what has left our memory. */
  constructor(clock: Clock, connection: Connection, written: (deliveries: Delivery[]) => void) {
    this.#clock = clock;
    this.#connection = connection;
    this.#written = written;
  }

  add(delivery: Delivery): void {
    this.#deliveries.push(delivery);
  }

  /** Looks now, and until all of it has left. */
  watch(): void {
    if (this.#deliveries.length > 0 && this.#next === undefined) this.#look();
  }

  /** Forgets all of it. */
  clear(): void {
    this.#deliveries = [];
    this.#next?.cancel();
    this.#next = undefined;
  }

  #look(): void {
    this.#next = undefined;
    if (this.#connection.bufferedBytes === 0) {
      const written = this.#deliveries;
      this.#deliveries = [];
      this.#written(written);
    } else {
      this.#next = this.#clock.after(WRITTEN_LOOK_MS, () => this.#look());
    }
  }
}
