/**
 * All that the daemon has promised, as a fold over its records: `apply` when a record is appended,
 * `settle` once it is safe (for a message: only then it may be delivered). Pure and synchronous; after a
 * restart the same two calls rebuild it. docs/protocol.md §Records.
 */
import { USER_NAME } from '../protocol/address.ts';
import { Deadlines } from './deadlines.ts';
import { Mailbox } from './mailbox.ts';
import { type Delivery, epochOf, type Message, SEQS_PER_EPOCH } from './message.ts';
import { MessageTable } from './message-table.ts';
import type { EndedRecord, RelayRecord } from './record.ts';
import { SessionTable } from './session-table.ts';

/** What falls due by the wall clock. Whoever takes one looks whether it still stands. */
export type Due =
  | { kind: 'delivery'; delivery: Delivery }
  | { kind: 'session'; session: string }
  | { kind: 'claim'; name: string }
  | { kind: 'hold'; from: string; to: string };

/** Bytes of the record of a message beside its text, in the usual case. */
const RECORD_BYTES = 400;

export class RelayState {
  readonly sessions = new SessionTable();
  readonly messages = new MessageTable();
  readonly deadlines = new Deadlines<Due>();
  /** Began to wait since the last look at the deadlines: most of them do not for long. */
  #fresh: Delivery[] = [];
  readonly #mailboxes = new Map<string, Mailbox>();
  /** topic → names (P17). */
  readonly #topics = new Map<string, Set<string>>();

  constructor() {
    this.mailbox(USER_NAME).seen(0);
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

  topics(): Iterable<[string, ReadonlySet<string>]> {
    return this.#topics;
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
        this.mailbox(record.to).hold(record.from, record.until);
        this.deadlines.add(record.until, { kind: 'hold', from: record.from, to: record.to });
        return undefined;
      case 'release':
        this.mailbox(record.to).release(record.from);
        return undefined;
      case 'standstill':
        this.mailbox(record.name).setStandstill(record.on);
        return undefined;
      case 'dropped':
        this.messages.drop(record.seq);
        return undefined;
      case 'claim':
        this.#claim(record);
        return undefined;
      case 'topic':
        this.#topic(record);
        return undefined;
      case 'past':
        return this.messages.add(record);
      case 'session':
        this.sessions.restore(record.session);
        return undefined;
      case 'seen':
        this.mailbox(record.name).seen(record.at);
        return undefined;
      case 'dedup':
        this.messages.forgotten(record.since);
        return undefined;
      default: {
        const session = this.sessions.apply(record);
        if (session !== undefined) this.mailbox(session.name).seen(record.at);
        if (record.t === 'active' && session) this.mailbox(session.name).restoreDeferred(session.id);
        return undefined;
      }
    }
  }

  /** The message is safe: it waits for its recipients. */
  settle(message: Message): void {
    message.stored = true;
    for (const delivery of message.deliveries) {
      if (delivery.state !== 'storing') continue;
      this.mailbox(delivery.recipient).put(delivery);
      this.#fresh.push(delivery);
    }
  }

  /** Takes out everything due at `now` (wall clock, ms), the earliest first. */
  *due(now: number): Generator<Due, void> {
    for (const delivery of this.#fresh) {
      if (delivery.state === 'waiting') this.time(delivery, delivery.until);
    }
    this.#fresh = [];
    for (const due of this.deadlines.due(now)) {
      if (due.kind === 'delivery') due.delivery.timed = false;
      yield due;
    }
  }

  /** It falls due at `until` (wall clock, ms), unless it falls due anyway. */
  time(delivery: Delivery, until: number): void {
    if (delivery.timed) return;
    delivery.timed = true;
    this.deadlines.add(until, { kind: 'delivery', delivery });
  }

  /**
   * Rebuilds the state from a record that an earlier reign left. One that the state has already changes
   * nothing: a snapshot may hold what also stands in the log behind it (store.ts).
   */
  recover(record: RelayRecord): void {
    if ((record.t === 'message' || record.t === 'past') && this.messages.get(record.key)) return;
    const message = this.apply(record);
    if (message === undefined) return;
    this.settle(message);
    // Nobody recorded whether it was given: its recipient may have it (P12, P16).
    for (const delivery of message.deliveries) delivery.given = true;
  }

  /** The highest seq number given in `epoch`: zero for a new reign. */
  lastNumber(epoch: number): number {
    const { lastSeq } = this.messages;
    return epochOf(lastSeq) === epoch ? lastSeq % SEQS_PER_EPOCH : 0;
  }

  /** Roughly the bytes of a snapshot: what of the store still stands for something. */
  get liveBytes(): number {
    const { load, endedCount, keptBytes } = this.messages;
    return load.bytes + keptBytes + (load.messages + endedCount) * RECORD_BYTES;
  }

  /** Back to where it waits, in its place. */
  putBack(delivery: Delivery): void {
    this.mailbox(delivery.recipient).put(delivery);
    this.#fresh.push(delivery);
  }

  #end({ seqs, how, at, code = 'REJECTED', text = '' }: EndedRecord): void {
    for (const seq of seqs) {
      const delivery = this.messages.bySeq(seq);
      if (delivery === undefined) continue;
      if (delivery.state === 'waiting') this.mailbox(delivery.recipient).remove(delivery);
      // What its sender had set a time for was never promised for longer.
      if (how === 'dead' && !delivery.ended && !delivery.hasTtl && at >= delivery.until) {
        this.mailbox(delivery.recipient).outlived(delivery);
      }
      this.messages.end(delivery, how, at, how === 'dead' ? { code, text } : undefined);
    }
  }

  #defer(delivery: Delivery, session: string): void {
    const mailbox = this.mailbox(delivery.recipient);
    if (delivery.state === 'waiting') mailbox.remove(delivery);
    mailbox.defer(delivery, session);
    this.time(delivery, delivery.until);
  }

  #claim(record: Extract<RelayRecord, { t: 'claim' }>): void {
    const mailbox = this.mailbox(record.name);
    const deliveries: Delivery[] = [];
    for (const seq of record.seqs) {
      const delivery = this.messages.bySeq(seq);
      if (delivery === undefined || delivery.ended) continue;
      if (delivery.state === 'waiting') mailbox.remove(delivery);
      delivery.state = 'claimed';
      this.messages.markGiven(delivery);
      deliveries.push(delivery);
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
