/**
 * Where the daemon keeps what it has promised: an append-only list of records. What a record means is
 * the daemon's business; when it is safe is the store's. architecture.md "Leadership and the store".
 */
import type { RelayError } from '../../base/errors.ts';

/** `now`: somebody waits for the promise. `soon`: nobody does, so it joins the next group, if one comes soon. */
export type Urgency = 'now' | 'soon';

/** Asked before anything is promised or handed out: are we still the leader? P20. */
export interface Fence {
  /** Throws DEPOSED if a higher epoch exists, or if directory or socket are no longer ours. */
  check(): void;
}

/** What the store takes up, for the daemon to decide when to compact by age and size. */
export interface StoreFigures {
  readonly segments: number;
  readonly bytes: number;
  /** When the oldest segment was begun, milliseconds of the wall clock; undefined if there is none. */
  readonly oldest: number | undefined;
}

export interface Store {
  /** What was done survives this process: the daemon may say `stored` (P12). */
  readonly durable: boolean;
  /** The version of the record format, for WELCOME's `store_format` (P20). */
  readonly format: number;

  /** What earlier reigns left, oldest first. Read to its end, once, before the first append. */
  recover(): AsyncIterable<Buffer>;

  /**
   * Appends a record. `done` is called later, never inside this call, in the order of the appends: with
   * no argument once the record is written, synced as the durability asks and the fence was passed; or
   * with the error, and then nothing of the record was promised. After DEPOSED or a failed sync every
   * later append fails too; after STORE_FULL a later one may succeed.
   */
  append(record: Buffer, done: (error?: RelayError) => void, urgency?: Urgency): void;

  readonly figures: StoreFigures;

  /**
   * Replaces the log up to now by fewer records, and drops the segments it stood in. `snapshot` is called
   * once, later, between two groups; what is written from then on is recovered after its records. These
   * are taken in slices while appends go on, so they may already hold what was appended meanwhile, or is
   * not done yet: recovering a record onto a state that has it must change nothing. The snapshot counts
   * once all of that is done. Recovery gives the old records or the new, never a mixture. A call while
   * one is under way joins that one. Rejects when nothing was replaced; the log is then as before.
   */
  compact(snapshot: () => Iterable<Buffer>): Promise<void>;

  /** Waits for what was appended, then lets go of every file. */
  close(): Promise<void>;
}
