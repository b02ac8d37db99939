/**
 * Sees what was sent, written to connections, handed to agents and told to senders, and says what must
 * never be. docs/protocol.md §5 (P11–P16), §10 (P20).
 */

import type { Fate } from '../../src/client/fate.ts';
import { DEFAULT_TOPIC } from '../../src/protocol/address.ts';
import type { DeliverEnvelope } from '../../src/protocol/envelope.ts';
import { derivedId } from '../../src/protocol/ids.ts';
import { CLAIM_MS, MAX_OUTBOUND_BYTES } from '../../src/protocol/limits.ts';
import type { Frame } from './mistakes.ts';
import type { Page } from './sim-reader.ts';

/** What an agent gave its client to send. Its body, `m<n>`, is what it is known by everywhere. */
export interface Sent {
  body: string;
  from: string;
  /** Which life of its sender. */
  life: number;
  to: string | undefined;
  topic: string | undefined;
  /** The ids it was seen under on the wire. */
  ids: Set<string>;
  /** Acknowledged, with these recipients: from then on nothing may lose it. */
  promised: Set<string> | undefined;
  /** Recipients that were told to end in `dead`, and how. */
  failed: Map<string, string>;
  /** Recipients to whom it was handed, and those who have taken it. */
  handed: Set<string>;
  taken: Set<string>;
  /** When it was sent, simulated ms. */
  at: number;
  /** Its client has it. */
  accepted: boolean;
  /** It was on disk when its client died or left. */
  kept: boolean;
  /** Its sender was told that somebody will not have it. */
  refused: boolean;
}

/** What is to come once more on a connection. */
interface Replay {
  agent: string;
  epoch: number;
  owed: Set<string>;
}

interface Letter {
  /** Of its DELIVER. */
  id: string;
  body: string;
  to: string;
}

interface Answer {
  since: string | undefined;
  began: number;
  ids: ReadonlySet<string>;
}

export class Witness {
  readonly violations: string[] = [];
  #powerWent = false;
  /** Times of the wall clock say nothing about how long something took. */
  clockJumped = false;
  readonly messages = new Map<string, Sent>();
  readonly #trace: ((line: string) => void) | undefined;
  readonly #byId = new Map<string, Sent>();
  /** seq → the message and recipient it was given to. */
  readonly #seqs = new Map<number, string>();
  /** (session, body) → how often it was handed over. */
  readonly #handed = new Map<string, number>();
  /** (session, stream) → the last one handed over. */
  readonly #streams = new Map<string, { seq: number; number: number; body: string }>();
  /** Session → the connection that was welcomed last. */
  readonly #serving = new Map<string, number>();
  /** What connections owe their clients since a RESUME, until they end. */
  readonly #replays = new Set<Replay>();
  /** Dead letters that were sent anew or dropped, as answers say. */
  readonly disposed: Letter[] = [];
  /** `<body> <recipient>` → how often an answer said that it was sent anew. */
  readonly redelivered = new Map<string, number>();
  /** The same → how often that was asked for. */
  readonly #asked = new Map<string, number>();
  /** DELIVER ids of dead letters that may be disposed of. */
  readonly #disposals = new Set<string>();
  #connections = 0;
  /** DELIVER id → the last answer that held it. */
  readonly #claims = new Map<string, Answer>();
  readonly #confirmed = new Set<string>();
  /** Resume tokens that were ever shown. */
  readonly #tokens = new Set<string>();

  constructor(trace: ((line: string) => void) | undefined) {
    this.#trace = trace;
  }

  violated(text: string): void {
    this.#trace?.(`VIOLATED ${text}`);
    this.violations.push(text);
  }

  sent(message: Pick<Sent, 'body' | 'from' | 'life' | 'to' | 'topic' | 'at'>): void {
    this.messages.set(message.body, {
      ...message,
      ids: new Set(),
      promised: undefined,
      failed: new Map(),
      handed: new Set(),
      taken: new Set(),
      accepted: false,
      kept: false,
      refused: false,
    });
    this.#byId.set(derivedId('sim', message.body), this.messages.get(message.body) as Sent);
    this.#trace?.(`${message.from}.${message.life} sends ${message.body} to ${message.to}/${message.topic}`);
  }

  /** A client has it. */
  accepted(body: string): void {
    (this.messages.get(body) as Sent).accepted = true;
  }

  /** On disk is all that this life of an agent was given to send until `until`, and no relay has answered for. */
  kept(agent: string, life: number, until: number): void {
    for (const message of this.messages.values()) {
      if (message.from !== agent || message.life !== life || message.at > until || !message.accepted)
        continue;
      if (message.promised !== undefined || message.refused) continue;
      this.#trace?.(`${agent}.${life} has kept ${message.body}`);
      message.kept = true;
    }
  }

  /** Nobody syncs what is kept. */
  powerCut(): void {
    this.#powerWent = true;
    for (const message of this.messages.values()) message.kept = false;
  }

  /** Lines of an outbox file cannot be read. */
  damaged(count: number, path: string): void {
    this.#trace?.(`${count} damaged in ${path}`);
    if (!this.#powerWent) this.violated(`${count} damaged in ${path}, and the power never went`);
  }

  /** A new leader has read what there was. */
  recovered(epoch: number, highest: number): void {
    this.#trace?.(`epoch ${epoch} has recovered`);
    if (highest !== epoch) this.violated(`epoch ${epoch} is ready from behind the fence of ${highest}`);
  }

  /** A command succeeded: it may have promised something or shown a token. */
  answered(command: string, epoch: number, highest: number): void {
    this.#trace?.(`epoch ${epoch} answers ${command}`);
    if (highest !== epoch)
      this.violated(`${command} answered by ${epoch} from behind the fence of ${highest}`);
  }

  /** Watches one connection at the daemon's end. */
  connection(epoch: number, highest: () => number) {
    this.#connections += 1;
    const number = this.#connections;
    const given = new Set<string>();
    const inflight = new Map<string, Frame>();
    const idOfSeq = new Map<number, string>();
    /** Answered before the daemon, which reads several frames at once, has come to it. */
    const answered = new Set<string>();
    let replay: Replay | undefined;
    let agent = '?';
    let maxInflight = 256;
    const fenced = (what: string) => {
      if (highest() === epoch) return;
      this.violated(`${what} of epoch ${epoch} to ${agent} from behind the fence of ${highest()}`);
    };
    return {
      number,
      received: (frame: Frame) => {
        const { type, payload } = frame;
        if (type === 'RESUME') agent = payload.agent;
        else if (type === 'HELLO') {
          agent = payload.agent;
          maxInflight = payload.capabilities?.max_inflight ?? maxInflight;
        } else if (type === 'SEND') {
          const message = this.messages.get(payload.body);
          if (message === undefined) return;
          message.ids.add(frame.id);
          this.#byId.set(frame.id, message);
        } else if (type === 'ACK' || type === 'NACK') {
          const upTo = ({ from, topic, delivery }: Frame) =>
            from === payload.peer &&
            (topic ?? DEFAULT_TOPIC) === payload.topic &&
            delivery.seq <= payload.up_to_seq;
          const ids = payload.seqs?.map((seq: number) => idOfSeq.get(seq)) ?? [];
          if (payload.ack_id !== undefined) ids.push(payload.ack_id);
          for (const [id, frame] of inflight) if (upTo(frame)) ids.push(id);
          for (const id of ids) {
            inflight.delete(id);
            replay?.owed.delete(id);
            answered.add(id);
          }
        }
        this.#trace?.(`${agent} → ${epoch}#${number} ${type} ${payload.body ?? payload.code ?? ''}`);
      },
      sent: (frame: Frame) => {
        const { type, payload } = frame;
        const about = this.#byId.get(payload.ack_id)?.body ?? '';
        const what = payload.body ?? payload.stage ?? payload.code ?? '';
        this.#trace?.(`${agent} ← ${epoch}#${number} ${type} ${about} ${what} ${frame.delivery?.seq ?? ''}`);
        if (type === 'WELCOME') {
          fenced('WELCOME');
          // P7: each hands out a fresh one.
          if (this.#tokens.has(payload.resume_token)) this.violated(`a resume token of ${agent} comes again`);
          this.#tokens.add(payload.resume_token);
          this.#serving.set(payload.session_id, number);
        } else if (type === 'SYNC' && payload.held === undefined) {
          // All that is unacknowledged comes once more (P8).
          replay ??= { agent, epoch, owed: new Set() };
          this.#replays.add(replay);
          for (const id of inflight.keys()) replay.owed.add(id);
          inflight.clear();
          given.clear();
        } else if (type === 'ACK') {
          fenced(`ACK ${payload.stage} of ${about}`);
          for (const id of payload.ack_ids ?? [payload.ack_id])
            this.#acknowledged({ ...payload, ack_id: id });
        } else if (type === 'DELIVER') {
          fenced(`DELIVER of ${payload.body}`);
          if (given.has(frame.id)) this.violated(`${payload.body} DELIVERed twice on one connection`);
          given.add(frame.id);
          replay?.owed.delete(frame.id);
          if (this.#serving.get(frame.delivery.session_id) !== number) {
            this.violated(
              `${payload.body} DELIVERed on a connection of ${agent} that does not serve the session`,
            );
          }
          idOfSeq.set(frame.delivery.seq, frame.id);
          if (!answered.has(frame.id)) inflight.set(frame.id, frame);
          if (inflight.size > maxInflight) this.violated(`${inflight.size} in flight to ${agent}`);
          this.#delivered(frame, agent);
        }
      },
      closed: () => {
        if (replay !== undefined) this.#replays.delete(replay);
      },
    };
  }

  /** The person asks to have a dead letter sent anew, or dropped; `done` once an answer says so. */
  disposes(letter: Letter, anew: boolean): { done(): void } {
    const { id, body, to } = letter;
    this.#disposals.add(id);
    const name = `${body} ${to}`;
    if (anew) this.#asked.set(name, (this.#asked.get(name) ?? 0) + 1);
    return {
      done: () => {
        this.#trace?.(`${body} to ${to} is ${anew ? 'sent anew' : 'dropped'}`);
        this.disposed.push(letter);
        if (anew) this.redelivered.set(name, (this.redelivered.get(name) ?? 0) + 1);
      },
    };
  }

  /** Somebody has asked for it. */
  mayBeDisposed(id: string): boolean {
    return this.#disposals.has(id);
  }

  /** Nothing is under way any more; `epoch` leads. */
  rested(leader: number): void {
    for (const { agent, epoch, owed } of this.#replays) {
      if (epoch === leader && owed.size > 0)
        this.violated(`${owed.size} were not replayed to ${agent} after its RESUME`);
    }
  }

  /**
   * A poll was answered, which began and ended at these times of the wall clock. P27: what another answer
   * holds comes again to the same `since` only, until a minute has passed; what was confirmed, never.
   */
  polled(
    since: string | undefined,
    { messages }: Page,
    { began, now }: { began: number; now: number },
  ): void {
    const lives = (answer: Answer | undefined) => !this.clockJumped && now - (answer?.began ?? 0) < CLAIM_MS;
    const before = since === undefined ? undefined : this.#claims.get(since);
    if (since !== undefined) this.#confirmed.add(since);
    if (lives(before)) for (const id of before?.ids ?? []) this.#confirmed.add(id);
    const answer: Answer = { since, began, ids: new Set(messages.map(({ id }) => id)) };
    for (const { id, to, body } of messages) {
      this.#trace?.(`${to} polls ${body} since ${since}`);
      const holder = this.#claims.get(id);
      if (this.#confirmed.has(id)) this.violated(`${body} polled by ${to} after it was confirmed`);
      if (holder !== undefined && holder.since !== since && lives(holder)) {
        this.violated(`${body} polled by ${to} while another answer holds it`);
      }
      this.#claims.set(id, answer);
      const message = this.messages.get(body ?? '');
      if (message === undefined) continue;
      message.promised ??= new Set();
      message.promised.add(to);
    }
  }

  /** A client handed a message to its agent. */
  handed(agent: string, life: number, envelope: DeliverEnvelope): void {
    const { delivery, payload, from, topic } = envelope;
    const message = this.messages.get(payload.body as string);
    if (message === undefined) return; // a notice of the relay's own
    this.#trace?.(`${agent}.${life} is handed ${message.body}`);
    message.handed.add(agent);
    this.#expectNotExpired(message, agent);
    const session = `${agent}.${life} ${delivery.session_id}`;
    const once = `${session} ${message.body}`;
    const anew = this.#asked.get(`${message.body} ${agent}`) ?? 0;
    const times = (this.#handed.get(once) ?? 0) + 1;
    this.#handed.set(once, times);
    if (times > 1 + anew) this.violated(`${message.body} handed twice to ${session}`);
    const stream = `${session} ${from} ${message.to} ${topic ?? 'default'}`;
    const last = this.#streams.get(stream);
    const number = Number(message.body.slice(1));
    if (last !== undefined && delivery.seq <= last.seq) {
      this.violated(`seq ${delivery.seq} of ${message.body} after ${last.seq} of ${last.body} in ${stream}`);
    }
    // What was sent anew has left its place.
    if (anew > 0) return;
    if (last !== undefined && number < last.number) {
      this.violated(`${message.body} overtaken by ${last.body} in ${stream}`);
    }
    this.#streams.set(stream, { seq: delivery.seq, number, body: message.body });
  }

  /** The agent has it: from here on a sender may be told so. */
  taken(agent: string, life: number, body: string): void {
    this.#trace?.(`${agent}.${life} takes ${body}`);
    this.messages.get(body)?.taken.add(agent);
  }

  /** A sender was told. */
  told(agent: string, life: number, fate: Fate): void {
    const message = this.#byId.get(fate.id);
    const body = message?.body ?? '?';
    const how = fate.outcome === 'failed' ? fate.code : fate.outcome;
    this.#trace?.(`${agent}.${life} is told ${body} to ${fate.to}: ${how}`);
    if (message === undefined) return;
    if (fate.outcome === 'delivered' && !message.taken.has(fate.to)) {
      this.violated(`${body} is told to be delivered to ${fate.to}, who never took it`);
    }
    if (fate.outcome !== 'failed') return;
    message.refused = true;
    message.failed.set(fate.to, fate.code);
    this.#expectNotExpired(message, fate.to);
  }

  /** Bytes in one connection's memory. */
  buffered(bytes: number): void {
    if (bytes > MAX_OUTBOUND_BYTES + 2 ** 20) this.violated(`${bytes} bytes wait for one connection`);
  }

  /** P16: what may have been typed never ends as EXPIRED. */
  #expectNotExpired(message: Sent, agent: string): void {
    const anew = this.#asked.has(`${message.body} ${agent}`);
    if (!anew && message.failed.get(agent) === 'EXPIRED' && message.handed.has(agent)) {
      this.violated(`${message.body} is told to be EXPIRED, and was handed to ${agent}`);
    }
  }

  #acknowledged(payload: Frame): void {
    const message = this.#byId.get(payload.ack_id);
    if (message === undefined || payload.stage === undefined) return;
    message.promised ??= new Set();
    const to = payload.to ?? message.to;
    for (const name of payload.recipients ?? (to === undefined || to === '*' ? [] : [to])) {
      message.promised.add(name);
    }
  }

  #delivered(frame: Frame, agent: string): void {
    const message = this.messages.get(frame.payload.body);
    if (message === undefined) return;
    // Nobody could have it if it was not promised: its sender may not know yet, but it is stored.
    message.promised ??= new Set();
    message.promised.add(agent);
    const owner = `${message.body} → ${agent}`;
    const before = this.#seqs.get(frame.delivery.seq);
    if (before !== undefined && before !== owner) {
      this.violated(`seq ${frame.delivery.seq} of ${owner} was given to ${before}`);
    }
    this.#seqs.set(frame.delivery.seq, owner);
  }
}
