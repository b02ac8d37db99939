/**
 * SEND → recipients → store → DELIVER, and what becomes of each delivery. Whatever happens, every
 * delivery ends as delivered, waiting, or a dead letter its sender was told about.
 * docs/protocol.md §Delivery (P11, P12, P14–P18).
 */
import { type ErrorCode, RelayError } from '../base/errors.ts';
import { BROADCAST, isAgentName, isName, SYSTEM_NAME, USER_NAME } from '../protocol/address.ts';
import type { RawParts } from '../protocol/envelope.ts';
import { FRAME_HEADROOM_BYTES } from '../protocol/limits.ts';
import { Brake } from './brake.ts';
import { type Delivery, type Message, SEQS_PER_EPOCH } from './message.ts';
import { type EndState, messageKey, type Recipient } from './record.ts';
import type { Relay } from './relay.ts';
import { tellFate } from './tell.ts';

export interface Outgoing {
  id: string;
  from: string;
  /** The sender's session, or a stand-in for those without one: part of the key of P15. */
  session: string;
  /** The sender is a wrapped agent: the brake applies (P18). */
  injects: boolean;
  to?: string | undefined;
  topic?: string | undefined;
  raw: RawParts;
  ttlMs?: number | undefined;
  acks: boolean;
  command?: boolean;
}

export interface Reply {
  /** Stored now, or before: the first outcome holds (P15). */
  stored(message: Message): void;
  refused(error: RelayError): void;
  /** The same SEND is being stored already: its answer is on the way. */
  repeated(): void;
}

/** Outcomes kept for one sender that is away. */
const MAX_UNTOLD = 10_000;

export class Router {
  readonly #relay: Relay;
  readonly #brake: Brake;
  /** Ends that a sender could not be told of, because it was away. */
  readonly #untold = new Map<string, Set<Delivery>>();
  #lastNumber = 0;

  constructor(relay: Relay) {
    this.#relay = relay;
    this.#brake = new Brake(relay.settings);
  }

  /** Goes on counting where an earlier life of this very epoch stopped. */
  recovered(): void {
    this.#lastNumber = this.#relay.state.lastNumber(this.#relay.epoch);
  }

  /** Takes a message in. `reply` comes later, never inside this call when something is stored. */
  send(outgoing: Outgoing, reply: Reply): void {
    const key = messageKey(outgoing.from, outgoing.session, outgoing.id);
    const known = this.#relay.state.messages.get(key);
    if (known !== undefined) {
      this.#again(known, outgoing, reply);
      return;
    }
    try {
      this.#admit(key, outgoing, reply);
    } catch (error) {
      reply.refused(RelayError.from(error));
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
        for (const delivery of fresh) this.#fate(delivery, how);
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
      this.#fate(delivery, 'deferred');
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
    const untold = this.#untold.get(name);
    this.#untold.delete(name);
    for (const delivery of untold ?? []) tellFate(this.#relay, delivery);
    this.wake(name);
  }

  /** Something may wait for the name: whoever serves it looks. */
  wake(name: string): void {
    this.#relay.peers.get(name)?.pump();
    this.#relay.polls.wake(name);
  }

  /** Its time is up: judged by where it stands (P16). */
  fellDue(delivery: Delivery): void {
    if (delivery.state !== 'waiting') return;
    const { state, clock, sessions, settings } = this.#relay;
    const now = clock.now();
    if (delivery.until > now) {
      state.deadlines.add(delivery.until, { kind: 'delivery', delivery });
    } else if (!delivery.given || state.findMailbox(delivery.recipient)?.known !== true) {
      this.bury(delivery, 'EXPIRED', `not delivered to ${delivery.recipient} in time`);
    } else if (sessions.mayReturn(delivery.recipient)) {
      state.deadlines.add(now + settings.heartbeatMs, { kind: 'delivery', delivery });
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

  /** A person holds all that is for an agent, or lets it go on; resolves once that is stored. */
  async standstill(name: string, on: boolean): Promise<void> {
    await this.#relay.journal.committed({ t: 'standstill', name, on });
    this.#relay.log.info(on ? 'agent.held' : 'agent.released', { agent: name });
    if (!on) this.wake(name);
  }

  /** Forgets what was long ago. */
  sweep(): void {
    const now = this.#relay.clock.monotonic();
    this.#brake.sweep(now);
    for (const name of this.#untold.keys()) {
      if (!this.#relay.sessions.mayReturn(name)) this.#untold.delete(name);
    }
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
    if (!this.#relay.journal.passesFence()) return;
    reply.stored(message);
    for (const delivery of message.deliveries) tellFate(this.#relay, delivery);
  }

  #admit(key: string, outgoing: Outgoing, reply: Reply): void {
    this.#checkSize(outgoing);
    const recipients = this.#recipients(outgoing);
    if (recipients === undefined) {
      this.#relay.log.info('notice.answered', { from: outgoing.from });
      throw new RelayError('BAD_TARGET', 'nobody reads what is sent to system');
    }
    this.#checkRoom(outgoing, recipients);
    this.#judgeBrake(outgoing, recipients);
    const { acks, command } = outgoing;
    this.#relay.journal.admit(
      {
        t: 'message',
        key,
        id: outgoing.id,
        from: outgoing.from,
        session: outgoing.session,
        ...(outgoing.to === undefined ? {} : { to: outgoing.to }),
        ...(outgoing.topic === undefined ? {} : { topic: outgoing.topic }),
        at: this.#relay.clock.now(),
        acks,
        ...(command ? { command } : {}),
        recipients,
        raw: outgoing.raw,
      },
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
        this.#fate(delivery, 'held');
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
      this.#fate(delivery, 'dead');
      if (!message.command || message.from === SYSTEM_NAME) return;
      notices.tell(message.from, code, `not delivered to ${recipient}: ${text} [${code}]`);
    });
  }

  /** There is room for the next delivery, whatever becomes of the record of this one's end. */
  #freed(name: string): void {
    this.#relay.peers.get(name)?.refill();
  }

  #fate(delivery: Delivery, fate: EndState | 'deferred' | 'held'): void {
    const { message } = delivery;
    if (this.#relay.events.watched) {
      this.#relay.events.emit({
        type: 'fate',
        id: message.id,
        from: message.from,
        to: delivery.recipient,
        fate,
        at: this.#relay.clock.now(),
        ...(delivery.reason ? { code: delivery.reason.code } : {}),
      });
    }
    if (!tellFate(this.#relay, delivery)) this.#keepUntold(delivery);
  }

  /** P14: outcomes are kept for a sender that is away but may come back. */
  #keepUntold(delivery: Delivery): void {
    const { from } = delivery.message;
    if (!delivery.ended || !this.#relay.sessions.mayReturn(from)) return;
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

  #emit({ id, from, to, topic, at, size }: Message): void {
    if (!this.#relay.events.watched) return;
    const about = { id, from, to: to ?? BROADCAST, at, size };
    this.#relay.events.emit({ type: 'message', ...about, ...(topic === undefined ? {} : { topic }) });
  }

  /** P6: the DELIVER must fit into a frame. */
  #checkSize({ raw }: Outgoing): void {
    const limit = this.#relay.settings.maxFrameBytes - FRAME_HEADROOM_BYTES;
    const bytes = raw.payload.length + (raw.payload_meta?.length ?? 0);
    if (bytes <= limit) return;
    throw new RelayError('MESSAGE_TOO_LARGE', `${bytes} bytes; a message may have ${limit}`);
  }

  /** P17: who gets it. Undefined for an answer to a notice (P18). */
  #recipients(outgoing: Outgoing): Recipient[] | undefined {
    const { from, to, topic } = outgoing;
    if (to === SYSTEM_NAME) return undefined;
    if (to !== undefined && to !== BROADCAST) {
      if (to !== USER_NAME && (!isName(to) || !isAgentName(to))) {
        throw new RelayError('BAD_TARGET', `not a recipient: ${JSON.stringify(to.slice(0, 80))}`);
      }
      return [this.#recipient(to, outgoing)];
    }
    if (to === undefined && topic === undefined) {
      throw new RelayError('BAD_TARGET', 'a message needs "to" or "topic"');
    }
    const names = topic === undefined ? this.#registered() : this.#relay.state.subscribers(topic);
    const recipients: Recipient[] = [];
    for (const name of names) if (name !== from) recipients.push(this.#recipient(name, outgoing));
    return recipients;
  }

  /** Connected, or within the reconnect window. */
  #registered(): Set<string> {
    const names = new Set<string>();
    for (const { name, state } of this.#relay.state.sessions.all()) {
      if (state === 'active' || state === 'disconnected') names.add(name);
    }
    return names;
  }

  #recipient(name: string, { ttlMs }: Outgoing): Recipient {
    const { clock, epoch, settings, state } = this.#relay;
    const known = state.findMailbox(name)?.known === true;
    const patience = ttlMs ?? (known ? settings.retentionMs : settings.unknownNameTtlMs);
    return {
      name,
      seq: epoch * SEQS_PER_EPOCH + ++this.#lastNumber,
      until: clock.now() + Math.min(patience, settings.retentionMs),
      ...(ttlMs === undefined ? {} : { ttl: true as const }),
    };
  }

  /** P14, P17: refuses what finds no room; of several recipients, marks the full ones. */
  #checkRoom(outgoing: Outgoing, recipients: Recipient[]): void {
    const { messages } = this.#relay.state;
    const { relayMaxMessages, relayMaxBytes, senderShare, pairHardMark } = this.#relay.settings;
    const size = outgoing.raw.payload.length + (outgoing.raw.payload_meta?.length ?? 0);
    const exceeds = (load: { messages: number; bytes: number }, share: number) =>
      load.messages + 1 > relayMaxMessages * share || load.bytes + size > relayMaxBytes * share;
    const full = (scope: 'pair' | 'sender' | 'relay', message: string): never => {
      throw new RelayError('QUEUE_FULL', message, { details: { scope } });
    };
    if (exceeds(messages.load, 1)) full('relay', 'too much waits undelivered in this relay');
    if (exceeds(messages.loadOf(outgoing.from), senderShare)) {
      full('sender', `too much of ${outgoing.from} waits undelivered`);
    }
    const fanned = outgoing.to === undefined || outgoing.to === BROADCAST;
    for (const recipient of recipients) {
      if (messages.pairDepth(outgoing.from, recipient.name) < pairHardMark) continue;
      if (fanned) recipient.full = true;
      else full('pair', `too much of ${outgoing.from} waits for ${recipient.name}`);
    }
  }

  /** P18: holds the pairs of which it is too much. */
  #judgeBrake(outgoing: Outgoing, recipients: readonly Recipient[]): void {
    const { settings, state, clock } = this.#relay;
    if (!settings.brake || !outgoing.injects) return;
    const now = clock.monotonic();
    const fanned = outgoing.to === undefined || outgoing.to === BROADCAST;
    const broadcast = fanned ? this.#brake.judgeBroadcast(outgoing.from, now) : undefined;
    for (const { name } of recipients) {
      if (state.sessions.holder(name)?.injects !== true) continue;
      const reason = this.#brake.judge(outgoing.from, name, outgoing.raw.payload, now) ?? broadcast;
      if (reason === undefined || state.mailbox(name).isHeld(outgoing.from)) continue;
      this.#hold(outgoing.from, name, reason);
    }
  }

  #hold(from: string, to: string, reason: string): void {
    const until = this.#relay.clock.now() + this.#relay.settings.brakeHoldMs;
    this.#relay.journal.write({ t: 'hold', from, to, until });
    this.#relay.log.warn('brake.held', { from, to, reason });
    this.#relay.notices.held(from, to, reason);
  }
}
