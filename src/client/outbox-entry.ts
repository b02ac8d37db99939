/** A SEND in the outbox, and towards whom its end is still awaited (P12, P15). */
import type { Fate } from './fate.ts';
import type { SpillPlace } from './spill.ts';

interface KeptSend {
  id: string;
  /** `*` for a broadcast, and for a topic. */
  to: string;
  frame: Buffer;
  triedAt: number;
  place: SpillPlace | undefined;
}

export class OutboxEntry {
  readonly id: string;
  readonly to: string;
  readonly frame: Buffer;
  /** Wall clock, ms, of its first try: from then on a store may have it. 0: it was never tried. */
  triedAt: number;
  /** On disk, until it is answered. */
  place: SpillPlace | undefined;
  /** A relay has answered for it. */
  answered = false;
  /** Recipients whose end is awaited; unknown until the daemon has named them. */
  #waiting: Set<string> | undefined;
  /** Those of several whose end was told. */
  #ended: Set<string> | undefined;

  constructor({ id, to, frame, triedAt, place }: KeptSend) {
    this.id = id;
    this.to = to;
    this.frame = frame;
    this.triedAt = triedAt;
    this.place = place;
  }

  /** Was tried before `dedupSince` (wall clock, ms), and so could arrive twice (P15). */
  isForgotten(dedupSince: number): boolean {
    return this.triedAt > 0 && this.triedAt < dedupSince;
  }

  /** The daemon has said who its recipients are. */
  named(recipients: readonly string[]): void {
    this.#waiting = new Set(recipients);
  }

  hasEnded(to: string): boolean {
    return this.#ended?.has(to) === true;
  }

  /** Its end towards one recipient is known: true if now it is for all; most SENDs have no other. */
  end(to: string): boolean {
    if (this.#waiting === undefined && to === this.to) return true;
    this.#ended ??= new Set();
    this.#ended.add(to);
    return this.over;
  }

  /** Its end is known for all its recipients. */
  get over(): boolean {
    if (this.#waiting === undefined) return this.hasEnded(this.to);
    for (const name of this.#waiting) if (!this.hasEnded(name)) return false;
    return true;
  }

  /** What became of it is not known for each recipient whose end was not told. */
  unconfirmed(): Fate[] {
    const message = 'the relay no longer knows what it was sent so long ago';
    return [...(this.#waiting ?? [this.to])]
      .filter((to) => !this.hasEnded(to))
      .map((to) => ({ id: this.id, to, outcome: 'failed', code: 'NOT_CONFIRMED', message }));
  }
}
