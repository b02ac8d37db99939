/**
 * The SENDs whose end is not known yet, oldest first. Each is kept, and sent again to every new
 * connection, until all its recipients have it or it was refused for good (P12, P15). What no relay has
 * taken over is on disk too while none answers, and only there when it is much (P21).
 */
import { isErrorCode, RelayError } from '../base/errors.ts';
import type { EnvelopeOf } from '../protocol/envelope.ts';
import {
  OUTBOX_MAX_BYTES,
  OUTBOX_MAX_MESSAGES,
  OUTBOX_MEMORY_BYTES,
  OUTBOX_MEMORY_MESSAGES,
  OUTBOX_UNANSWERED_MESSAGES,
} from '../protocol/limits.ts';
import type { Fate } from './fate.ts';
import { OutboxDisk } from './outbox-disk.ts';
import { OutboxEntry } from './outbox-entry.ts';
import { OutboxMemory } from './outbox-memory.ts';
import type { Spill, SpilledSend } from './spill.ts';
import { Unsent } from './unsent.ts';

/** A refusal that may pass: the SEND stays, and is sent again later (P15). */
const PASSING: ReadonlySet<string> = new Set([
  'QUEUE_FULL',
  'RATE_LIMITED',
  'STORE_FULL',
  'STORE_FAILED',
  'DEPOSED',
  'SHUTTING_DOWN',
]);

export interface OutboxLimits {
  /** What memory holds at most. */
  memory?: { messages: number; bytes: number };
  /** What it holds at all, with a spill. */
  limits?: { messages: number; bytes: number };
}

export interface OutboxOptions extends OutboxLimits {
  /** The wall clock, ms. */
  now: () => number;
  /** Without one, memory is all there is. */
  spill?: Spill | undefined;
  /** There is something to send again: call `next`. */
  wake?: () => void;
  /** The same, because there is room for what was refused. */
  room?: () => void;
  /** What became of a SEND that this session has not sent. */
  fate?: (fate: Fate) => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #now: () => number;
  readonly #disk: OutboxDisk;
  readonly #memory: OutboxMemory;
  readonly #limits: { messages: number; bytes: number };
  readonly #unsent: Unsent;
  #connected = false;
  #dedupSince = 0;
  /** The youngest at the last look for late answers. */
  #watched: OutboxEntry | undefined;
  #youngest: OutboxEntry | undefined;

  constructor(options: OutboxOptions) {
    const memory = options.memory ?? { messages: OUTBOX_MEMORY_MESSAGES, bytes: OUTBOX_MEMORY_BYTES };
    this.#options = options;
    this.#now = options.now;
    this.#disk = new OutboxDisk({
      spill: options.spill,
      now: options.now,
      connected: () => this.#connected,
      found: () => this.#found(),
      taken: (send) => this.#taken(send),
      wake: () => options.wake?.(),
    });
    this.#memory = new OutboxMemory(memory);
    this.#unsent = new Unsent(() => this.#memory.entries());
    this.#limits =
      options.spill === undefined
        ? memory
        : (options.limits ?? { messages: OUTBOX_MAX_MESSAGES, bytes: OUTBOX_MAX_BYTES });
  }

  get size(): number {
    return this.#memory.size + this.#disk.waiting;
  }

  /** SENDs that no relay has answered for. */
  get unanswered(): number {
    return this.#memory.unanswered + this.#disk.waiting;
  }

  /** Keeps a SEND, once. Throws QUEUE_FULL when the outbox is full: its sender must hear of it. */
  add(id: string, to: string, frame: Buffer): void {
    if (this.#memory.get(id) !== undefined) return;
    const disk = this.#disk;
    const bytes = this.#memory.bytes + disk.waitingBytes + frame.length;
    const full = this.size >= this.#limits.messages || bytes > this.#limits.bytes;
    const overflows = disk.present && (disk.waiting > 0 || this.#memory.isLong(this.#connected));
    if (full || (overflows && !disk.sound)) {
      throw new RelayError('QUEUE_FULL', `the outbox is full: ${this.size} messages wait for the relay`);
    }
    if (overflows) {
      this.#keep();
      disk.push(frame);
      return this.#read();
    }
    const place = this.#connected ? undefined : disk.copy(frame);
    this.#enter(new OutboxEntry({ id, to, frame, triedAt: 0, place }));
  }

  /**
   * A new connection knows nothing: everything is to be sent again, oldest first. But the relay may have
   * forgotten what it stored before `dedupSince` (wall clock, ms): what was tried before then could arrive
   * twice, stays unsent, and its end is not known (P15).
   */
  restart(dedupSince = 0): Fate[] {
    this.#connected = true;
    this.#dedupSince = dedupSince;
    this.#unsent.restart();
    const fates = [...this.#memory.entries()]
      .filter((entry) => entry.isForgotten(dedupSince))
      .flatMap((entry) => this.#unconfirmed(entry));
    this.#disk.restart();
    return fates;
  }

  /** No relay answers: what none has taken over goes to the disk, and what is said from now on. */
  away(): void {
    this.#connected = false;
    this.#keep();
  }

  /** The next frame to send on this connection. */
  next(): Buffer | undefined {
    if (this.#disk.adopting) return undefined;
    for (let entry = this.#unsent.next(); entry !== undefined; entry = this.#unsent.next()) {
      if (this.#memory.get(entry.id) !== entry) continue;
      if (entry.triedAt === 0) entry.triedAt = this.#now();
      return entry.frame;
    }
    this.#read();
    return undefined;
  }

  /** What was refused for now asks again, oldest first, so that nothing overtakes it (P15). */
  retry(): void {
    this.#keep();
    this.#unsent.retry();
  }

  /** The relay asks for some patience with what is for `to`: it waits until `goOn` (P14). */
  advised(to: string): void {
    this.#unsent.advised(to);
  }

  /** What waited because of an advice is next. */
  goOn(): void {
    this.#unsent.goOn();
  }

  /** To be called now and then while something is unanswered: what is late goes to the disk. */
  look(): void {
    this.#read();
    if (this.#watched?.answered === false) this.#keep();
    this.#watched = this.#youngest;
  }

  /** The daemon's ACK of a SEND: what it says of its recipients. */
  acknowledged(payload: EnvelopeOf<'ACK'>['payload']): Fate | undefined {
    const entry = payload.ack_id === undefined ? undefined : this.#memory.get(payload.ack_id);
    if (entry === undefined) return undefined;
    if (payload.recipients !== undefined) entry.named(payload.recipients);
    const to = payload.to ?? entry.to;
    const { stage } = payload;
    const reached = (stage === 'delivered' || stage === 'written') && !entry.hasEnded(to);
    this.#answered(entry);
    if (reached ? entry.end(to) : entry.over) this.#memory.drop(entry);
    this.#read();
    if (payload.stage === 'held' || payload.stage === 'stored') {
      return { id: entry.id, to, outcome: payload.stage };
    }
    return reached ? { id: entry.id, to, outcome: 'delivered' } : undefined;
  }

  /** A NACK of a SEND: its fate, or `retry` if it was refused only for now and stays here. */
  refused(payload: EnvelopeOf<'NACK'>['payload']): Fate | 'retry' | undefined {
    const entry = this.#memory.get(payload.ack_id);
    if (entry === undefined) return undefined;
    if (PASSING.has(payload.code) && payload.to === undefined) {
      this.#unsent.refused(entry);
      return 'retry';
    }
    const to = payload.to ?? entry.to;
    const code = isErrorCode(payload.code) ? payload.code : 'REJECTED';
    if (payload.to === undefined || entry.end(to)) this.#forget(entry);
    return { id: entry.id, to, outcome: 'failed', code, message: payload.message };
  }

  /**
   * Puts on disk what no relay has taken over; resolves with how many that are, and how many of them no
   * disk has.
   */
  async flush(): Promise<{ unanswered: number; lost: number }> {
    this.#keep();
    await this.#disk.flush();
    const { unanswered } = this;
    return { unanswered, lost: this.#disk.sound ? 0 : unanswered };
  }

  /** What none has answered for is on disk as well from now on. */
  #keep(): void {
    this.#disk.keep(this.#memory.entries());
  }

  #enter(entry: OutboxEntry): void {
    this.#memory.add(entry);
    this.#unsent.push(entry);
    this.#youngest = entry;
  }

  /** All of it comes back from the disk, behind what was left. */
  #found(): void {
    this.#keep();
    for (const entry of this.#memory.entries()) this.#memory.drop(entry);
    this.#unsent.restart();
  }

  /** Reads on what waits on disk, as soon as what was read before is on its way. */
  #read(): void {
    if (this.#disk.waiting === 0 || !this.#connected) return;
    const busy = !this.#unsent.none || this.#memory.unanswered >= OUTBOX_UNANSWERED_MESSAGES / 4;
    if (!busy && !this.#memory.full) this.#disk.read();
  }

  #taken(send: SpilledSend): void {
    const entry = new OutboxEntry(send);
    // Heard again after a crash, from another source of the same words: it is on its way.
    if (this.#memory.get(send.id) !== undefined) return this.#disk.release(entry);
    this.#enter(entry);
    if (!entry.isForgotten(this.#dedupSince)) return;
    for (const fate of this.#unconfirmed(entry)) this.#options.fate?.(fate);
  }

  #unconfirmed(entry: OutboxEntry): Fate[] {
    this.#forget(entry);
    return entry.unconfirmed();
  }

  #forget(entry: OutboxEntry): void {
    this.#answered(entry);
    this.#memory.drop(entry);
  }

  #answered(entry: OutboxEntry): void {
    if (this.#memory.answered(entry)) this.#disk.release(entry);
    if (this.#unsent.answered(entry)) this.#options.room?.();
  }
}
