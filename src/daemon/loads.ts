/** How much is unended: of the relay, of each sender, and between each two (P14). Pure. */
import type { Delivery, Message } from './message.ts';

/** Unended messages and their bytes. */
export interface Load {
  messages: number;
  bytes: number;
}

const NO_LOAD: Readonly<Load> = { messages: 0, bytes: 0 };

export class Loads {
  readonly relay: Load = { messages: 0, bytes: 0 };
  readonly #senders = new Map<string, Load>();
  /** Sender → recipient → deliveries. */
  readonly #pairs = new Map<string, Map<string, number>>();

  ofSender(name: string): Readonly<Load> {
    return this.#senders.get(name) ?? NO_LOAD;
  }

  ofPair(from: string, to: string): number {
    return this.#pairs.get(from)?.get(to) ?? 0;
  }

  count({ from, size }: Message, sign: 1 | -1): void {
    let sender = this.#senders.get(from);
    if (sender === undefined) {
      sender = { messages: 0, bytes: 0 };
      this.#senders.set(from, sender);
    }
    change(sender, size, sign);
    change(this.relay, size, sign);
    if (sender.messages === 0) this.#senders.delete(from);
  }

  countPair({ message: { from }, recipient }: Delivery, sign: 1 | -1): void {
    let pairs = this.#pairs.get(from);
    if (pairs === undefined) {
      pairs = new Map();
      this.#pairs.set(from, pairs);
    }
    const depth = (pairs.get(recipient) ?? 0) + sign;
    if (depth > 0) pairs.set(recipient, depth);
    else if (pairs.delete(recipient) && pairs.size === 0) this.#pairs.delete(from);
  }
}

function change(load: Load, size: number, sign: 1 | -1): void {
  load.messages += sign;
  load.bytes += sign * size;
}
