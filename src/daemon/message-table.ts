/**
 * Messages, where each delivery stands, and how much waits for and from whom: a fold over records.
 * docs/protocol.md §Delivery (P14–P17). Pure.
 */
import { MAX_DEAD_LETTERS, MAX_ENDED_MESSAGES } from '../protocol/limits.ts';
import { type Delivery, type DeliveryState, Message } from './message.ts';
import type { MessageRecord } from './record.ts';

/** Unended messages and their bytes. */
export interface Load {
  messages: number;
  bytes: number;
}

export class MessageTable {
  /** By key, unended and ended (P15). */
  readonly #messages = new Map<string, Message>();
  readonly #bySeq = new Map<number, Delivery>();
  /** By the DELIVER's id, from the time it was given until the message is forgotten. */
  readonly #given = new Map<string, Delivery>();
  /** Ended messages, the one that ended first at the front. */
  readonly #ended = new Map<string, number>();
  readonly #deadLetters = new Map<number, Delivery>();
  readonly #relay: Load = { messages: 0, bytes: 0 };
  readonly #senders = new Map<string, Load>();
  readonly #pairs = new Map<string, number>();
  /** Wall clock, ms: keys of messages stored before it may be forgotten (P15). */
  #dedupSince = 0;

  get dedupSince(): number {
    return this.#dedupSince;
  }

  get load(): Readonly<Load> {
    return this.#relay;
  }

  loadOf(sender: string): Readonly<Load> {
    return this.#senders.get(sender) ?? { messages: 0, bytes: 0 };
  }

  pairDepth(from: string, to: string): number {
    return this.#pairs.get(`${from}\0${to}`) ?? 0;
  }

  get(key: string): Message | undefined {
    return this.#messages.get(key);
  }

  bySeq(seq: number): Delivery | undefined {
    return this.#bySeq.get(seq);
  }

  byDeliverId(id: string): Delivery | undefined {
    return this.#given.get(id);
  }

  deadLetters(): Iterable<Delivery> {
    return this.#deadLetters.values();
  }

  /** Takes a message in; its deliveries are `storing` until `settle`. */
  add(record: MessageRecord): Message {
    const message = new Message(record);
    this.#messages.set(message.key, message);
    this.#count(message, 1);
    for (const delivery of message.deliveries) {
      this.#bySeq.set(delivery.seq, delivery);
      this.#countPair(delivery, 1);
    }
    if (message.open === 0) this.#close(message, record.at);
    return message;
  }

  /** It could not be stored: as if it had never come. */
  retract(message: Message): void {
    this.#messages.delete(message.key);
    this.#ended.delete(message.key);
    for (const delivery of message.deliveries) {
      if (!delivery.ended) this.#countPair(delivery, -1);
      this.#bySeq.delete(delivery.seq);
    }
    if (message.open > 0) this.#count(message, -1);
  }

  markGiven(delivery: Delivery): void {
    delivery.given = true;
    this.#given.set(delivery.id, delivery);
  }

  /** Ends a delivery, or gives a dead letter another end (P16: a late ACK revives it). */
  end(delivery: Delivery, state: Extract<DeliveryState, 'delivered' | 'written' | 'dead'>, at: number): void {
    const { message } = delivery;
    const before = delivery.state;
    if (delivery.ended && !(before === 'dead' && state !== 'dead')) return;
    delivery.state = state;
    if (before === 'dead') {
      this.#deadLetters.delete(delivery.seq);
      delivery.reason = undefined;
    } else {
      this.#countPair(delivery, -1);
      message.open--;
      if (message.open === 0) this.#close(message, at);
    }
    if (state === 'dead') this.#bury(delivery);
    if (message.open === 0 && !message.deliveries.some((each) => this.#deadLetters.has(each.seq))) {
      message.raw = undefined;
    }
  }

  /** Forgets what ended before `before`, and the oldest beyond the limit (P15). */
  forget(before: number): void {
    for (const [key, endedAt] of this.#ended) {
      if (endedAt > before && this.#ended.size <= MAX_ENDED_MESSAGES) return;
      const message = this.#messages.get(key) as Message;
      this.#ended.delete(key);
      this.#messages.delete(key);
      this.#dedupSince = Math.max(this.#dedupSince, message.at + 1);
      for (const delivery of message.deliveries) {
        this.#bySeq.delete(delivery.seq);
        this.#deadLetters.delete(delivery.seq);
        if (delivery.given) this.#given.delete(delivery.id);
      }
    }
  }

  #bury(delivery: Delivery): void {
    this.#deadLetters.set(delivery.seq, delivery);
    if (this.#deadLetters.size <= MAX_DEAD_LETTERS) return;
    const [seq, oldest] = this.#deadLetters.entries().next().value as [number, Delivery];
    this.#deadLetters.delete(seq);
    if (oldest.message.open === 0) oldest.message.raw = undefined;
  }

  #close(message: Message, at: number): void {
    this.#count(message, -1);
    this.#ended.set(message.key, at);
  }

  #count({ from, size }: Message, sign: 1 | -1): void {
    const load = this.#senders.get(from) ?? { messages: 0, bytes: 0 };
    for (const each of [this.#relay, load]) {
      each.messages += sign;
      each.bytes += sign * size;
    }
    if (load.messages === 0) this.#senders.delete(from);
    else this.#senders.set(from, load);
  }

  #countPair({ message, recipient }: Delivery, sign: 1 | -1): void {
    const key = `${message.from}\0${recipient}`;
    const depth = (this.#pairs.get(key) ?? 0) + sign;
    if (depth === 0) this.#pairs.delete(key);
    else this.#pairs.set(key, depth);
  }
}
