/** The segments of one reign, one after the other: the last of them takes the records. docs/store.md "Files". */
import { randomInt } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { RelayError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Files } from './files.ts';
import {
  beginSegment,
  type Durability,
  type Foundation,
  finishSegment,
  highestEpoch,
  type LogEnd,
  parseSegmentName,
  type Segment,
  type SegmentHeader,
  type SegmentKind,
  UNFINISHED,
  UNFINISHED_SUFFIX,
} from './segment.ts';
import type { Spare } from './spare.ts';

export interface ReignOptions {
  files: Files;
  /** Our reign, already published: higher than every one before (`highestEpoch`). */
  epoch: number;
  clock: Clock;
  log: Log;
  durability: Durability;
  /** A random number, 1 … 2³²−1, unknown to whoever writes messages (record.ts). */
  marker?: () => number;
}

export class Reign {
  readonly #options: ReignOptions;
  readonly #spare: Spare;
  #current: Segment | undefined;
  #nextNumber = 1;
  /** What was begun before us, and never got its name. */
  #unfinished: string[] = [];

  constructor(options: ReignOptions, spare: Spare) {
    this.#options = options;
    this.#spare = spare;
  }

  /** Where records go; undefined before the first `begin`. */
  get current(): Segment | undefined {
    return this.#current;
  }

  /**
   * Counts on behind segments of this very epoch: of a store that failed and is opened anew. Throws DEPOSED
   * when there is one of a higher epoch.
   */
  async findNumber(): Promise<void> {
    const { files, epoch } = this.#options;
    const names = await files.list();
    const highest = highestEpoch(names);
    if (highest > epoch) {
      throw new RelayError('DEPOSED', `the store was written in epoch ${highest}; ours is ${epoch}`);
    }
    for (const name of names) {
      const id = parseSegmentName(name.replace(UNFINISHED_SUFFIX, ''));
      if (id?.epoch === epoch) this.#nextNumber = Math.max(this.#nextNumber, id.number + 1);
    }
    this.#unfinished = names.filter((name) => UNFINISHED.test(name));
  }

  /** Begins the next segment, with what it carries over; it counts once this resolves. */
  async begin(
    previous: LogEnd | undefined,
    carried: readonly Buffer[] = [],
    foundation?: Foundation,
  ): Promise<Segment> {
    const { files } = this.#options;
    const id = { epoch: this.#options.epoch, number: this.#nextNumber };
    // Also after a failure: what may be left of it has this number.
    this.#nextNumber += 1;
    const header = this.header(id, 'log', previous);
    const segment = await beginSegment(files, header, carried, (begun) => this.#spare.reserve(begun));
    await finishSegment(files, segment, foundation);
    this.#current = segment;
    return segment;
  }

  /** Ends the current segment and begins the next. The old one is still current if that failed. */
  async rotate(): Promise<{ base: LogEnd; next: Segment }> {
    const ending = this.#current;
    if (ending === undefined) throw new RelayError('INTERNAL', 'no segment was begun');
    // A successor's header proves that all before it was synced.
    if (this.#options.durability === 'process') await ending.file.sync();
    const base = endOf(ending);
    const next = await this.begin(base);
    await this.#leave(ending);
    return { base, next };
  }

  header(
    id: { epoch: number; number: number },
    kind: SegmentKind,
    previous: LogEnd | undefined,
  ): Omit<SegmentHeader, 'firstGroup'> {
    const marker = this.#options.marker ?? (() => randomInt(1, 2 ** 32));
    const { durability, clock } = this.#options;
    return { ...id, kind, durability, marker: marker(), previous, created: clock.now() };
  }

  /** What `findNumber` found begun and never named. */
  async removeUnfinished(): Promise<void> {
    const { files, log } = this.#options;
    for (const name of this.#unfinished.splice(0)) {
      await files.unlink(name).catch((error: unknown) => log.warn('store_unlink', { name, error }));
    }
  }

  /** Twice is fine. @param tidy nothing is wrong with what we wrote. */
  async close(tidy: boolean): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    if (tidy) await this.#leave(current);
    else await current.file.close();
  }

  async #leave(segment: Segment): Promise<void> {
    // It only saves room.
    await this.#spare
      .release(segment)
      .catch((error: unknown) => this.#options.log.warn('store_spare', { error }));
    await segment.file.close();
  }
}

/** What of a segment counts so far. */
export const endOf = ({ header: { epoch, number }, end }: Segment): LogEnd => ({
  epoch,
  number,
  offset: end,
});
