/**
 * The SENDs whose end is not known yet, oldest first. Each is kept, and sent again to every new
 * connection, until all its recipients have it or it was refused for good (P12, P15).
 */
import { isErrorCode, RelayError } from '../base/errors.ts';
import type { EnvelopeOf } from '../protocol/envelope.ts';

/** Bytes and messages the outbox may hold: what an agent says while the relay is away for an hour. */
export const OUTBOX_LIMITS = { messages: 10_000, bytes: 64 * 1024 * 1024 };

/** A refusal that may pass: the SEND stays, and is sent again later (P15). */
const PASSING: ReadonlySet<string> = new Set([
  'QUEUE_FULL',
  'RATE_LIMITED',
  'STORE_FULL',
  'STORE_FAILED',
  'DEPOSED',
  'SHUTTING_DOWN',
]);

/** What became of a SEND towards one recipient. */
export type Fate =
  /** A store that survives the daemon has it. */
  | { id: string; to: string; outcome: 'stored' }
  | { id: string; to: string; outcome: 'delivered' }
  | { id: string; to: string; outcome: 'held' }
  | { id: string; to: string; outcome: 'failed'; code: string; message: string };

interface Entry {
  id: string;
  to: string;
  frame: Buffer;
  /** Wall clock, ms, of its first try: from then on a store may have it. 0: it was never tried. */
  triedAt: number;
  /** Recipients whose end is awaited; unknown until the daemon has named them. */
  waiting: Set<string> | undefined;
  ended: Set<string>;
}

export class Outbox {
  readonly #entries = new Map<string, Entry>();
  /** Ids that this connection has not been sent yet, oldest first. */
  #unsent: string[] = [];
  /** Ids that were refused for now. */
  #refused = new Set<string>();
  readonly #limits: { messages: number; bytes: number };
  #bytes = 0;

  constructor(limits: { messages: number; bytes: number } = OUTBOX_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Keeps a SEND. Throws QUEUE_FULL when the outbox is full: its sender must hear of it. */
  add(id: string, to: string, frame: Buffer): void {
    if (this.#entries.size >= this.#limits.messages || this.#bytes + frame.length > this.#limits.bytes) {
      throw new RelayError(
        'QUEUE_FULL',
        `the outbox is full: ${this.#entries.size} messages wait for the relay`,
      );
    }
    this.#entries.set(id, { id, to, frame, triedAt: 0, waiting: undefined, ended: new Set() });
    this.#bytes += frame.length;
    this.#unsent.push(id);
  }

  /**
   * A new connection knows nothing: everything is to be sent again, oldest first. But the relay may have
   * forgotten what it stored before `dedupSince` (wall clock, ms): what was tried before then could arrive
   * twice, stays unsent, and its end is not known (P15).
   */
  restart(dedupSince = 0): Fate[] {
    const fates = [...this.#entries.values()]
      .filter(({ triedAt }) => triedAt > 0 && triedAt < dedupSince)
      .flatMap((entry) => this.#unconfirmed(entry));
    this.#unsent = [...this.#entries.keys()];
    this.#refused.clear();
    return fates;
  }

  /** The next frame to send on this connection; `now` is the wall clock. */
  next(now: number): Buffer | undefined {
    for (;;) {
      const id = this.#unsent.shift();
      if (id === undefined) return undefined;
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      if (entry.triedAt === 0) entry.triedAt = now;
      return entry.frame;
    }
  }

  /** What was refused for now is next again, oldest first, so that nothing overtakes it (P15). */
  retry(): void {
    const refused = this.#refused;
    this.#refused = new Set();
    const again = [...this.#entries.keys()].filter((id) => refused.has(id));
    this.#unsent = [...again, ...this.#unsent.filter((id) => !refused.has(id))];
  }

  /** The daemon's ACK of a SEND: what it says of its recipients. */
  acknowledged(payload: EnvelopeOf<'ACK'>['payload']): Fate | undefined {
    const entry = payload.ack_id === undefined ? undefined : this.#entries.get(payload.ack_id);
    if (entry === undefined) return undefined;
    if (payload.recipients !== undefined) entry.waiting = new Set(payload.recipients);
    const to = payload.to ?? entry.to;
    const reached = (payload.stage === 'delivered' || payload.stage === 'written') && !entry.ended.has(to);
    if (reached) entry.ended.add(to);
    this.#settle(entry);
    if (payload.stage === 'held' || payload.stage === 'stored') {
      return { id: entry.id, to, outcome: payload.stage };
    }
    return reached ? { id: entry.id, to, outcome: 'delivered' } : undefined;
  }

  /** A NACK of a SEND: its fate, or `retry` if it was refused only for now and stays here. */
  refused(payload: EnvelopeOf<'NACK'>['payload']): Fate | 'retry' | undefined {
    const entry = this.#entries.get(payload.ack_id);
    if (entry === undefined) return undefined;
    if (PASSING.has(payload.code) && payload.to === undefined) {
      this.#refused.add(entry.id);
      return 'retry';
    }
    const to = payload.to ?? entry.to;
    const code = isErrorCode(payload.code) ? payload.code : 'REJECTED';
    entry.ended.add(to);
    if (payload.to === undefined) this.#forget(entry);
    else this.#settle(entry);
    return { id: entry.id, to, outcome: 'failed', code, message: payload.message };
  }

  /** What became of it is not known for each recipient whose end was not told. */
  #unconfirmed(entry: Entry): Fate[] {
    this.#forget(entry);
    const message = 'the relay no longer knows what it was sent so long ago';
    return [...(entry.waiting ?? [entry.to])]
      .filter((to) => !entry.ended.has(to))
      .map((to) => ({ id: entry.id, to, outcome: 'failed', code: 'NOT_CONFIRMED', message }));
  }

  #settle(entry: Entry): void {
    for (const name of entry.waiting ?? [entry.to]) if (!entry.ended.has(name)) return;
    this.#forget(entry);
  }

  #forget(entry: Entry): void {
    if (this.#entries.delete(entry.id)) this.#bytes -= entry.frame.length;
  }
}
