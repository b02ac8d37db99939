/**
 * The durable store: an append-only log in segments, with group commit. A group is written, synced (at
 * durability `sync`), passes the fence, and only then is any of it called done. docs/store.md; P12, P20.
 */
import { RelayError } from '../../base/errors.ts';
import { AppendQueue, type Pending } from './append-queue.ts';
import { type Chain, closeAll, type Damage, findChain } from './chain.ts';
import { Committer } from './committer.ts';
import { dropReplaced, writeSnapshot } from './compaction.ts';
import { asStoreError, isFull } from './disk-error.ts';
import { allDone } from './files.ts';
import { GroupWriter } from './group-writer.ts';
import { LogReader } from './log-reader.ts';
import { patiently } from './patience.ts';
import { MAX_RECORD_BYTES } from './record.ts';
import { Reign, type ReignOptions } from './reign.ts';
import { type LogEnd, type Segment, STORE_FORMAT } from './segment.ts';
import { SegmentSizes } from './segment-sizes.ts';
import { Spare } from './spare.ts';
import type { Fence, Store, StoreFigures, Urgency } from './store.ts';

export interface SegmentLimits {
  /** Bytes after which a new segment is begun: what one damaged file can cost, and what is read at once. */
  segmentBytes: number;
  /** Bytes of records written and synced together: bounds the wait of the first of them. */
  groupBytes: number;
  /** Bytes of zeros written ahead of small groups, at most, at durability `sync`. */
  spareBytes: number;
}

export const SEGMENT_LIMITS: SegmentLimits = {
  segmentBytes: 8 * 1024 * 1024,
  groupBytes: 1024 * 1024,
  spareBytes: 512 * 1024,
};

export interface SegmentLogOptions extends ReignOptions {
  fence: Fence;
  limits?: Partial<SegmentLimits>;
  /** Runs `fn` soon, after the events at hand, so that they share a group. */
  soon?: (fn: () => void) => void;
}

interface WantedSnapshot {
  take: () => Iterable<Buffer>;
  resolve: (snapshot: { base: LogEnd; records: Iterable<Buffer> }) => void;
  reject: (error: RelayError) => void;
}

type State = 'new' | 'recovering' | 'ready' | 'deposed' | 'failed' | 'closed';

export class SegmentLog implements Store {
  readonly durable = true;
  readonly format = STORE_FORMAT;

  readonly #options: SegmentLogOptions;
  readonly #limits: SegmentLimits;
  readonly #soon: (fn: () => void) => void;
  #reader: LogReader | undefined;
  readonly #sizes = new SegmentSizes();

  #state: State = 'new';
  /** Why the state ended all appends. */
  #ended: RelayError | undefined;
  readonly #reign: Reign;
  readonly #writer: GroupWriter;
  readonly #queue: AppendQueue;
  readonly #committer: Committer;
  #closing = false;
  #wantedSnapshot: WantedSnapshot | undefined;
  #compaction: Promise<void> | undefined;

  /** Touches nothing yet: `recover()` does. */
  constructor(options: SegmentLogOptions) {
    this.#options = options;
    this.#limits = { ...SEGMENT_LIMITS, ...options.limits };
    this.#soon = options.soon ?? setImmediate;
    const spare = new Spare(options.durability === 'sync' ? this.#limits.spareBytes : 0);
    this.#reign = new Reign(options, spare);
    this.#writer = new GroupWriter(options.durability, spare, () =>
      this.#patiently(() => options.fence.check()),
    );
    this.#queue = new AppendQueue(this.#limits.groupBytes, options.clock, () => this.#committer.wake());
    this.#committer = new Committer(this.#queue, {
      soon: this.#soon,
      log: options.log,
      commit: (group) => this.#commit(group),
      leadsStill: () => this.#leadsStill(),
      between: () => this.#between(),
    });
  }

  /** What was found damaged; complete once `recover()` has come to its end. */
  get damage(): readonly Damage[] {
    return this.#reader?.damage ?? [];
  }

  get figures(): StoreFigures {
    return this.#sizes.figures;
  }

  /**
   * What earlier reigns left, oldest first, without the damaged. At its end all of it is on the disk, our
   * own segment says where it ended, and the fence was passed: then the first WELCOME may go out (P20).
   * Throws DEPOSED, STORE_TOO_NEW if a later version wrote any of it, STORE_FULL, STORE_FAILED.
   */
  async *recover(): AsyncGenerator<Buffer, void> {
    if (this.#state !== 'new') throw new RelayError('INTERNAL', 'recover() is for once, before anything');
    this.#become('recovering');
    const { files, fence } = this.#options;
    let chain: Chain | undefined;
    try {
      await this.#reign.findNumber();
      chain = await findChain(files);
      for (const found of [...chain.links, ...chain.strays]) this.#sizes.note({ ...found, end: found.size });
      this.#reader = new LogReader(chain);
      for await (const bodies of this.#reader.read()) yield* bodies;
      this.#reportRecovered(this.#reader);
      await this.#reign.removeUnfinished();
      const newest = chain.links.at(-1)?.file;
      const foundation = {
        // Bytes and names that only their writer knew to be synced.
        sync: () => allDone([newest?.sync(), files.syncNames()]),
        // Swept sockets may let two lead in one epoch: who leads no more must not end the other's segment.
        check: () => fence.check(),
      };
      foundation.check();
      if (this.#ended !== undefined) throw this.#ended;
      this.#sizes.note(await this.#reign.begin(this.#reader.end, this.#reader.lastGroup, foundation));
      fence.check();
      if (this.#ended !== undefined) throw this.#ended;
      this.#become('ready');
    } catch (error) {
      this.#fail(error);
      throw this.#ended ?? error;
    } finally {
      if (chain !== undefined) await closeAll([...chain.links, ...chain.strays]);
      // close() has come and gone meanwhile: what was begun since is still open.
      if (this.#closing) await this.#reign.close(this.#ended?.code === 'SHUTTING_DOWN');
    }
  }

  append(record: Buffer, done: (error?: RelayError) => void, urgency: Urgency = 'now'): void {
    this.#queue.add({ record, done }, urgency);
  }

  compact(snapshot: () => Iterable<Buffer>): Promise<void> {
    this.#compaction ??= this.#compact(snapshot).finally(() => {
      this.#compaction = undefined;
    });
    return this.#compaction;
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#queue.hurry();
    await this.#committer.idle();
    if (this.#ended === undefined) {
      this.#become('closed', new RelayError('SHUTTING_DOWN', 'the store was closed'));
    }
    await this.#compaction?.catch(() => undefined);
    await this.#reign.close(this.#state === 'closed');
  }

  #become(state: State, reason?: RelayError): void {
    this.#options.log.debug('store_state', { from: this.#state, to: state });
    this.#state = state;
    this.#ended = reason;
  }

  /** No append succeeds any more. A sync that failed is never tried again: the pages may be gone. */
  #fail(thrown: unknown): void {
    if (this.#ended !== undefined) return;
    const error = asStoreError(this.#deposal() ?? thrown);
    this.#become(error.code === 'DEPOSED' ? 'deposed' : 'failed', error);
    this.#options.log.error('store_ended', { error });
  }

  /** Whoever deposed us may have removed what we were writing: then that is no fault of the disk. */
  #deposal(): RelayError | undefined {
    try {
      this.#options.fence.check();
      return undefined;
    } catch (error) {
      return error instanceof RelayError && error.code === 'DEPOSED' ? error : undefined;
    }
  }

  // ── Committing ────────────────────────────────────────────────────────────────────────────────────────

  /** Between two groups: what somebody waits for, and room for the next. */
  async #between(): Promise<void> {
    if (this.#wantedSnapshot !== undefined) await this.#startSnapshot(this.#wantedSnapshot);
    const current = this.#reign.current;
    if (current === undefined || this.#ended !== undefined) return;
    await this.#writer.makeRoom(current).catch((error) => this.#fail(error));
  }

  async #leadsStill(): Promise<RelayError | undefined> {
    try {
      await this.#patiently(() => this.#options.fence.check());
    } catch (error) {
      this.#fail(error);
    }
    return this.#ended;
  }

  readonly #patiently = <T>(fn: () => T | Promise<T>): Promise<T> =>
    patiently(this.#options.clock, () => this.#closing, fn);

  /** Writes one group; undefined once it is promised, else the error for all of it. */
  async #commit(group: readonly Pending[]): Promise<RelayError | undefined> {
    const first = group[0]?.record.length ?? 0;
    if (first > MAX_RECORD_BYTES) {
      return new RelayError(
        'MESSAGE_TOO_LARGE',
        `a record of ${first} bytes; the limit is ${MAX_RECORD_BYTES}`,
      );
    }
    if (this.#ended !== undefined) return this.#ended;
    const current = this.#reign.current;
    if (current === undefined) return new RelayError('INTERNAL', 'append before the end of recover()');
    if (current.end < this.#limits.segmentBytes) return await this.#write(current, group);
    const rotated = await this.#rotate();
    return rotated instanceof RelayError ? rotated : await this.#write(rotated.next, group);
  }

  async #write(segment: Segment, group: readonly Pending[]): Promise<RelayError | undefined> {
    try {
      await this.#writer.write(
        segment,
        group.map((one) => one.record),
      );
    } catch (thrown) {
      const error = asStoreError(thrown);
      if (error.code === 'STORE_FULL') this.#options.log.warn('store_full', { segment: segment.name });
      else this.#fail(error);
      return this.#ended ?? error;
    }
    this.#sizes.note(segment);
    return undefined;
  }

  /** Ends the current segment and begins the next; the error if there is no room for one. */
  async #rotate(): Promise<{ base: LogEnd; next: Segment } | RelayError> {
    const ending = this.#reign.current;
    try {
      const rotated = await this.#patiently(() => {
        this.#options.fence.check();
        return this.#reign.rotate();
      });
      this.#sizes.note(rotated.next);
      return rotated;
    } catch (error) {
      if (!isFull(error) || this.#reign.current !== ending) this.#fail(error);
      return this.#ended ?? asStoreError(error);
    }
  }

  #reportRecovered({ damage, tail, counts }: LogReader): void {
    const { log } = this.#options;
    const records = [...counts.values()].reduce((sum, one) => sum + one.records, 0);
    log.info('store_recovered', { segments: counts.size, records, tail });
    for (const one of damage) log.error('store_damaged', { code: 'STORE_CORRUPT', ...one });
  }

  // ── Compaction ────────────────────────────────────────────────────────────────────────────────────────

  async #compact(take: () => Iterable<Buffer>): Promise<void> {
    const { files, fence, log } = this.#options;
    const { base, records } = await new Promise<{ base: LogEnd; records: Iterable<Buffer> }>(
      (resolve, reject) => {
        this.#wantedSnapshot = { take, resolve, reject };
        this.#committer.wake();
      },
    );
    const header = this.#reign.header({ epoch: base.epoch, number: base.number }, 'snapshot', base);
    const goOn = () => {
      if (this.#ended !== undefined) throw this.#ended;
    };
    // A daemon's state knows what it has appended before that is done; a snapshot of it may not count
    // before that is.
    const settled = async () => {
      await this.#queue.barrier();
      goOn();
      fence.check();
    };
    try {
      this.#sizes.note(await writeSnapshot(files, header, records, { soon: this.#soon, goOn, settled }));
      const damaged = new Set(this.damage.map((one) => one.segment));
      for (const name of await dropReplaced(files, base, damaged, log)) this.#sizes.drop(name);
    } catch (error) {
      if (error instanceof RelayError && error.code === 'DEPOSED') this.#fail(error);
      throw asStoreError(error);
    }
  }

  /** Between two groups: what is done stands before the new segment, what comes stands in it. */
  async #startSnapshot(wanted: WantedSnapshot): Promise<void> {
    this.#wantedSnapshot = undefined;
    const rotated = this.#ended ?? (await this.#rotate());
    if (rotated instanceof RelayError) return wanted.reject(rotated);
    try {
      wanted.resolve({ base: rotated.base, records: wanted.take() });
    } catch (thrown) {
      wanted.reject(RelayError.from(thrown));
    }
  }
}
