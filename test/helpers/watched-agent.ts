/**
 * An agent of a TestRelay with its connections one after the other, that keeps what it saw and judges it as it
 * comes: order, repeats, what may be inflight, its own broadcasts (P11, P13, P15–P17).
 */
import type { EnvelopeOf } from '../../src/protocol/envelope.ts';
import type { TestClient } from './relay.ts';

export interface Sent {
  to: string;
  topic: string | null;
  body: string;
  ttl: number | null;
  /** The session in which it was sent first. */
  session: string;
}

export class WatchedAgent {
  readonly name: string;
  readonly maxInflight: number;
  client: TestClient | undefined;
  token: string | undefined;
  session = '';
  /** DELIVERs of this connection, oldest first. */
  unanswered: { id: string; body: string }[] = [];
  readonly sent = new Map<string, Sent>();
  /** What it was told of its SENDs, by id: `<recipient>:<stage or code>`. */
  readonly fates = new Map<string, string[]>();
  /** The recipients of its broadcasts, by id. */
  readonly named = new Map<string, readonly string[]>();
  /** Bodies that it acknowledged. */
  readonly taken = new Set<string>();
  /** Everything that may not be, a line each. */
  readonly wrong: string[] = [];
  /** By session and id, and by session and stream. */
  readonly #seen = new Set<string>();
  readonly #lastSeq = new Map<string, number>();
  #read = 0;

  constructor(name: string, maxInflight: number) {
    this.name = name;
    this.maxInflight = maxInflight;
  }

  get connected(): boolean {
    return this.client?.closed === false;
  }

  /** It goes on by another connection. */
  fresher(client: TestClient): void {
    this.client = client;
    this.#read = 0;
    this.unanswered = [];
  }

  /** Takes in what came since the last look. */
  look(): void {
    const fresh = this.client?.received.slice(this.#read) ?? [];
    this.#read += fresh.length;
    for (const envelope of fresh) {
      if (envelope.type === 'WELCOME') {
        this.token = envelope.payload.resume_token;
        this.session = envelope.payload.session_id;
      } else if (envelope.type === 'DELIVER') {
        this.#delivered(envelope);
      } else if (envelope.type === 'ACK' || envelope.type === 'NACK') {
        const { ack_id: id = '', to = '' } = envelope.payload;
        const fate = envelope.type === 'NACK' ? envelope.payload.code : envelope.payload.stage;
        if (envelope.type === 'ACK' && envelope.payload.recipients)
          this.named.set(id, envelope.payload.recipients);
        if (fate) this.fates.set(id, [...(this.fates.get(id) ?? []), `${to}:${fate}`]);
      }
    }
  }

  /** Answers the oldest DELIVER. */
  answer(code?: string): void {
    const next = this.unanswered.shift();
    if (next === undefined) return;
    if (code === undefined) {
      this.taken.add(next.body);
      this.client?.say('ACK', { ack_id: next.id });
    } else {
      this.client?.say('NACK', { ack_id: next.id, code, message: '' });
    }
  }

  /** Whether it was told the end of a SEND: of each recipient, or of all at once. */
  knowsEnd(id: string): boolean {
    const told = (this.fates.get(id) ?? []).filter((fate) => !fate.endsWith(':held'));
    const { to } = this.sent.get(id) as Sent;
    if (to !== '*') return told.length > 0;
    const names = this.named.get(id);
    if (names === undefined) return told.some((fate) => fate.startsWith(':'));
    return names.every((name) => told.some((fate) => fate.startsWith(`${name}:`)));
  }

  #delivered({ id, from, topic, delivery, payload }: EnvelopeOf<'DELIVER'>): void {
    const { seq, originalTo, redelivered } = delivery;
    this.unanswered.push({ id, body: String(payload.body) });
    if (this.unanswered.length > this.maxInflight) this.wrong.push(`${this.unanswered.length} are inflight`);
    if (from === this.name && originalTo === '*') this.wrong.push(`${this.name} hears its own broadcast`);
    const repeat = this.#seen.has(`${this.session} ${id}`);
    if (repeat && !redelivered) this.wrong.push(`${id} twice in ${this.session}, not marked`);
    if (repeat) return;
    this.#seen.add(`${this.session} ${id}`);
    const stream = `${this.session} ${from} ${topic ?? 'default'}`;
    if (seq <= (this.#lastSeq.get(stream) ?? 0)) this.wrong.push(`seq ${seq} late in ${stream}`);
    this.#lastSeq.set(stream, seq);
  }
}
