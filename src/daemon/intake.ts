/**
 * What a SEND must pass before it is stored: its size, its recipients, room for it, the brake. The record
 * it becomes has its recipients and their seqs. docs/protocol.md §Delivery (P6, P11, P14, P16–P18).
 */
import { RelayError } from '../base/errors.ts';
import { BROADCAST, isAgentName, isName, SYSTEM_NAME, USER_NAME } from '../protocol/address.ts';
import type { RawParts } from '../protocol/envelope.ts';
import { FRAME_HEADROOM_BYTES } from '../protocol/limits.ts';
import { Brake } from './brake.ts';
import type { Load } from './loads.ts';
import { SEQS_PER_EPOCH } from './message.ts';
import type { MessageRecord, Recipient } from './record.ts';
import type { Relay } from './relay.ts';

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

export class Intake {
  readonly #relay: Relay;
  readonly #brake: Brake;
  #lastNumber = 0;

  constructor(relay: Relay) {
    this.#relay = relay;
    this.#brake = new Brake(relay.settings);
  }

  /** Goes on counting where an earlier life of this very epoch stopped. */
  recovered(): void {
    this.#lastNumber = this.#relay.state.lastNumber(this.#relay.epoch);
  }

  /** The record of a message that is new; `key` is its own (P15). Throws what its sender is to be told. */
  judge(key: string, outgoing: Outgoing): MessageRecord {
    this.#checkSize(outgoing);
    const recipients = this.#recipients(outgoing);
    if (recipients === undefined) {
      this.#relay.log.info('notice.answered', { from: outgoing.from });
      throw new RelayError('BAD_TARGET', 'nobody reads what is sent to system');
    }
    this.#checkRoom(outgoing, recipients);
    this.#judgeBrake(outgoing, recipients);
    const { id, from, session, to, topic, acks, command, raw } = outgoing;
    const at = this.#relay.clock.now();
    return { t: 'message', key, id, from, session, to, topic, at, acks, command, recipients, raw };
  }

  /** Forgets what was long ago; `now` is the monotonic clock. */
  sweep(now: number): void {
    this.#brake.sweep(now);
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
      // Whoever has a mailbox had a name once.
      const known = this.#relay.state.findMailbox(to) !== undefined;
      if (!known && to !== USER_NAME && (!isName(to) || !isAgentName(to))) {
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
      ttl: ttlMs === undefined ? undefined : true,
      full: undefined,
    };
  }

  /** P14, P17: refuses what finds no room; of several recipients, marks the full ones. */
  #checkRoom(outgoing: Outgoing, recipients: Recipient[]): void {
    const { messages } = this.#relay.state;
    const { relayMaxMessages, relayMaxBytes, senderShare, pairHardMark } = this.#relay.settings;
    const size = outgoing.raw.payload.length + (outgoing.raw.payload_meta?.length ?? 0);
    if (exceeds(messages.load, size, relayMaxMessages, relayMaxBytes)) {
      throw full('relay', 'too much waits undelivered in this relay');
    }
    const sender = messages.loadOf(outgoing.from);
    if (exceeds(sender, size, relayMaxMessages * senderShare, relayMaxBytes * senderShare)) {
      throw full('sender', `too much of ${outgoing.from} waits undelivered`);
    }
    const fanned = outgoing.to === undefined || outgoing.to === BROADCAST;
    for (const recipient of recipients) {
      if (messages.pairDepth(outgoing.from, recipient.name) < pairHardMark) continue;
      if (fanned) recipient.full = true;
      else throw full('pair', `too much of ${outgoing.from} waits for ${recipient.name}`);
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

const exceeds = (load: Readonly<Load>, size: number, maxMessages: number, maxBytes: number): boolean =>
  load.messages + 1 > maxMessages || load.bytes + size > maxBytes;

const full = (scope: 'pair' | 'sender' | 'relay', message: string): RelayError =>
  new RelayError('QUEUE_FULL', message, { details: { scope } });
