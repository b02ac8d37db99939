/**
 * SEND → recipients → store → DELIVER, and what becomes of each delivery. Whatever happens, every
 * delivery ends as delivered, waiting, or a dead letter its sender was told about.
 * docs/protocol.md §Delivery (P11, P12, P14–P18).
 */
import { type ErrorCode, RelayError } from '../base/errors.ts';
import { BROADCAST, SYSTEM_NAME, USER_NAME } from '../protocol/address.ts';
import { Fates } from './fates.ts';
import { Intake, type Outgoing } from './intake.ts';
import type { Delivery, Message } from './message.ts';
import { type EndState, messageKey } from './record.ts';
import type { Relay } from './relay.ts';
import { tellFate } from './tell.ts';
import { tellHeld } from './tell-held.ts';

export interface Reply {
  /** Stored now, or before: the first outcome holds (P15). */
  stored(message: Message): void;
  refused(error: RelayError): void;
  /** The same SEND is being stored already: its answer is on the way. */
  repeated(): void;
}

export class Router {
  readonly #relay: Relay;
  readonly #intake: Intake;
  readonly #fates: Fates;

  constructor(relay: Relay) {
    this.#relay = relay;
    this.#intake = new Intake(relay);
    this.#fates = new Fates(relay);
  }

  /** The state of earlier reigns is rebuilt. */
  recovered(): void {
    this.#intake.recovered();
  }

  /**
   * Takes a message in, and returns it if it is new and finds room. `reply` comes later, never inside this
   * call when something is stored.
   */
  send(outgoing: Outgoing, reply: Reply): Message | undefined {
    const key = messageKey(outgoing.from, outgoing.session, outgoing.id);
    const known = this.#relay.state.messages.get(key);
    if (known !== undefined) {
      this.#again(known, outgoing, reply);
      return undefined;
    }
    try {
      return this.#admit(key, outgoing, reply);
    } catch (error) {
      reply.refused(RelayError.from(error));
      return undefined;
    }
  }

  /** Their one recipient has them: typed, read, or (without acknowledgments) written to its socket. */
  delivered(deliveries: readonly Delivery[], how: Exclude<EndState, 'dead'> = 'delivered'): void {
    const [first] = deliveries;
    if (first === undefined) return;
    const fresh = deliveries.filter(({ state }) => state !== 'delivered' && state !== 'written');
    if (fresh.length > 0) {
      const seqs = fresh.map(({ seq }) => seq);
      const told = () => {
        for (const delivery of fresh) this.#fates.tell(delivery, how);
      };
      // Lost, they are offered again, and their recipient knows them (P15): only what is told must wait.
      this.#relay.journal.write({ t: 'ended', seqs, how, at: this.#relay.clock.now() }, told, 'soon');
    }
    this.#freed(first.recipient);
  }

  /** A dead letter, with its reason; the sender is told. */
  bury(delivery: Delivery, code: ErrorCode | string, text: string): void {
    if (!delivery.ended) this.#die(delivery, code, text);
    this.#freed(delivery.recipient);
  }

  /** P4: the recipient gives it back to its name's queue. */
  defer(delivery: Delivery, session: string): void {
    if (delivery.ended) return this.#freed(delivery.recipient);
    this.#relay.journal.write({ t: 'deferred', seq: delivery.seq, session }, () => {
      this.#fates.tell(delivery, 'deferred');
      this.wake(delivery.recipient);
    });
  }

  /** What a lost connection had not acknowledged waits again, in its place (P16). */
  putBack(deliveries: Iterable<Delivery>): void {
    for (const delivery of deliveries) {
      if (delivery.state === 'inflight' || delivery.state === 'claimed') {
        this.#relay.state.putBack(delivery);
      }
    }
  }

  /** A connection serves the name from now on: it is told what it missed, and given what waits. */
  welcomed(name: string): void {
    this.#fates.catchUp(name);
    this.wake(name);
  }

  /** Something may wait for the name: whoever serves it looks. */
  wake(name: string): void {
    this.#relay.peers.get(name)?.pump.run();
    this.#relay.polls.wake(name);
  }

  /** Its time is up: judged by where it stands (P16). */
  fellDue(delivery: Delivery): void {
    if (delivery.state !== 'waiting') return;
    const { state, clock, sessions, settings } = this.#relay;
    const now = clock.now();
    if (delivery.until > now) {
      state.time(delivery, delivery.until);
    } else if (!delivery.given || state.findMailbox(delivery.recipient)?.known !== true) {
      this.bury(delivery, 'EXPIRED', `not delivered to ${delivery.recipient} in time`);
    } else if (sessions.names.mayReturn(delivery.recipient)) {
      state.time(delivery, now + settings.heartbeatMs);
    } else {
      this.bury(delivery, 'NOT_CONFIRMED', `${delivery.recipient} left without confirming it`);
    }
  }

  /** Its time is up, and nobody was ever given it. */
  overdue(delivery: Delivery): boolean {
    return !delivery.given && delivery.until <= this.#relay.clock.now();
  }

  /**
   * Whether a delivery taken out of its mailbox came too late; it is a dead letter then. One that was
   * given before is not: the session it went to knows best whether it was typed (P16).
   */
  expired(delivery: Delivery): boolean {
    if (!this.overdue(delivery)) return false;
    this.bury(delivery, 'EXPIRED', `not delivered to ${delivery.recipient} in time`);
    return true;
  }

  /** P18: a held pair goes on. */
  release(from: string, to: string): void {
    if (!this.#relay.state.mailbox(to).isHeld(from)) return;
    this.#relay.journal.write({ t: 'release', from, to }, () => {
      this.#relay.log.info('brake.released', { from, to });
      this.wake(to);
    });
  }

  /** A person holds all that is for an agent, or lets it go on; resolves once that is stored, and its wrapper knows. */
  async standstill(name: string, on: boolean): Promise<void> {
    await this.#relay.journal.committed({ t: 'standstill', name, on });
    this.#relay.log.info(on ? 'agent.held' : 'agent.released', { agent: name });
    const peer = this.#relay.peers.get(name);
    const told = peer && tellHeld(this.#relay, peer, on);
    if (on) await told;
    else this.wake(name);
  }

  /** Forgets what was long ago. */
  sweep(): void {
    const now = this.#relay.clock.monotonic();
    this.#intake.sweep(now);
    this.#fates.sweep();
    this.#relay.notices.sweep(now);
  }

  /** P15: the same key once more. */
  #again(message: Message, outgoing: Outgoing, reply: Reply): void {
    if (!message.says(outgoing.to, outgoing.topic, outgoing.raw)) {
      reply.refused(new RelayError('DUPLICATE_ID', `the id ${outgoing.id} was used for another content`));
      return;
    }
    if (!message.stored) {
      reply.repeated();
      return;
    }
    this.#relay.journal.behindFence(() => {
      reply.stored(message);
      for (const delivery of message.deliveries) tellFate(this.#relay, delivery);
    });
  }

  #admit(key: string, outgoing: Outgoing, reply: Reply): Message {
    return this.#relay.journal.admit(
      this.#intake.judge(key, outgoing),
      (message) => {
        this.#stored(message, reply);
        if (outgoing.injects && this.#isUnknown(message)) this.#relay.notices.unknownName(message);
      },
      (error) => reply.refused(error),
    );
  }

  #stored(message: Message, reply: Reply): void {
    this.#emit(message);
    reply.stored(message);
    for (const delivery of message.deliveries) {
      if (delivery.full) this.bury(delivery, 'QUEUE_FULL', `too much waits for ${delivery.recipient}`);
      else if (this.#relay.state.findMailbox(delivery.recipient)?.isHeld(message.from)) {
        this.#fates.tell(delivery, 'held');
      }
      this.wake(delivery.recipient);
    }
  }

  /** To one name, which nobody has had and the person is not. */
  #isUnknown({ to }: Message): boolean {
    if (to === undefined || to === BROADCAST || to === USER_NAME) return false;
    return this.#relay.state.findMailbox(to)?.known !== true;
  }

  #die(delivery: Delivery, code: string, text: string): void {
    const { clock, journal, notices } = this.#relay;
    const { message, recipient, seq } = delivery;
    journal.write({ t: 'ended', seqs: [seq], how: 'dead', at: clock.now(), code, text }, () => {
      this.#fates.tell(delivery, 'dead');
      if (!message.command || message.from === SYSTEM_NAME) return;
      notices.tell(message.from, code, `not delivered to ${recipient}: ${text} [${code}]`);
    });
  }

  /** There is room for the next delivery, whatever becomes of the record of this one's end. */
  #freed(name: string): void {
    this.#relay.peers.get(name)?.pump.refill();
  }

  #emit({ id, from, to, topic, at, size }: Message): void {
    if (!this.#relay.events.watched) return;
    const about = { id, from, to: to ?? BROADCAST, at, size };
    this.#relay.events.emit({ type: 'message', ...about, ...(topic === undefined ? {} : { topic }) });
  }
}
