/**
 * What the SENDs of one connection are told with their like in one frame, and when it leaves: with the next
 * delivery, or after a moment, as each write wakes a process that has better to do. docs/protocol.md §8 (P23).
 */
import type { Timer } from '../base/clock.ts';
import { newEnvelope } from '../protocol/envelope.ts';
import type { Connection } from '../transport/connection.ts';
import { AckLists, type ListedStage } from './ack-lists.ts';
import type { Relay } from './relay.ts';

export class Answers {
  readonly #relay: Relay;
  readonly #connection: Connection;
  readonly #lists = new AckLists();
  #lingering: Timer | undefined;
  /** A delivery leaves at the end of this turn, so we are behind the fence. */
  #delivering = false;

  constructor(relay: Relay, connection: Connection) {
    this.#relay = relay;
    this.#connection = connection;
  }

  /** ACK of a SEND. */
  add(stage: ListedStage, id: string): void {
    if (this.#lists.add(stage, id)) this.#send();
    else this.#linger();
  }

  /** Another frame is about to be sent: what was answered before it is said before it. */
  precede(): void {
    if (this.#lingering === undefined) this.#send();
    else this.#relay.journal.behindFence(() => this.#send());
  }

  /** A delivery is about to be sent: what lingers goes with it. */
  accompany(): void {
    this.#delivering = true;
  }

  /** All of this turn is about to leave. */
  leaving(): void {
    if (this.#lingering === undefined || this.#delivering) this.#send();
    this.#delivering = false;
  }

  /** The connection is gone. */
  stop(): void {
    this.#lingering?.cancel();
  }

  #linger(): void {
    const { clock, journal, settings } = this.#relay;
    if (settings.answerMs === 0) return this.#connection.leaveSoon();
    this.#lingering ??= clock.after(settings.answerMs, () => journal.behindFence(() => this.#send()));
  }

  #send(): void {
    if (this.#lists.empty) return;
    this.#lingering?.cancel();
    this.#lingering = undefined;
    for (const { stage, ids } of this.#lists.take()) {
      const about = ids.length === 1 ? { ack_id: ids[0] } : { ack_ids: ids };
      this.#connection.send(newEnvelope('ACK', { ...about, stage }, this.#relay.clock.now()));
    }
  }
}
