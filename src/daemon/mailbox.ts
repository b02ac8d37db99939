/**
 * What waits for one name (P9), stream by stream: order holds within a stream, and streams take turns
 * (P11, P13). Pure; it decides nothing about connections.
 */
import { DEFAULT_TOPIC } from '../protocol/address.ts';
import type { Delivery } from './message.ts';
import { Stream, type StreamView } from './stream.ts';

/** Empty streams are forgotten beyond this number: their topics come from outside. */
const MAX_IDLE_STREAMS = 256;

export interface Claim {
  /** The `since` of the poll it answered. */
  since: string | null;
  deliveries: Delivery[];
  /** Wall clock, ms: when it lapses (P27). */
  until: number;
}

export class Mailbox {
  readonly name: string;
  /** Wall clock, ms: when a session of the name was seen last. */
  #seenAt: number | undefined;
  #standstill = false;
  /** Answers of polls that nobody has confirmed (P27). */
  readonly claims: Claim[] = [];
  /** Sender → topic → stream. */
  readonly #streams = new Map<string, Map<string, Stream>>();
  #streamCount = 0;
  #turns: Stream[] = [];
  /** Sender → when the hold ends, wall clock, ms (P18). */
  readonly #held = new Map<string, number>();
  /** Given back by a session (DEFERRED): for polls, or the next session. */
  readonly #deferred = new Map<number, { delivery: Delivery; session: string }>();
  #waiting = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The name was seen: what is for it waits until retention (P16). */
  get known(): boolean {
    return this.#seenAt !== undefined;
  }

  get seenAt(): number | undefined {
    return this.#seenAt;
  }

  seen(at: number): void {
    this.#seenAt = Math.max(this.#seenAt ?? at, at);
  }

  /** Deliveries that wait, given back ones included. */
  get depth(): number {
    return this.#waiting + this.#deferred.size;
  }

  /** Nothing of it is worth keeping. */
  get empty(): boolean {
    return this.depth === 0 && this.claims.length === 0 && !this.#standstill;
  }

  /** Given back and not offered again, and by which session. */
  deferred(): Iterable<{ delivery: Delivery; session: string }> {
    return this.#deferred.values();
  }

  *streams(): Generator<StreamView, void> {
    for (const topics of this.#streams.values()) yield* topics.values();
  }

  /** Its time was up before anybody took it. */
  outlived(delivery: Delivery): void {
    const stream = this.#streamOf(delivery);
    stream.staleSeq = Math.max(stream.staleSeq, delivery.seq);
  }

  put(delivery: Delivery): void {
    delivery.state = 'waiting';
    const stream = this.#streamOf(delivery);
    stream.put(delivery);
    this.#waiting++;
    this.#enlist(stream);
  }

  /** The head of the stream whose turn it is; undefined when nothing may go. */
  take(): Delivery | undefined {
    if (this.#standstill) return undefined;
    for (let left = this.#turns.length; left > 0; left--) {
      const stream = this.#turns.shift() as Stream;
      stream.inTurn = false;
      if (this.#held.has(stream.from)) continue;
      const delivery = stream.take();
      if (delivery === undefined) continue;
      this.#waiting--;
      this.#enlist(stream);
      return delivery;
    }
    return undefined;
  }

  /** Whether `take` would give something that is `wanted`, sooner or later. */
  someReady(wanted: (delivery: Delivery) => boolean): boolean {
    if (this.#standstill) return false;
    for (const stream of this.#turns) {
      if (this.#held.has(stream.from)) continue;
      for (const delivery of stream.all()) if (wanted(delivery)) return true;
    }
    return false;
  }

  someDeferred(wanted: (delivery: Delivery) => boolean): boolean {
    for (const delivery of this.waitingDeferred()) if (wanted(delivery)) return true;
    return false;
  }

  /** What was given back and may go. */
  *waitingDeferred(): Generator<Delivery, void> {
    if (this.#standstill) return;
    for (const { delivery } of this.#deferred.values()) yield delivery;
  }

  /** All that may go, stream by stream. */
  *waitingAll(): Generator<Delivery, void> {
    yield* this.waitingDeferred();
    if (this.#standstill) return;
    for (const [from, topics] of this.#streams) {
      if (this.#held.has(from)) continue;
      for (const stream of topics.values()) yield* stream.all();
    }
  }

  /** Takes out a delivery that waits, wherever it stands. */
  remove(delivery: Delivery): void {
    if (this.#deferred.delete(delivery.seq)) return;
    if (this.#findStream(delivery)?.remove(delivery)) this.#waiting--;
  }

  defer(delivery: Delivery, session: string): void {
    delivery.state = 'waiting';
    this.#deferred.set(delivery.seq, { delivery, session });
  }

  takeDeferred(): Delivery | undefined {
    for (const delivery of this.waitingDeferred()) {
      this.#deferred.delete(delivery.seq);
      return delivery;
    }
    return undefined;
  }

  /** `session` serves the name: what another gave back is offered again (P4). */
  restoreDeferred(session: string): void {
    for (const [seq, deferred] of [...this.#deferred]) {
      if (deferred.session === session) continue;
      this.#deferred.delete(seq);
      this.put(deferred.delivery);
    }
  }

  /**
   * A new claim takes its deliveries over, and the place of the one that answered the same `since`.
   * Returns what nobody claims any more.
   */
  replaceClaims(since: string | null, claimed: readonly Delivery[]): Delivery[] {
    const mine = new Set(claimed);
    const freed: Delivery[] = [];
    for (let i = this.claims.length - 1; i >= 0; i--) {
      const claim = this.claims[i] as Claim;
      claim.deliveries = claim.deliveries.filter((delivery) => !mine.has(delivery));
      if (claim.since !== since && claim.deliveries.length > 0) continue;
      this.claims.splice(i, 1);
      freed.push(...claim.deliveries.filter(({ state }) => state === 'claimed'));
    }
    return freed;
  }

  /** P18: all streams of a sender stand still, or go on. */
  hold(from: string, until: number): void {
    this.#held.set(from, until);
  }

  /** Sender → when it ends. */
  holds(): Iterable<[string, number]> {
    return this.#held;
  }

  release(from: string): void {
    this.#held.delete(from);
    for (const stream of this.#streams.get(from)?.values() ?? []) this.#enlist(stream);
  }

  /** A person holds everything that is for the name. */
  get standstill(): boolean {
    return this.#standstill;
  }

  setStandstill(on: boolean): void {
    this.#standstill = on;
  }

  isHeld(from: string): boolean {
    return this.#standstill || this.#held.has(from);
  }

  #enlist(stream: Stream): void {
    if (stream.inTurn || stream.length === 0) return;
    stream.inTurn = true;
    this.#turns.push(stream);
  }

  #findStream({ message }: Delivery): Stream | undefined {
    return this.#streams.get(message.from)?.get(message.topic ?? DEFAULT_TOPIC);
  }

  #streamOf(delivery: Delivery): Stream {
    const known = this.#findStream(delivery);
    if (known !== undefined) return known;
    if (this.#streamCount >= MAX_IDLE_STREAMS) this.#forgetIdle();
    const { from, topic = DEFAULT_TOPIC } = delivery.message;
    const stream = new Stream(from, topic);
    const topics = this.#streams.get(from) ?? new Map<string, Stream>();
    this.#streams.set(from, topics.set(topic, stream));
    this.#streamCount++;
    return stream;
  }

  #forgetIdle(): void {
    for (const [from, topics] of this.#streams) {
      for (const [topic, stream] of topics) {
        if (stream.length > 0 || stream.inTurn) continue;
        topics.delete(topic);
        this.#streamCount--;
      }
      if (topics.size === 0) this.#streams.delete(from);
    }
  }
}
