/**
 * The outbox's way to the disk: what no relay has answered for is copied there, what is too much for
 * memory lies only there and comes back in its turn, and what earlier sessions of the name left comes
 * before it (P21). Where there is no spill, nothing is done and nothing waits.
 */
import type { OutboxEntry } from './outbox-entry.ts';
import type { Spill, SpilledSend, SpillPlace } from './spill.ts';

export interface OutboxDiskOptions {
  spill: Spill | undefined;
  /** The wall clock, ms. */
  now: () => number;
  /** A relay answers. */
  connected: () => boolean;
  /** Something was left: all that memory has comes back from the disk, behind it. */
  found: () => void;
  /** It is for memory again. */
  taken: (send: SpilledSend) => void;
  /** All is found, or taken, that was asked for. */
  wake: () => void;
}

export class OutboxDisk {
  readonly #options: OutboxDiskOptions;
  readonly #spill: Spill | undefined;
  /** The next of what waits on disk is being read. */
  #reading = false;
  /** What earlier sessions left goes first: until it is found, nothing is sent. */
  #adoption: 'due' | 'running' | 'done';

  constructor(options: OutboxDiskOptions) {
    this.#options = options;
    this.#spill = options.spill;
    this.#adoption = options.spill === undefined ? 'done' : 'due';
  }

  get present(): boolean {
    return this.#spill !== undefined;
  }

  /** SENDs that lie here only, and the bytes of their frames. */
  get waiting(): number {
    return this.#spill?.waiting ?? 0;
  }

  get waitingBytes(): number {
    return this.#spill?.waitingBytes ?? 0;
  }

  /** It is there, and takes what it is given. */
  get sound(): boolean {
    return this.#spill?.sound === true;
  }

  /** What earlier sessions left is being looked for. */
  get adopting(): boolean {
    return this.#adoption === 'running';
  }

  /** Copies a SEND that was never tried, and stays in memory. */
  copy(frame: Buffer): SpillPlace | undefined {
    return this.#spill?.copy(frame, 0);
  }

  /** Takes a SEND over: it comes back by `taken`, in its turn. */
  push(frame: Buffer): void {
    this.#spill?.push(frame, this.#triable);
  }

  /** What none has answered for is on disk as well from now on. */
  keep(entries: Iterable<OutboxEntry>): void {
    // Those behind it on disk were put there after it was.
    if (this.#spill === undefined || this.waiting > 0) return;
    for (const entry of entries) {
      if (entry.answered || entry.place !== undefined) continue;
      entry.place = this.#spill.copy(entry.frame, entry.triedAt || this.#triable);
    }
  }

  /** It need not be here any more. */
  release(entry: OutboxEntry): void {
    if (entry.place === undefined) return;
    this.#spill?.release(entry.place);
    entry.place = undefined;
  }

  /** A connection is there. Before anything of ours goes what an earlier session could not hand over. */
  restart(): void {
    const spill = this.#spill;
    if (spill === undefined) return;
    if (this.#adoption === 'due') {
      this.#adoption = 'running';
      void spill.adopt(this.#options.found).then(() => {
        this.#adoption = 'done';
        if (this.#options.connected()) spill.tried(this.#options.now());
        this.#options.wake();
      });
    }
    spill.tried(this.#options.now());
  }

  /** Reads on what waits here. */
  read(): void {
    const spill = this.#spill;
    if (spill === undefined || this.#reading || this.#adoption !== 'done') return;
    this.#reading = true;
    const taken = (sends: readonly SpilledSend[]) => sends.forEach(this.#options.taken);
    spill.take(taken).then(
      () => {
        this.#reading = false;
        this.#options.wake();
      },
      () => {
        this.#reading = false; // The next look tries again.
      },
    );
  }

  /** Resolves when the disk has all, or has refused it. */
  flush(): Promise<void> | undefined {
    return this.#spill?.flush();
  }

  /** When a store may have what is put on disk now, though it was not sent yet. */
  get #triable(): number {
    return this.#options.connected() ? this.#options.now() : 0;
  }
}
