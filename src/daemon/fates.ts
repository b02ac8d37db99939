/** What becomes of deliveries is told to those who watch and to the sender, now or when it is back (P12, P14). */
import type { Delivery } from './message.ts';
import type { EndState } from './record.ts';
import type { Relay } from './relay.ts';
import { tellFate } from './tell.ts';

/** Outcomes kept for one sender that is away. */
const MAX_UNTOLD = 10_000;

export class Fates {
  readonly #relay: Relay;
  /** Ends that a sender could not be told of, because it was away. */
  readonly #untold = new Map<string, Set<Delivery>>();

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  tell(delivery: Delivery, fate: EndState | 'deferred' | 'held'): void {
    const { clock, events } = this.#relay;
    if (events.watched) {
      const { id, from } = delivery.message;
      const reason = delivery.reason ? { code: delivery.reason.code } : {};
      events.emit({ type: 'fate', id, from, to: delivery.recipient, fate, at: clock.now(), ...reason });
    }
    if (!tellFate(this.#relay, delivery)) this.#keep(delivery);
  }

  /** The sender is back: it is told what it missed. */
  catchUp(name: string): void {
    const untold = this.#untold.get(name);
    this.#untold.delete(name);
    for (const delivery of untold ?? []) tellFate(this.#relay, delivery);
  }

  /** Forgets what is for senders that will not come back. */
  sweep(): void {
    for (const name of this.#untold.keys()) {
      if (!this.#relay.sessions.names.mayReturn(name)) this.#untold.delete(name);
    }
  }

  #keep(delivery: Delivery): void {
    const { from } = delivery.message;
    if (!delivery.ended || !this.#relay.sessions.names.mayReturn(from)) return;
    const untold = this.#untold.get(from) ?? new Set();
    this.#untold.set(from, untold.add(delivery));
    if (untold.size <= MAX_UNTOLD) return;
    // Its outbox asks for the rest by sending again (P15).
    for (const oldest of untold) {
      untold.delete(oldest);
      this.#relay.log.warn('router.untold-dropped', { from });
      break;
    }
  }
}
