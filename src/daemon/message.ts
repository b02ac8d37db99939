/** A stored message and its deliveries, one to each recipient. docs/protocol.md §Delivery (P3, P11, P17). */
import { hash } from 'node:crypto';
import { type RawParts, renderDeliver } from '../protocol/envelope.ts';
import { derivedId } from '../protocol/ids.ts';
import { textOf, type Utf8 } from '../protocol/utf8.ts';
import type { EndState, MessageRecord, PastRecord, Recipient } from './record.ts';

/** seq = epoch × 2³² + n (P11). */
export const SEQS_PER_EPOCH = 2 ** 32;

export const epochOf = (seq: number): number => Math.floor(seq / SEQS_PER_EPOCH);

/** What two SENDs of one key must have in common (P15), as format 2 of the store keeps it. */
export const contentHash = (to: string | undefined, topic: string | undefined, raw: RawParts): string =>
  hash('sha1', `${JSON.stringify([to, topic, raw.payload_meta])}${raw.payload}`, 'hex');

/** The same as format 1 kept it. */
const oldContentHash = (to: string | undefined, topic: string | undefined, raw: RawParts): string => {
  const meta = raw.payload_meta === undefined ? undefined : textOf(raw.payload_meta);
  return hash('sha1', JSON.stringify([to, topic, textOf(raw.payload), meta]), 'base64');
};

const OLD_HASH_LENGTH = 28;

export type DeliveryState = 'storing' | 'waiting' | 'inflight' | 'claimed' | EndState;

export class Message {
  readonly key: string;
  readonly id: string;
  readonly from: string;
  readonly session: string;
  readonly to: string | undefined;
  readonly topic: string | undefined;
  readonly at: number;
  readonly acks: boolean;
  readonly command: boolean;
  /** Bytes of its text, which the limits of P14 count. */
  readonly size: number;
  readonly deliveries: readonly Delivery[];
  /** The store has it: it may be delivered, and a snapshot may hold it. */
  stored = false;
  /** All of it has ended, and its text is kept only for a while. */
  past = false;
  #raw: RawParts | undefined;
  #hash: string | undefined;
  /** Deliveries that have not ended. */
  open: number;
  /** Wall clock, ms: when the last of them ended. */
  endedAt = 0;

  constructor(record: MessageRecord | PastRecord) {
    this.key = record.key;
    this.id = record.id;
    this.from = record.from;
    this.session = record.session;
    this.to = record.to;
    this.topic = record.topic;
    this.at = record.at;
    this.acks = record.acks;
    this.command = record.command === true;
    if (record.t === 'message') {
      this.#raw = record.raw;
      this.size = record.raw.payload.length + (record.raw.payload_meta?.length ?? 0);
    } else {
      this.#hash = record.hash;
      this.size = record.size;
    }
    this.deliveries = record.recipients.map((recipient) => new Delivery(this, recipient));
    this.open = this.deliveries.length;
  }

  /** Its text; undefined once it was forgotten. */
  get raw(): RawParts | undefined {
    return this.#raw;
  }

  /** Whether a repeat of its SEND says the same (P15). */
  says(to: string | undefined, topic: string | undefined, raw: RawParts): boolean {
    const same = this.hash.length === OLD_HASH_LENGTH ? oldContentHash : contentHash;
    return same(to, topic, raw) === this.hash;
  }

  /** What is kept of its content when its text is gone (P15). */
  get hash(): string {
    this.#hash ??= contentHash(this.to, this.topic, this.#raw as RawParts);
    return this.#hash;
  }

  /** Nobody is to read it any more: only its hash stays. */
  forgetText(): void {
    this.#hash = this.hash;
    this.#raw = undefined;
  }

  /** Its recipients are a list: a broadcast or a topic message (P17). */
  get fanned(): boolean {
    return this.to === undefined || this.to === '*';
  }
}

export class Delivery {
  readonly message: Message;
  readonly recipient: string;
  readonly seq: number;
  readonly until: number;
  readonly hasTtl: boolean;
  readonly full: boolean;
  state: DeliveryState = 'storing';
  /** Wall clock, ms; of a delivery that has ended. */
  endedAt = 0;
  /** It was DELIVERed or polled before: the recipient may have it (P12). */
  given = false;
  /** Its time stands among the deadlines: once, however often it is put back. */
  timed = false;
  /** Why it is a dead letter. */
  reason: { code: string; text: string } | undefined;
  #id: string | undefined;

  constructor(message: Message, recipient: Recipient) {
    this.message = message;
    this.recipient = recipient.name;
    this.seq = recipient.seq;
    this.until = recipient.until;
    this.hasTtl = recipient.ttl === true;
    this.full = recipient.full === true;
  }

  /** The DELIVER's id: the same from every leader (P3), and made again when it is asked for after the end. */
  get id(): string {
    const id = this.#id ?? derivedId(this.message.key, this.recipient);
    this.#id = this.ended ? undefined : id;
    return id;
  }

  /** It is kept for days: with what it is asked for, and no more. */
  end(state: EndState, at: number, reason: Delivery['reason']): void {
    this.state = state;
    this.endedAt = at;
    this.reason = reason;
    this.#id = undefined;
  }

  get ended(): boolean {
    const { state } = this;
    return state === 'delivered' || state === 'written' || state === 'dead';
  }

  /** Whether the recipient may have seen it: given before, or stored under an earlier epoch (P12). */
  repeated(epoch: number): boolean {
    return this.given || epochOf(this.seq) < epoch;
  }

  /** The DELIVER for `session`. */
  render(session: string, epoch: number): Utf8 {
    const { message, recipient, seq } = this;
    return renderDeliver(
      { id: this.id, ts: message.at, from: message.from, to: recipient, topic: message.topic },
      message.raw as RawParts,
      {
        seq,
        session_id: session,
        originalTo: message.to === '*' ? '*' : undefined,
        redelivered: this.repeated(epoch),
        expires_at: this.hasTtl ? this.until : undefined,
      },
    );
  }
}
