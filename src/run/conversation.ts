/**
 * What was said in a run, and what became of it: a fold over the records of its relay, so nothing that
 * the relay has promised is missing and the order is the relay's own.
 */

import type { EndState, MessageRecord, RelayRecord } from '../daemon/record.ts';
import { textOf } from '../protocol/utf8.ts';

export interface Reception {
  name: string;
  fate: 'waiting' | 'held' | EndState;
  /** Why it is a dead letter. */
  code?: string;
  text?: string;
}

export interface RunMessage {
  id: string;
  /** Milliseconds since the run began. */
  at: number;
  from: string;
  /** As it was addressed: a name, `*`, or nothing but a topic. */
  to?: string;
  topic?: string;
  kind?: string;
  body: string;
  thread?: string;
  data?: unknown;
  recipients: Reception[];
}

export interface ConversationHandlers {
  /** A message was stored. */
  said(message: RunMessage): void;
  /** A recipient's fate is another one now. */
  changed(message: RunMessage, reception: Reception): void;
  /** An agent has joined, or its topics are others. */
  joined(): void;
}

export class Conversation {
  readonly messages: RunMessage[] = [];
  readonly #startedAt: number;
  readonly #handlers: ConversationHandlers;
  readonly #bySeq = new Map<number, { message: RunMessage; reception: Reception }>();
  /** How many messages wait for each agent. */
  readonly #open = new Map<string, number>();
  readonly #held = new Set<string>();
  readonly #nameOf = new Map<string, string>();
  readonly #joined = new Set<string>();
  readonly #topics = new Set<string>();

  /** @param startedAt wall clock, ms. */
  constructor(startedAt: number, handlers: ConversationHandlers) {
    this.#startedAt = startedAt;
    this.#handlers = handlers;
  }

  /** Whether the agent has had a session, with all these topics subscribed. */
  hasJoined(name: string, topics: readonly string[]): boolean {
    return this.#joined.has(name) && topics.every((topic) => this.#topics.has(pair(name, topic)));
  }

  apply(record: RelayRecord): void {
    switch (record.t) {
      case 'message':
        return this.#said(record);
      case 'ended':
        for (const seq of record.seqs) this.#ended(seq, record.how, record.code, record.text);
        return;
      case 'hold':
        this.#held.add(pair(record.from, record.to));
        return this.#refresh(record.from, record.to);
      case 'release':
        this.#held.delete(pair(record.from, record.to));
        return this.#refresh(record.from, record.to);
      case 'opened':
        this.#nameOf.set(record.session, record.name);
        return;
      case 'active': {
        const name = this.#nameOf.get(record.session);
        if (name !== undefined) this.#joined.add(name);
        return this.#handlers.joined();
      }
      case 'topic':
        if (record.on) this.#topics.add(pair(record.name, record.topic));
        return this.#handlers.joined();
      default:
        return;
    }
  }

  /** Whether something waits for this agent. */
  waitsFor(name: string): boolean {
    return (this.#open.get(name) ?? 0) > 0;
  }

  #said(record: MessageRecord): void {
    const { kind, body, thread, data } = JSON.parse(textOf(record.raw.payload)) as Record<string, unknown>;
    const message: RunMessage = {
      id: record.id,
      at: Math.max(0, record.at - this.#startedAt),
      from: record.from,
      ...(record.to === undefined ? {} : { to: record.to }),
      ...(record.topic === undefined ? {} : { topic: record.topic }),
      ...(typeof kind === 'string' ? { kind } : {}),
      body: typeof body === 'string' ? body : '',
      ...(typeof thread === 'string' ? { thread } : {}),
      ...(data === undefined ? {} : { data }),
      recipients: record.recipients.map(({ name }) => ({ name, fate: this.#waiting(record.from, name) })),
    };
    for (const [index, { seq }] of record.recipients.entries()) {
      const reception = message.recipients[index] as Reception;
      this.#bySeq.set(seq, { message, reception });
      this.#count(reception.name, 1);
    }
    this.messages.push(message);
    this.#handlers.said(message);
  }

  #ended(seq: number, how: EndState, code: string | undefined, text: string | undefined): void {
    const found = this.#bySeq.get(seq);
    if (found === undefined) return;
    const { message, reception } = found;
    if (isOpen(reception)) this.#count(reception.name, -1);
    reception.fate = how;
    // A late ACK revives a dead letter (P16): then the reason is none any more.
    delete reception.code;
    delete reception.text;
    if (code !== undefined) reception.code = code;
    if (text !== undefined && text !== '') reception.text = text;
    this.#handlers.changed(message, reception);
  }

  #refresh(from: string, to: string): void {
    for (const { message, reception } of this.#bySeq.values()) {
      if (message.from !== from || reception.name !== to || !isOpen(reception)) continue;
      const fate = this.#waiting(from, to);
      if (reception.fate === fate) continue;
      reception.fate = fate;
      this.#handlers.changed(message, reception);
    }
  }

  #count(name: string, by: 1 | -1): void {
    this.#open.set(name, (this.#open.get(name) ?? 0) + by);
  }

  #waiting(from: string, to: string): 'waiting' | 'held' {
    return this.#held.has(pair(from, to)) ? 'held' : 'waiting';
  }
}

export const isOpen = ({ fate }: Reception): boolean => fate === 'waiting' || fate === 'held';

/** No name holds a NUL, so a topic cannot forge another pair. */
const pair = (a: string, b: string): string => `${a}\0${b}`;
