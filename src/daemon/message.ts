/** A stored message and its deliveries, one to each recipient. docs/protocol.md §Delivery (P3, P11, P17). */
import { hash } from 'node:crypto';
import { encodeDeliver, type RawParts } from '../protocol/envelope.ts';
import { derivedId, isUuid } from '../protocol/ids.ts';
import type { EndState, MessageRecord, PastRecord, Recipient } from './record.ts';

/** seq = epoch × 2³² + n (P11). */
export const SEQS_PER_EPOCH = 2 ** 32;

export const epochOf = (seq: number): number => Math.floor(seq / SEQS_PER_EPOCH);

/** The deduplication key of a SEND (P15). A NUL stands in no name, so keys cannot be forged. */
export const messageKey = (from: string, session: string, id: string): string =>
  isUuid(id) ? `${from}\0${id.toLowerCase()}` : `\0${session}\0${id}`;

/** What two SENDs of one key must have in common (P15). */
export const contentHash = (to: string | undefined, topic: string | undefined, raw: RawParts): string =>
  hash('sha1', JSON.stringify([to, topic, raw.payload, raw.payload_meta]), 'base64');

export type DeliveryState = 'storing' | 'waiting' | 'inflight' | 'claimed' | EndState;

const ENDED: ReadonlySet<DeliveryState> = new Set<DeliveryState>(['delivered', 'written', 'dead']);

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
  /** Characters of its text: what the limits of P14 count as bytes. */
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

  /** What a repeat of its SEND is compared with (P15). */
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

  /** The DELIVER's id: the same from every leader (P3). */
  get id(): string {
    this.#id ??= derivedId(this.message.key, this.recipient);
    return this.#id;
  }

  get ended(): boolean {
    return ENDED.has(this.state);
  }

  /** Whether the recipient may have seen it: given before, or stored under an earlier epoch (P12). */
  repeated(epoch: number): boolean {
    return this.given || epochOf(this.seq) < epoch;
  }

  /** The DELIVER frame for `session`. */
  frame(session: string, epoch: number): Buffer {
    const { message } = this;
    return encodeDeliver(
      {
        id: this.id,
        ts: message.at,
        from: message.from,
        to: this.recipient,
        ...(message.topic === undefined ? {} : { topic: message.topic }),
      },
      message.raw as RawParts,
      {
        seq: this.seq,
        session_id: session,
        ...(message.to === '*' ? { originalTo: '*' } : {}),
        ...(this.repeated(epoch) ? { redelivered: true } : {}),
        ...(this.hasTtl ? { expires_at: this.until } : {}),
      },
    );
  }
}
