/**
 * All that the daemon has promised, as a fold over its records: `apply` when a record is appended,
 * `settle` once it is safe (for a message: only then it may be delivered). Pure and synchronous; after a
 * restart the same two calls rebuild it. docs/protocol.md §Records.
 */
import { USER_NAME } from '../protocol/address.ts';
import { Deadlines } from './deadlines.ts';
import { Mailbox } from './mailbox.ts';
import { type Delivery, epochOf, type Message } from './message.ts';
import { MessageTable } from './message-table.ts';
import type { RelayRecord } from './record.ts';
import { SessionTable } from './session-table.ts';

/** What falls due by the wall clock. Whoever takes one looks whether it still stands. */
export type Due =
  | { kind: 'delivery'; delivery: Delivery }
  | { kind: 'session'; session: string }
  | { kind: 'claim'; name: string }
  | { kind: 'hold'; from: string; to: string };

export class RelayState {
  readonly sessions = new SessionTable();
  readonly messages = new MessageTable();
  readonly deadlines = new Deadlines<Due>();
  readonly #mailboxes = new Map<string, Mailbox>();
  /** topic → names (P17). */
  readonly #topics = new Map<string, Set<string>>();

  constructor() {
    this.mailbox(USER_NAME).known = true;
  }

  mailbox(name: string): Mailbox {
    let mailbox = this.#mailboxes.get(name);
    if (mailbox === undefined) {
      mailbox = new Mailbox(name);
      this.#mailboxes.set(name, mailbox);
    }
    return mailbox;
  }

  /** The mailbox if there is one: a look must not make any. */
  findMailbox(name: string): Mailbox | undefined {
    return this.#mailboxes.get(name);
  }

  mailboxes(): Iterable<Mailbox> {
    return this.#mailboxes.values();
  }

  dropMailbox(name: string): void {
    this.#mailboxes.delete(name);
  }

  subscribers(topic: string): Iterable<string> {
    return this.#topics.get(topic) ?? [];
  }

  topicsOf(name: string): string[] {
    return [...this.#topics].filter(([, names]) => names.has(name)).map(([topic]) => topic);
  }

  /** Takes a record in. Returns the message of a message record. */
  apply(record: RelayRecord): Message | undefined {
    switch (record.t) {
      case 'message':
        return this.messages.add(record);
      case 'ended':
        this.#end(record);
        return undefined;
      case 'deferred': {
        const delivery = this.messages.bySeq(record.seq);
        if (delivery && !delivery.ended) this.#defer(delivery, record.session);
        return undefined;
      }
      case 'hold':
        this.mailbox(record.to).hold(record.from);
        this.deadlines.add(record.until, { kind: 'hold', from: record.from, to: record.to });
        return undefined;
      case 'release':
        this.mailbox(record.to).release(record.from);
        return undefined;
      case 'claim':
        this.#claim(record);
        return undefined;
      case 'topic':
        this.#topic(record);
        return undefined;
      default: {
        const session = this.sessions.apply(record);
        if (session !== undefined) this.mailbox(session.name).known = true;
        if (record.t === 'active' && session) this.mailbox(session.name).restoreDeferred(session.id);
        return undefined;
      }
    }
  }

  /** The message is safe: it waits for its recipients. */
  settle(message: Message): void {
    for (const delivery of message.deliveries) {
      if (delivery.state !== 'storing') continue;
      this.mailbox(delivery.recipient).put(delivery);
      this.deadlines.add(delivery.until, { kind: 'delivery', delivery });
    }
  }

  /** Rebuilds the state from a record that an earlier reign left. */
  recover(record: RelayRecord): void {
    const message = this.apply(record);
    if (message === undefined) return;
    this.settle(message);
    // Nobody recorded whether it was given: its recipient may have it (P12, P16).
    for (const delivery of message.deliveries) delivery.given = true;
  }

  /** The highest seq number given in `epoch`: zero for a new reign. */
  lastNumber(epoch: number): number {
    let last = 0;
    for (const mailbox of this.#mailboxes.values()) {
      for (const { lastSeq } of mailbox.streams()) {
        if (epochOf(lastSeq) === epoch) last = Math.max(last, lastSeq % 2 ** 32);
      }
    }
    return last;
  }

  /** Back to where it waits, in its place. */
  putBack(delivery: Delivery): void {
    this.mailbox(delivery.recipient).put(delivery);
    this.deadlines.add(delivery.until, { kind: 'delivery', delivery });
  }

  #end(record: Extract<RelayRecord, { t: 'ended' }>): void {
    const delivery = this.messages.bySeq(record.seq);
    if (delivery === undefined) return;
    if (delivery.state === 'waiting') this.mailbox(delivery.recipient).remove(delivery);
    this.messages.end(delivery, record.how, record.at);
    if (record.how === 'dead') delivery.reason = { code: record.code ?? 'REJECTED', text: record.text ?? '' };
  }

  #defer(delivery: Delivery, session: string): void {
    const mailbox = this.mailbox(delivery.recipient);
    if (delivery.state === 'waiting') mailbox.remove(delivery);
    mailbox.defer(delivery, session);
    this.deadlines.add(delivery.until, { kind: 'delivery', delivery });
  }

  #claim(record: Extract<RelayRecord, { t: 'claim' }>): void {
    const mailbox = this.mailbox(record.name);
    const deliveries = record.seqs
      .map((seq) => this.messages.bySeq(seq))
      .filter((delivery) => delivery !== undefined && !delivery.ended) as Delivery[];
    for (const delivery of deliveries) {
      if (delivery.state === 'waiting') mailbox.remove(delivery);
      delivery.state = 'claimed';
      this.messages.markGiven(delivery);
    }
    for (const delivery of mailbox.replaceClaims(record.since, deliveries)) this.putBack(delivery);
    if (deliveries.length === 0) return;
    mailbox.claims.push({ since: record.since, deliveries, until: record.until });
    this.deadlines.add(record.until, { kind: 'claim', name: record.name });
  }

  #topic({ name, topic, on }: Extract<RelayRecord, { t: 'topic' }>): void {
    const names = this.#topics.get(topic) ?? new Set();
    if (on) this.#topics.set(topic, names.add(name));
    else if (names.delete(name) && names.size === 0) this.#topics.delete(topic);
  }
}
