/**
 * The ACKs of one turn: one frame for all, where the daemon knows `ack_lists`, else one each.
 * docs/protocol.md §8 (P12, P23).
 */
import type { Clock } from '../base/clock.ts';
import { type DeliverEnvelope, newEnvelope } from '../protocol/envelope.ts';
import type { RelayChannel } from './channel.ts';

/** Seqs of one frame: 20 KiB. */
const MAX_SEQS = 1_000;

export class Answers {
  readonly #channel: RelayChannel;
  readonly #clock: Clock;
  readonly #lists: boolean;
  #taken: DeliverEnvelope[] = [];

  /** For one connection: what was DELIVERed on another is not to be acknowledged here. */
  constructor(channel: RelayChannel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
    this.#lists = channel.welcome.server.capabilities?.ack_lists === true;
  }

  /** The message of this DELIVER was submitted. */
  take(envelope: DeliverEnvelope): void {
    if (this.#taken.push(envelope) >= (this.#lists ? MAX_SEQS : 1)) this.send();
    else this.#channel.leaveSoon();
  }

  /** Says all that was not said yet. */
  send(): void {
    const [first, second] = this.#taken;
    if (first === undefined) return;
    const taken = this.#taken;
    this.#taken = [];
    const payload =
      second === undefined
        ? { ack_id: first.id, seq: first.delivery.seq }
        : { seqs: taken.map(({ delivery }) => delivery.seq) };
    this.#channel.send(newEnvelope('ACK', payload, this.#clock.now()));
  }
}
