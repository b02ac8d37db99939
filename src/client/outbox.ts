/**
 * The SENDs whose end is not known yet, oldest first. Each is kept, and sent again to every new
 * connection, until all its recipients have it or it was refused for good (P12, P15). What no relay has
 * taken over is on disk too while none answers, and only there when it is much (P21).
 */
import { isErrorCode, RelayError } from '../base/errors.ts';
import type { EnvelopeOf } from '../protocol/envelope.ts';
import {
  OUTBOX_AWAY_MESSAGES,
  OUTBOX_MAX_BYTES,
  OUTBOX_MAX_MESSAGES,
  OUTBOX_MEMORY_BYTES,
  OUTBOX_MEMORY_MESSAGES,
  OUTBOX_UNANSWERED_BYTES,
  OUTBOX_UNANSWERED_MESSAGES,
} from '../protocol/limits.ts';
import type { Spill, SpilledSend, SpillPlace } from './spill.ts';

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

export interface OutboxOptions {
  /** The wall clock, ms. */
  now: () => number;
  /** Without one, memory is all there is. */
  spill?: Spill | undefined;
  /** What memory holds at most. */
  memory?: { messages: number; bytes: number };
  /** What it holds at all, with a spill. */
  limits?: { messages: number; bytes: number };
  /** There is something to send again: call `next`. */
  wake?: () => void;
  /** What became of a SEND that this session has not sent. */
  fate?: (fate: Fate) => void;
}

interface Entry {
  id: string;
  to: string;
  frame: Buffer;
  /** Wall clock, ms, of its first try: from then on a store may have it. 0: it was never tried. */
  triedAt: number;
  /** A relay has answered for it. */
  answered: boolean;
  /** On disk, until it is answered. */
  place: SpillPlace | undefined;
  /** Recipients whose end is awaited; unknown until the daemon has named them. */
  waiting: Set<string> | undefined;
  /** Those of several whose end was told. */
  ended: Set<string> | undefined;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #now: () => number;
  readonly #spill: Spill | undefined;
  readonly #memory: { messages: number; bytes: number };
  readonly #limits: { messages: number; bytes: number };
  readonly #entries = new Map<string, Entry>();
  /** What this connection has not been sent yet, oldest first; what lies before #head was. */
  #unsent: Entry[] = [];
  #head = 0;
  /** Refused for now. */
  #refused = new Set<Entry>();
  #bytes = 0;
  #unanswered = 0;
  #unansweredBytes = 0;
  #connected = false;
  #dedupSince = 0;
  /** The next of what waits on disk is being read. */
  #reading = false;
  /** What earlier sessions left goes first: until it is found, nothing is sent. */
  #adoption: 'due' | 'running' | 'done';
  /** The youngest at the last look for late answers. */
  #watched: Entry | undefined;
  #youngest: Entry | undefined;

  constructor(options: OutboxOptions) {
    const memory = options.memory ?? { messages: OUTBOX_MEMORY_MESSAGES, bytes: OUTBOX_MEMORY_BYTES };
    this.#options = options;
    this.#now = options.now;
    this.#adoption = options.spill === undefined ? 'done' : 'due';
    this.#spill = options.spill;
    this.#memory = memory;
    this.#limits =
      options.spill === undefined
        ? memory
        : (options.limits ?? { messages: OUTBOX_MAX_MESSAGES, bytes: OUTBOX_MAX_BYTES });
  }

  get size(): number {
    return this.#entries.size + this.#onDisk;
  }

  /** SENDs that no relay has answered for. */
  get unanswered(): number {
    return this.#unanswered + this.#onDisk;
  }

  /** Keeps a SEND, once. Throws QUEUE_FULL when the outbox is full: its sender must hear of it. */
  add(id: string, to: string, frame: Buffer): void {
    if (this.#entries.has(id)) return;
    const spill = this.#spill;
    const bytes = this.#bytes + (spill?.waitingBytes ?? 0) + frame.length;
    const full = this.size >= this.#limits.messages || bytes > this.#limits.bytes;
    const overflows = spill !== undefined && (spill.waiting > 0 || this.#long);
    if (full || (overflows && !spill.sound)) {
      throw new RelayError('QUEUE_FULL', `the outbox is full: ${this.size} messages wait for the relay`);
    }
    if (overflows) {
      this.#keep();
      spill.push(frame, this.#triable);
      return this.#read();
    }
    const place = this.#connected ? undefined : spill?.copy(frame, 0);
    this.#enter({ id, to, frame, triedAt: 0, place });
  }

  /**
   * A new connection knows nothing: everything is to be sent again, oldest first. But the relay may have
   * forgotten what it stored before `dedupSince` (wall clock, ms): what was tried before then could arrive
   * twice, stays unsent, and its end is not known (P15).
   */
  restart(dedupSince = 0): Fate[] {
    this.#connected = true;
    this.#dedupSince = dedupSince;
    this.#refused.clear();
    const fates = [...this.#entries.values()]
      .filter((entry) => this.#isForgotten(entry))
      .flatMap((entry) => this.#unconfirmed(entry));
    this.#unsent = [...this.#entries.values()];
    this.#head = 0;
    this.#adopt();
    this.#spill?.tried(this.#now());
    return fates;
  }

  /** No relay answers: what none has taken over goes to the disk, and what is said from now on. */
  away(): void {
    this.#connected = false;
    this.#keep();
  }

  /** The next frame to send on this connection. */
  next(): Buffer | undefined {
    if (this.#adoption === 'running') return undefined;
    for (;;) {
      const entry = this.#unsent[this.#head];
      if (entry === undefined) break;
      this.#head++;
      if (this.#entries.get(entry.id) !== entry) continue;
      if (entry.triedAt === 0) entry.triedAt = this.#now();
      return entry.frame;
    }
    if (this.#head > 0) this.#unsent = [];
    this.#head = 0;
    this.#read();
    return undefined;
  }

  /** What was refused for now is next again, oldest first, so that nothing overtakes it (P15). */
  retry(): void {
    this.#keep();
    const refused = this.#refused;
    this.#refused = new Set();
    const again = [...this.#entries.values()].filter((entry) => refused.has(entry));
    const others = this.#unsent.slice(this.#head).filter((entry) => !refused.has(entry));
    this.#unsent = [...again, ...others];
    this.#head = 0;
  }

  /** To be called now and then while something is unanswered: what is late goes to the disk. */
  look(): void {
    this.#read();
    if (this.#watched?.answered === false) this.#keep();
    this.#watched = this.#youngest;
  }

  /** The daemon's ACK of a SEND: what it says of its recipients. */
  acknowledged(payload: EnvelopeOf<'ACK'>['payload']): Fate | undefined {
    const entry = payload.ack_id === undefined ? undefined : this.#entries.get(payload.ack_id);
    if (entry === undefined) return undefined;
    if (payload.recipients !== undefined) entry.waiting = new Set(payload.recipients);
    const to = payload.to ?? entry.to;
    const { stage } = payload;
    const reached = (stage === 'delivered' || stage === 'written') && entry.ended?.has(to) !== true;
    this.#answered(entry);
    if (reached) this.#end(entry, to);
    else this.#settle(entry);
    if (this.#onDisk > 0) this.#read();
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
      this.#refused.add(entry);
      return 'retry';
    }
    const to = payload.to ?? entry.to;
    const code = isErrorCode(payload.code) ? payload.code : 'REJECTED';
    if (payload.to === undefined) this.#forget(entry);
    else this.#end(entry, to);
    return { id: entry.id, to, outcome: 'failed', code, message: payload.message };
  }

  /**
   * Puts on disk what no relay has taken over; resolves with how many that are, and how many of them no
   * disk has.
   */
  async flush(): Promise<{ unanswered: number; lost: number }> {
    this.#keep();
    await this.#spill?.flush();
    const { unanswered } = this;
    return { unanswered, lost: this.#spill?.sound ? 0 : unanswered };
  }

  get #onDisk(): number {
    return this.#spill?.waiting ?? 0;
  }

  /** More in memory than memory is for. */
  get #long(): boolean {
    const messages = this.#connected ? OUTBOX_UNANSWERED_MESSAGES : OUTBOX_AWAY_MESSAGES;
    const many = this.#unanswered >= messages || this.#unansweredBytes >= OUTBOX_UNANSWERED_BYTES;
    return many || this.#entries.size >= this.#memory.messages || this.#bytes >= this.#memory.bytes;
  }

  /** What none has answered for is on disk as well from now on. */
  #keep(): void {
    // Those behind it on disk were put there after it was.
    if (this.#spill === undefined || this.#onDisk > 0) return;
    for (const entry of this.#entries.values()) {
      if (entry.answered || entry.place !== undefined) continue;
      entry.place = this.#spill.copy(entry.frame, entry.triedAt || this.#triable);
    }
  }

  #enter(send: Pick<Entry, 'id' | 'to' | 'frame' | 'triedAt' | 'place'>): Entry {
    const { id, to, frame, triedAt, place } = send;
    const entry = { id, to, frame, triedAt, place, answered: false, waiting: undefined, ended: undefined };
    this.#entries.set(entry.id, entry);
    this.#bytes += entry.frame.length;
    this.#unanswered++;
    this.#unansweredBytes += entry.frame.length;
    this.#unsent.push(entry);
    this.#youngest = entry;
    return entry;
  }

  /** When a store may have what is put on disk now, though it was not sent yet. */
  get #triable(): number {
    return this.#connected ? this.#now() : 0;
  }

  /** Before anything of ours: what an earlier session of the name could not hand over. */
  #adopt(): void {
    const spill = this.#spill;
    if (spill === undefined || this.#adoption !== 'due') return;
    this.#adoption = 'running';
    const found = () => {
      // All of it comes back from the disk, behind what was left.
      this.#keep();
      for (const entry of this.#entries.values()) this.#drop(entry);
      this.#unsent = [];
      this.#head = 0;
    };
    void spill.adopt(found).then(() => {
      this.#adoption = 'done';
      if (this.#connected) spill.tried(this.#now());
      this.#options.wake?.();
    });
  }

  /** Reads on what waits on disk, as soon as what was read before is on its way. */
  #read(): void {
    const spill = this.#spill;
    if (spill === undefined || spill.waiting === 0 || this.#reading) return;
    if (!this.#connected || this.#adoption !== 'done') return;
    const busy = this.#head < this.#unsent.length || this.#unanswered >= OUTBOX_UNANSWERED_MESSAGES / 4;
    const full = this.#entries.size >= this.#memory.messages || this.#bytes >= this.#memory.bytes;
    if (busy || full) return;
    this.#reading = true;
    spill.take().then(
      (sends) => {
        this.#reading = false;
        for (const send of sends) this.#taken(spill, send);
        this.#options.wake?.();
      },
      () => {
        this.#reading = false; // The next look tries again.
      },
    );
  }

  #taken(spill: Spill, send: SpilledSend): void {
    // Heard again after a crash, from another source of the same words: it is on its way.
    if (this.#entries.has(send.id)) return spill.release(send.place);
    const entry = this.#enter(send);
    if (!this.#isForgotten(entry)) return;
    for (const fate of this.#unconfirmed(entry)) this.#options.fate?.(fate);
  }

  #isForgotten({ triedAt }: Entry): boolean {
    return triedAt > 0 && triedAt < this.#dedupSince;
  }

  /** What became of it is not known for each recipient whose end was not told. */
  #unconfirmed(entry: Entry): Fate[] {
    this.#forget(entry);
    const message = 'the relay no longer knows what it was sent so long ago';
    return [...(entry.waiting ?? [entry.to])]
      .filter((to) => entry.ended?.has(to) !== true)
      .map((to) => ({ id: entry.id, to, outcome: 'failed', code: 'NOT_CONFIRMED', message }));
  }

  /** Towards one recipient; most SENDs have no other. */
  #end(entry: Entry, to: string): void {
    if (entry.waiting === undefined && to === entry.to) return this.#forget(entry);
    entry.ended ??= new Set();
    entry.ended.add(to);
    this.#settle(entry);
  }

  #settle(entry: Entry): void {
    const { to, waiting, ended } = entry;
    if (waiting === undefined && ended?.has(to) !== true) return;
    for (const name of waiting ?? []) if (ended?.has(name) !== true) return;
    this.#forget(entry);
  }

  #forget(entry: Entry): void {
    this.#answered(entry);
    this.#drop(entry);
  }

  #drop(entry: Entry): void {
    if (!this.#entries.delete(entry.id)) return;
    this.#bytes -= entry.frame.length;
    if (entry.answered) return;
    this.#unanswered--;
    this.#unansweredBytes -= entry.frame.length;
  }

  #answered(entry: Entry): void {
    if (entry.answered) return;
    entry.answered = true;
    this.#unanswered--;
    this.#unansweredBytes -= entry.frame.length;
    if (entry.place === undefined) return;
    this.#spill?.release(entry.place);
    entry.place = undefined;
  }
}
