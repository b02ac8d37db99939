/**
 * Gives a connection what waits for its name: streams take turns, within the limits of what may be inflight
 * and of what may pile up. docs/protocol.md §5, §6 (P13, P14).
 */
import { DEFAULT_MAX_INFLIGHT, MAX_OUTBOUND_BYTES } from '../protocol/limits.ts';
import type { Payload } from '../protocol/payloads.ts';
import type { Connection } from '../transport/connection.ts';
import type { Answers } from './answers.ts';
import { Inflight } from './inflight.ts';
import type { Delivery } from './message.ts';
import type { Peer } from './peer.ts';
import type { Relay } from './relay.ts';
import { Unwritten } from './unwritten.ts';

/** DELIVERs stop here, so that answers always find room before SLOW_CONSUMER (P14). */
const DELIVER_MARK_BYTES = MAX_OUTBOUND_BYTES / 4;

export class Pump {
  readonly #relay: Relay;
  readonly #peer: Peer;
  readonly #connection: Connection;
  readonly #answers: Answers;
  readonly #unwritten: Unwritten;
  #inflight: Inflight;
  #acknowledged = true;
  #refilling = false;

  constructor(relay: Relay, peer: Peer, connection: Connection, answers: Answers) {
    this.#relay = relay;
    this.#peer = peer;
    this.#connection = connection;
    this.#answers = answers;
    this.#inflight = new Inflight(DEFAULT_MAX_INFLIGHT, relay.settings.maxInflightBytes);
    this.#unwritten = new Unwritten(relay.clock, connection, (deliveries) => this.#written(deliveries));
  }

  /** What it was given and has not acknowledged. */
  get inflight(): Inflight {
    return this.#inflight;
  }

  /** As HELLO declared it, before anything is given. */
  prime({ ack, max_inflight }: NonNullable<Payload<'HELLO'>['capabilities']>): void {
    this.#acknowledged = ack !== false;
    this.#inflight = new Inflight(
      max_inflight ?? DEFAULT_MAX_INFLIGHT,
      this.#relay.settings.maxInflightBytes,
    );
  }

  /**
   * Delivers what may go now. To be called behind the fence only: when a record is stored, or after asking
   * it (P20).
   */
  run(): void {
    const { state, session } = this.#peer;
    if (state !== 'ready' || session === undefined) return;
    const mailbox = this.#relay.state.mailbox(session.name);
    while (this.#inflight.room && this.#connection.bufferedBytes < DELIVER_MARK_BYTES) {
      const delivery = mailbox.take();
      if (delivery === undefined) break;
      if (this.#relay.router.expired(delivery)) continue;
      this.#answers.accompany();
      this.#connection.sendUtf8(delivery.render(session.id, this.#relay.epoch));
      delivery.state = 'inflight';
      this.#relay.state.messages.markGiven(delivery);
      session.received++;
      this.#inflight.add(delivery);
      if (!this.#acknowledged) this.#unwritten.add(delivery);
    }
    this.#unwritten.watch();
  }

  /** There is room again: delivers once the frames at hand are judged, so that one look at the fence does. */
  refill(): void {
    const { state, journal } = this.#relay;
    const name = this.#peer.session?.name;
    if (this.#refilling || name === undefined || !state.findMailbox(name)?.depth) return;
    this.#refilling = true;
    queueMicrotask(() =>
      journal.behindFence(() => {
        this.#refilling = false;
        this.run();
      }),
    );
  }

  /** RESUME on this connection: what it has not acknowledged is given once more (P8). */
  replay(): void {
    this.putBack();
    this.refill();
  }

  /** What it has not acknowledged waits again. */
  putBack(): void {
    this.#unwritten.clear();
    this.#relay.router.putBack(this.#inflight.takeAll().reverse());
  }

  #written(deliveries: Delivery[]): void {
    for (const delivery of deliveries) this.#inflight.take(delivery);
    this.#relay.router.delivered(deliveries, 'written');
  }
}
