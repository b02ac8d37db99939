/**
 * Messages, where each delivery stands, and how much waits for and from whom: a fold over records.
 * docs/protocol.md §Delivery (P14–P17). Pure.
 */

import { Queue } from '../base/queue.ts';
import {
  MAX_DEAD_LETTER_BYTES,
  MAX_DEAD_LETTERS,
  MAX_ENDED_MESSAGES,
  MAX_PAST_TEXT_BYTES,
} from '../protocol/limits.ts';
import { type Load, Loads } from './loads.ts';
import { type Delivery, Message } from './message.ts';
import type { EndState, MessageRecord, PastRecord } from './record.ts';
import { SeqTable } from './seq-table.ts';

export class MessageTable {
  /** By key, unended and ended (P15). */
  readonly #messages = new Map<string, Message>();
  readonly #bySeq = new SeqTable();
  /**
   * By the DELIVER's id, from the time it was given until the message is forgotten. Made when it is first
   * asked for: a client that acknowledges by seq, as ours and the spec's do, needs none.
   */
  #given: Map<string, Delivery> | undefined;
  /** Ended messages, the one that ended first at the front. */
  readonly #ended = new Queue<Message>();
  readonly #loads = new Loads();
  readonly #deadLetters = new Map<number, Delivery>();
  #deadBytes = 0;
  /** Ended messages whose text is still at hand, for those who look back; the oldest first. */
  readonly #texts = new Queue<Message>();
  #textBytes = 0;
  #lastSeq = 0;
  /** Wall clock, ms: keys of messages stored before it may be forgotten (P15). */
  #dedupSince = 0;

  get dedupSince(): number {
    return this.#dedupSince;
  }

  /** The highest seq of any message that was ever here. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Everything known, in the order of its coming. */
  all(): Iterable<Message> {
    return this.#messages.values();
  }

  /** How many messages are known, ended ones included. */
  get size(): number {
    return this.#messages.size;
  }

  /** Ended messages, the one that ended first at the front. */
  ended(): Iterable<Message> {
    return this.#ended;
  }

  get endedCount(): number {
    return this.#ended.length;
  }

  /** Characters of texts that are kept though their messages have ended. */
  get keptBytes(): number {
    return this.#textBytes + this.#deadBytes;
  }

  get load(): Readonly<Load> {
    return this.#loads.relay;
  }

  loadOf(sender: string): Readonly<Load> {
    return this.#loads.ofSender(sender);
  }

  pairDepth(from: string, to: string): number {
    return this.#loads.ofPair(from, to);
  }

  get(key: string): Message | undefined {
    return this.#messages.get(key);
  }

  bySeq(seq: number): Delivery | undefined {
    return this.#bySeq.get(seq);
  }

  byDeliverId(id: string): Delivery | undefined {
    this.#given ??= this.#indexGiven();
    return this.#given.get(id);
  }

  deadLetters(): Iterable<Delivery> {
    return this.#deadLetters.values();
  }

  /** It ended undelivered, and is still kept with its text. */
  isDeadLetter(seq: number): boolean {
    return this.#deadLetters.has(seq);
  }

  /** P15: an earlier reign had forgotten everything stored before `since`. */
  forgotten(since: number): void {
    this.#dedupSince = Math.max(this.#dedupSince, since);
  }

  /** Takes a message in; its deliveries are `storing` until `settle`. */
  add(record: MessageRecord | PastRecord): Message {
    const message = new Message(record);
    this.#messages.set(message.key, message);
    this.#loads.count(message, 1);
    for (const delivery of message.deliveries) {
      this.#bySeq.set(delivery);
      this.#lastSeq = Math.max(this.#lastSeq, delivery.seq);
      this.#loads.countPair(delivery, 1);
    }
    if (message.open === 0) {
      this.#close(message, record.at);
      this.#past(message);
    }
    return message;
  }

  /** It could not be stored: as if it had never come. */
  retract(message: Message): void {
    this.#messages.delete(message.key);
    this.#dropText(message);
    for (const delivery of message.deliveries) {
      if (!delivery.ended) this.#loads.countPair(delivery, -1);
      this.#bySeq.delete(delivery.seq);
    }
    if (message.open > 0) this.#loads.count(message, -1);
  }

  markGiven(delivery: Delivery): void {
    delivery.given = true;
    this.#given?.set(delivery.id, delivery);
  }

  /** Ends a delivery, or gives a dead letter another end (P16: a late ACK revives it). */
  end(delivery: Delivery, state: EndState, at: number, reason?: Delivery['reason']): void {
    const { message } = delivery;
    const before = delivery.state;
    if (delivery.ended && !(before === 'dead' && state !== 'dead')) return;
    delivery.end(state, at, reason);
    if (before === 'dead') {
      this.#unbury(delivery);
    } else {
      this.#loads.countPair(delivery, -1);
      message.open--;
      if (message.open === 0) this.#close(message, at);
    }
    if (state === 'dead') this.#bury(delivery);
    this.#past(message);
  }

  /** Forgets what ended before `before`, and the oldest beyond the limit (P15). */
  forget(before: number): void {
    for (;;) {
      const message = this.#ended.first;
      if (message === undefined) return;
      if (message.endedAt > before && this.#ended.length <= MAX_ENDED_MESSAGES) return;
      this.#ended.shift();
      // One that could not be stored is another's by now, or nobody's.
      if (this.#messages.get(message.key) !== message) continue;
      this.#messages.delete(message.key);
      this.#dedupSince = Math.max(this.#dedupSince, message.at + 1);
      this.#dropText(message);
      for (const delivery of message.deliveries) {
        this.#bySeq.delete(delivery.seq);
        this.#unbury(delivery);
        if (delivery.given) this.#given?.delete(delivery.id);
      }
    }
  }

  /** A dead letter is kept with its text; of too many, the oldest is only an ended message. */
  #bury(delivery: Delivery): void {
    if (delivery.message.raw === undefined) return;
    this.#deadLetters.set(delivery.seq, delivery);
    this.#deadBytes += delivery.message.size;
    for (const oldest of this.#deadLetters.values()) {
      if (this.#deadLetters.size <= MAX_DEAD_LETTERS && this.#deadBytes <= MAX_DEAD_LETTER_BYTES) return;
      this.drop(oldest.seq);
    }
  }

  /** The dead letter is one no more: only its end is remembered. */
  drop(seq: number): void {
    const delivery = this.#deadLetters.get(seq);
    if (delivery === undefined) return;
    this.#unbury(delivery);
    this.#past(delivery.message);
    // With its text it would be taken for a dead letter again by whoever reads the snapshot.
    if (!delivery.message.deliveries.some((each) => this.#deadLetters.has(each.seq)))
      this.#dropText(delivery.message);
  }

  #unbury(delivery: Delivery): void {
    if (this.#deadLetters.delete(delivery.seq)) this.#deadBytes -= delivery.message.size;
  }

  /** Once all of a message has ended and none is a dead letter, its text stays a while and then goes. */
  #past(message: Message): void {
    if (message.open > 0 || message.raw === undefined || message.past) return;
    if (message.deliveries.some(({ seq }) => this.#deadLetters.has(seq))) return;
    message.past = true;
    this.#texts.push(message);
    this.#textBytes += message.size;
    while (this.#textBytes > MAX_PAST_TEXT_BYTES) this.#dropText(this.#texts.shift() as Message);
  }

  /** It may have been dropped before its turn: then there is nothing to do. */
  #dropText(message: Message): void {
    if (!message.past || message.raw === undefined) return;
    this.#textBytes -= message.size;
    message.forgetText();
  }

  #close(message: Message, at: number): void {
    this.#loads.count(message, -1);
    message.endedAt = at;
    this.#ended.push(message);
  }

  #indexGiven(): Map<string, Delivery> {
    const given = new Map<string, Delivery>();
    for (const { deliveries } of this.#messages.values()) {
      for (const delivery of deliveries) if (delivery.given) given.set(delivery.id, delivery);
    }
    return given;
  }
}
