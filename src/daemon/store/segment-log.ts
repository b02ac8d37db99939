/**
 * The durable store: an append-only log in segments, with group commit. A group is written, synced (at
 * durability `sync`), passes the fence, and only then is any of it called done. docs/store.md; P12, P20.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { RelayError, systemCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { type Chain, closeAll, type Damage, findChain } from './chain.ts';
import { dropReplaced, writeSnapshot } from './compaction.ts';
import { type Files, writeAll } from './files.ts';
import { LogReader } from './log-reader.ts';
import { encodeRecords, GROUP_START, MAX_RECORD_BYTES, RECORD_HEADER_BYTES } from './record.ts';
import {
  beginSegment,
  type Durability,
  finishSegment,
  highestEpoch,
  type LogEnd,
  parseSegmentName,
  type Segment,
  type SegmentHeader,
  type SegmentKind,
  STORE_FORMAT,
  UNFINISHED,
  UNFINISHED_SUFFIX,
} from './segment.ts';
import type { Fence, Store, StoreFigures } from './store.ts';

export interface SegmentLimits {
  /** Bytes after which a new segment is begun: what one damaged file can cost, and what is read at once. */
  segmentBytes: number;
  /** Bytes of records written and synced together: bounds the wait of the first of them. */
  groupBytes: number;
}

export const SEGMENT_LIMITS: SegmentLimits = { segmentBytes: 8 * 1024 * 1024, groupBytes: 1024 * 1024 };

export interface SegmentLogOptions {
  files: Files;
  /** Our reign, already published: higher than every one before (`highestEpoch`). */
  epoch: number;
  fence: Fence;
  clock: Clock;
  log: Log;
  durability: Durability;
  limits?: Partial<SegmentLimits>;
  /** Runs `fn` soon, after the events at hand, so that they share a group. */
  soon?: (fn: () => void) => void;
  /** A random number, 1 … 2³²−1, unknown to whoever writes messages (record.ts). */
  marker?: () => number;
}

interface Pending {
  record: Buffer;
  done: (error?: RelayError) => void;
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
  /** Every segment there is, for the figures: name → begun when, how long. */
  readonly #segments = new Map<string, { created: number; bytes: number }>();

  #state: State = 'new';
  /** Why the state ended all appends. */
  #ended: RelayError | undefined;
  #current: Segment | undefined;
  #nextNumber = 1;

  #queue: Pending[] = [];
  /** The loop that commits groups runs, or is about to. */
  #working = false;
  #idle: (() => void)[] = [];
  /** Appends taken and appends answered, counted from the start. */
  #taken = 0;
  #answered = 0;
  #barriers: { at: number; resolve: () => void }[] = [];
  #wantedSnapshot: WantedSnapshot | undefined;
  #compaction: Promise<void> | undefined;

  /** Touches nothing yet: `recover()` does. */
  constructor(options: SegmentLogOptions) {
    this.#options = options;
    this.#limits = { ...SEGMENT_LIMITS, ...options.limits };
    this.#soon = options.soon ?? setImmediate;
  }

  /** What was found damaged; complete once `recover()` has come to its end. */
  get damage(): readonly Damage[] {
    return this.#reader?.damage ?? [];
  }

  get figures(): StoreFigures {
    let bytes = 0;
    let oldest: number | undefined;
    for (const segment of this.#segments.values()) {
      bytes += segment.bytes;
      oldest = Math.min(oldest ?? segment.created, segment.created);
    }
    return { segments: this.#segments.size, bytes, oldest };
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
      await this.#findNumber();
      chain = await findChain(files);
      for (const { name, header, size } of [...chain.links, ...chain.strays]) {
        this.#segments.set(name, { created: header.created, bytes: size });
      }
      this.#reader = new LogReader(chain);
      for await (const bodies of this.#reader.read()) yield* bodies;
      this.#reportRecovered(this.#reader);
      // Bytes and names that only their writer knew to be synced, before our header builds on them.
      await chain.links.at(-1)?.file.sync();
      await files.syncNames();
      await this.#removeUnfinished();
      await this.#beginNext(this.#reader.end, this.#reader.lastGroup);
      fence.check();
      this.#become('ready');
    } catch (error) {
      this.#fail(error);
      throw this.#ended ?? error;
    } finally {
      if (chain !== undefined) await closeAll([...chain.links, ...chain.strays]);
    }
  }

  /** Segments of our own reign there may be: of a store that failed and is opened anew. */
  async #findNumber(): Promise<void> {
    const { files, epoch } = this.#options;
    const highest = await highestEpoch(files);
    if (highest > epoch) {
      throw new RelayError('DEPOSED', `the store was written in epoch ${highest}; ours is ${epoch}`);
    }
    for (const name of await files.list()) {
      const id = parseSegmentName(name.replace(UNFINISHED_SUFFIX, ''));
      if (id?.epoch === epoch) this.#nextNumber = Math.max(this.#nextNumber, id.number + 1);
    }
  }

  append(record: Buffer, done: (error?: RelayError) => void): void {
    this.#taken += 1;
    this.#queue.push({ record, done });
    this.#wake();
  }

  compact(snapshot: () => Iterable<Buffer>): Promise<void> {
    this.#compaction ??= this.#compact(snapshot).finally(() => {
      this.#compaction = undefined;
    });
    return this.#compaction;
  }

  async close(): Promise<void> {
    if (this.#working) await new Promise<void>((resolve) => this.#idle.push(resolve));
    if (this.#ended === undefined) {
      this.#become('closed', new RelayError('SHUTTING_DOWN', 'the store was closed'));
    }
    await this.#compaction?.catch(() => undefined);
    await this.#current?.file.close();
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

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    this.#soon(() => void this.#work());
  }

  /** Commits group after group until nothing waits. One at a time: each proves the one before it. */
  async #work(): Promise<void> {
    while (this.#queue.length > 0 || this.#wantedSnapshot !== undefined) {
      if (this.#wantedSnapshot !== undefined) await this.#startSnapshot(this.#wantedSnapshot);
      const group = this.#takeGroup();
      const error = group.length === 0 ? undefined : await this.#commit(group);
      // What came after it may not overtake it, however small it is (P15).
      if (error?.code === 'STORE_FULL') group.push(...this.#queue.splice(0));
      for (const { done } of group) this.#call(done, error);
      this.#answered += group.length;
      this.#openBarriers();
      // Whoever became readable meanwhile joins the next group, and nobody else starves.
      await new Promise<void>((resolve) => this.#soon(resolve));
    }
    this.#working = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Waits until all that was appended so far has its answer. */
  #barrier(): Promise<void> {
    return new Promise((resolve) => {
      this.#barriers.push({ at: this.#taken, resolve });
      this.#openBarriers();
    });
  }

  #openBarriers(): void {
    while (this.#barriers[0] !== undefined && this.#barriers[0].at <= this.#answered) {
      this.#barriers.shift()?.resolve();
    }
  }

  #takeGroup(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { record } of this.#queue) {
      bytes += RECORD_HEADER_BYTES + record.length;
      if (count > 0 && bytes > this.#limits.groupBytes) break;
      // Alone, so that its refusal is nobody else's.
      if (record.length > MAX_RECORD_BYTES && count > 0) break;
      count += 1;
      if (record.length > MAX_RECORD_BYTES) break;
    }
    return this.#queue.splice(0, count);
  }

  #call(done: Pending['done'], error: RelayError | undefined): void {
    try {
      if (error === undefined) done();
      else done(error);
    } catch (thrown) {
      this.#options.log.error('store_done_threw', { error: thrown });
    }
  }

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
    if (this.#current === undefined) return new RelayError('INTERNAL', 'append before the end of recover()');
    if (this.#current.end >= this.#limits.segmentBytes) {
      const full = await this.#rotate(this.#current);
      if (full !== undefined) return full;
    }
    return await this.#write(this.#current, group);
  }

  async #write(segment: Segment, group: readonly Pending[]): Promise<RelayError | undefined> {
    const records = group.map((one) => one.record);
    const bytes = encodeRecords(records, segment.header.marker, GROUP_START);
    try {
      await writeAll(segment.file, bytes);
    } catch (error) {
      if (!isFull(error)) this.#fail(error);
      else await this.#undo(segment);
      return this.#ended ?? asStoreError(error);
    }
    try {
      if (this.#options.durability === 'sync') await segment.file.sync();
      // Somebody swept the directory: what is written here, nobody will find.
      if (!segment.file.linked()) throw new RelayError('STORE_FAILED', `${segment.name} was removed`);
      this.#options.fence.check();
    } catch (error) {
      this.#fail(error);
      return this.#ended;
    }
    segment.end += bytes.length;
    this.#count(segment);
    return undefined;
  }

  /**
   * Takes back what a full disk let us write of a group, so that a record that was refused never comes
   * back. A successor that reads here meanwhile has no use for it: it writes our last group anew (P20).
   */
  async #undo(segment: Segment): Promise<void> {
    try {
      await segment.file.truncate(segment.end);
      await segment.file.sync();
      this.#options.fence.check();
      this.#options.log.warn('store_full', { segment: segment.name });
    } catch (error) {
      this.#fail(error);
    }
  }

  #count(segment: Segment): void {
    this.#segments.set(segment.name, { created: segment.header.created, bytes: segment.end });
  }

  // ── Segments ──────────────────────────────────────────────────────────────────────────────────────────

  /** Ends the current segment and begins the next; the error if there is no room for one. */
  async #rotate(ending: Segment): Promise<RelayError | undefined> {
    try {
      // A successor's header proves that all before it was synced.
      if (this.#options.durability === 'process') await ending.file.sync();
      await this.#beginNext({ ...idOf(ending.header), offset: ending.end });
    } catch (error) {
      if (!isFull(error) || this.#current !== ending) this.#fail(error);
      return this.#ended ?? asStoreError(error);
    }
    await ending.file.close();
    return undefined;
  }

  async #beginNext(previous: LogEnd | undefined, carried: readonly Buffer[] = []): Promise<void> {
    const { files } = this.#options;
    const id = { epoch: this.#options.epoch, number: this.#nextNumber };
    // Also after a failure: what may be left of it has this number.
    this.#nextNumber += 1;
    const segment = await beginSegment(files, this.#header(id, 'log', previous), carried);
    await finishSegment(files, segment);
    this.#current = segment;
    this.#count(segment);
  }

  #header(
    id: { epoch: number; number: number },
    kind: SegmentKind,
    previous: LogEnd | undefined,
  ): Omit<SegmentHeader, 'firstGroup'> {
    const marker = this.#options.marker ?? (() => randomInt(1, 2 ** 32));
    const { durability, clock } = this.#options;
    return { ...id, kind, durability, marker: marker(), previous, created: clock.now() };
  }

  async #removeUnfinished(): Promise<void> {
    const { files, log } = this.#options;
    for (const name of await files.list()) {
      if (!UNFINISHED.test(name)) continue;
      await files.unlink(name).catch((error: unknown) => log.warn('store_unlink', { name, error }));
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
        this.#wake();
      },
    );
    const header = this.#header({ epoch: base.epoch, number: base.number }, 'snapshot', base);
    const goOn = () => {
      if (this.#ended !== undefined) throw this.#ended;
    };
    // A daemon's state knows what it has appended before that is done; a snapshot of it may not count
    // before that is.
    const settled = async () => {
      await this.#barrier();
      goOn();
      fence.check();
    };
    try {
      const snapshot = await writeSnapshot(files, header, records, { soon: this.#soon, goOn, settled });
      this.#segments.set(snapshot.name, { created: header.created, bytes: snapshot.bytes });
      const damaged = new Set(this.damage.map((one) => one.segment));
      for (const name of await dropReplaced(files, base, damaged, log)) this.#segments.delete(name);
    } catch (error) {
      if (error instanceof RelayError && error.code === 'DEPOSED') this.#fail(error);
      throw asStoreError(error);
    }
  }

  /** Between two groups: what is done stands before the new segment, what comes stands in it. */
  async #startSnapshot(wanted: WantedSnapshot): Promise<void> {
    this.#wantedSnapshot = undefined;
    const ending = this.#current;
    const error =
      this.#ended ??
      (ending === undefined
        ? new RelayError('INTERNAL', 'compact() before the end of recover()')
        : await this.#rotate(ending));
    if (error !== undefined || ending === undefined) {
      if (error !== undefined) wanted.reject(error);
      return;
    }
    try {
      wanted.resolve({ base: { ...idOf(ending.header), offset: ending.end }, records: wanted.take() });
    } catch (thrown) {
      wanted.reject(RelayError.from(thrown));
    }
  }
}

const idOf = ({ epoch, number }: SegmentHeader) => ({ epoch, number });

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');

/** What the disk threw → the code that a sender is told. */
function asStoreError(error: unknown): RelayError {
  if (error instanceof RelayError) return error;
  const code = isFull(error) ? 'STORE_FULL' : 'STORE_FAILED';
  const text = error instanceof Error ? error.message : String(error);
  return new RelayError(code, `the store could not be written: ${text}`, { cause: error });
}
