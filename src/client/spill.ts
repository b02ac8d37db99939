/** The part of the outbox that lies on disk: what no relay has taken over, oldest first (P12, P21). */

/** Where a SEND lies, for `release`. */
export type SpillPlace = object;

export interface SpilledSend {
  id: string;
  /** `*` for a broadcast, and for a topic. */
  to: string;
  frame: Buffer;
  /** Wall clock, ms, from when on a store may have it (P15). 0: it was never tried. */
  triedAt: number;
  place: SpillPlace;
}

/** Nothing here throws but as it says, and nothing waits for the disk but what returns a promise. */
export interface Spill {
  /** SENDs that lie here only, and the bytes of their frames. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** The disk takes what it is given; false: what is given waits in memory until it does. */
  readonly sound: boolean;
  /** Copies a SEND that stays in memory. Only while none waits here. */
  copy(frame: Buffer, triedAt: number): SpillPlace;
  /** Takes a SEND over: it comes back by `take`, in its turn. */
  push(frame: Buffer, triedAt: number): void;
  /**
   * Hands the oldest that wait here to `taken`, some of them, at the moment they wait here no more: what is
   * said next must not come before them. Rejects when it may be tried again.
   */
  take(taken: (sends: readonly SpilledSend[]) => void): Promise<void>;
  /** It need not be here any more. */
  release(place: SpillPlace): void;
  /** From `now` (wall clock, ms) on a store may have any of those that were never tried. */
  tried(now: number): void;
  /**
   * Puts what earlier sessions of the name have left before all the rest; what was copied waits here then,
   * too. If there is something, `found` is called at the moment it is so.
   */
  adopt(found: () => void): Promise<void>;
  /** Resolves when the disk has all, or has refused it. */
  flush(): Promise<void>;
}
