/**
 * Leaders that come, write, stumble, are deposed and die over one simulated disk, and what must hold then.
 * One seed is one run. `mistake` breaks the store from outside, to see that the checks can fail.
 */
import type { Clock } from '../../src/base/clock.ts';
import { RelayError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Files, OpenFile } from '../../src/daemon/store/files.ts';
import type { Durability } from '../../src/daemon/store/segment.ts';
import { SegmentLog } from '../../src/daemon/store/segment-log.ts';
import { Random, SimDisk, type SimProcess, SimScheduler } from './sim-files.ts';

export type Mistake = 'ack-before-sync' | 'no-fence' | 'replay-unsynced' | 'names-not-synced';

/** A record is `add <id>` or `end <id>`; what became of it: */
type Outcome = 'pending' | 'promised' | 'refused' | 'unknown' | 'postponed';

interface Item {
  epoch: number;
  add: Outcome;
  end: Outcome | undefined;
}

/** The smallest daemon there is: it knows which ids are live. */
interface Leader {
  epoch: number;
  process: SimProcess;
  store: SegmentLog | undefined;
  state: 'recovering' | 'ready' | 'gone';
  ids: Map<number, 'live' | 'ended'>;
}

export interface WorldOptions {
  seed: number;
  durability: Durability;
  steps?: number;
  mistake?: Mistake;
}

export class StoreWorld {
  readonly #random: Random;
  readonly #scheduler: SimScheduler;
  readonly #disk: SimDisk;
  readonly #options: WorldOptions;
  readonly #items = new Map<number, Item>();
  /** What was appended, by its first two words, which are all that a snapshot keeps of it. */
  readonly #written = new Map<string, string>();
  readonly #spareBytes: number;
  #leaders: Leader[] = [];
  #epoch = 0;
  #nextId = 1;
  #compacted = false;
  #violations: string[] = [];

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#spareBytes = this.#random.chance(0.3) ? 0 : 800;
    this.#scheduler = new SimScheduler(this.#random);
    this.#disk = new SimDisk(this.#random, this.#scheduler);
  }

  /** Runs it all; resolves with what did not hold. */
  async run(): Promise<string[]> {
    this.#takeOver();
    for (let step = 0; step < (this.#options.steps ?? 60); step += 1) {
      this.#act();
      for (let n = this.#random.below(12); n > 0; n -= 1) await this.#scheduler.step();
      if (this.#violations.length > 0) return this.#violations;
    }
    this.#healDisk();
    await this.#settle(this.#takeOver());
    this.#crash();
    const last = this.#takeOver();
    await this.#settle(last);
    if (last.state !== 'ready') this.#violated('the last leader did not become ready on a healthy disk');
    else await this.#expectAppendWorks(last);
    return this.#violations;
  }

  #act(): void {
    const roll = this.#random.next();
    const ready = this.#leaders.filter((leader) => leader.process.alive && leader.state === 'ready');
    // Mostly the newest; sometimes one that does not know yet that it is deposed.
    const leader = this.#random.chance(0.8) ? ready.at(-1) : ready[this.#random.below(ready.length)];
    if (roll < 0.5) {
      for (let n = 1 + this.#random.below(6); n > 0 && leader; n -= 1) this.#append(leader);
    } else if (roll < 0.62) this.#takeOver();
    else if (roll < 0.68) {
      const victim = this.#leaders[this.#random.below(this.#leaders.length)];
      if (victim) victim.process.alive = false;
    } else if (roll < 0.74) this.#crash();
    else if (roll < 0.8) this.#disk.free = this.#random.below(300);
    else if (roll < 0.86) this.#healDisk();
    else if (roll < 0.88) this.#disk.failingSyncs = 1;
    else if (roll < 0.9) this.#disk.failingWrites = 1;
    else if (leader) this.#compact(leader);
  }

  #healDisk(): void {
    this.#disk.free = Number.POSITIVE_INFINITY;
    this.#disk.failingSyncs = 0;
    this.#disk.failingWrites = 0;
  }

  /** All processes die; at durability `sync` the power may go as well. */
  #crash(): void {
    for (const leader of this.#leaders) leader.process.alive = false;
    this.#leaders = [];
    if (this.#options.durability === 'sync' && this.#random.chance(0.8)) this.#disk.powerCut();
  }

  #append(leader: Leader): void {
    const known = [...leader.ids].filter(([id, state]) => state === 'live' && !this.#items.get(id)?.end);
    const ended = this.#random.chance(0.3) ? known[this.#random.below(known.length)]?.[0] : undefined;
    const id = ended ?? this.#nextId++;
    const what = ended === undefined ? 'add' : 'end';
    const item = this.#items.get(id) ?? { epoch: leader.epoch, add: 'pending', end: undefined };
    item[what] = 'pending';
    this.#items.set(id, item);
    const record = Buffer.from(`${what} ${id} ${'x'.repeat(this.#random.below(90))}`);
    this.#written.set(`${what} ${id}`, record.toString());
    // As the daemon does: a message counts once it is stored; an end is known at once, and finds its
    // room on the disk later if there is none now.
    if (what === 'end') apply(leader.ids, record);
    const append = () => leader.store?.append(record, answered, what === 'end' ? 'soon' : 'now');
    const answered = (error?: RelayError) => {
      if (!leader.process.alive) return;
      if (error === undefined) {
        if (this.#epoch > leader.epoch) this.#violated(`${what} ${id} promised from behind the fence`);
        item[what] = 'promised';
        apply(leader.ids, record);
        return;
      }
      if (!['STORE_FULL', 'STORE_FAILED', 'DEPOSED'].includes(error.code)) this.#violated(`got ${error}`);
      if (error.code !== 'STORE_FULL') item[what] = item[what] === 'postponed' ? 'postponed' : 'unknown';
      else if (what === 'add') item.add = 'refused';
      else {
        item.end = 'postponed';
        this.#scheduler.later(append);
      }
    };
    append();
  }

  #compact(leader: Leader): void {
    this.#compacted = true;
    const snapshot = function* () {
      for (const [id, state] of leader.ids) if (state === 'live') yield Buffer.from(`add ${id}`);
    };
    leader.store?.compact(snapshot).catch((error: unknown) => {
      const code = RelayError.from(error).code;
      if (!['STORE_FULL', 'STORE_FAILED', 'DEPOSED'].includes(code)) this.#violated(`compaction: ${error}`);
    });
  }

  #takeOver(): Leader {
    this.#epoch += 1;
    const leader: Leader = {
      epoch: this.#epoch,
      process: { alive: true },
      store: undefined,
      state: 'recovering',
      ids: new Map(),
    };
    this.#leaders.push(leader);
    this.#recover(leader).catch((error: unknown) => {
      leader.state = 'gone';
      const code = RelayError.from(error).code;
      if (!['STORE_FULL', 'STORE_FAILED', 'DEPOSED'].includes(code) && !isDiskError(error)) {
        this.#violated(`recovery of epoch ${leader.epoch}: ${error}`);
      }
    });
    return leader;
  }

  async #recover(leader: Leader): Promise<void> {
    const store = new SegmentLog({
      files: this.#mistaken(this.#disk.files(leader.process), leader),
      epoch: leader.epoch,
      fence: {
        check: () => {
          if (this.#epoch === leader.epoch || this.#options.mistake === 'no-fence') return;
          throw new RelayError('DEPOSED', `epoch ${this.#epoch} has begun`);
        },
      },
      clock: this.#clock(leader),
      log: silentLog,
      durability: this.#options.durability,
      limits: { segmentBytes: 400, groupBytes: 250, spareBytes: this.#spareBytes },
      soon: (fn) => this.#scheduler.later(() => leader.process.alive && fn()),
      marker: () => 1 + this.#random.below(0xffffffff),
    });
    leader.store = store;
    const seen: string[] = [];
    for await (const record of store.recover()) {
      const words = record.toString().split(' ', 2).join(' ');
      if (![words, this.#written.get(words)].includes(record.toString()))
        this.#violated(`not as it was written: ${record.toString()}`);
      seen.push(words);
      apply(leader.ids, record);
    }
    if (!leader.process.alive) return;
    leader.state = 'ready';
    if (store.damage.length > 0) this.#violated(`damage on a sound disk: ${JSON.stringify(store.damage)}`);
    if (!this.#compacted && new Set(seen).size < seen.length) this.#violated(`recovered twice: ${seen}`);
    if (this.#epoch === leader.epoch) this.#judge(leader);
    else this.#violated(`epoch ${leader.epoch} ready from behind the fence`);
  }

  /** What a leader found when it became ready is what all later ones must find. */
  #judge(leader: Leader): void {
    const lastOfEpoch = new Map<number, number>();
    for (const [id, state] of leader.ids) {
      // What a snapshot left out as ended may be known by its end alone, or once more by its beginning if
      // there was no room for the end.
      if (state === 'ended' || this.#items.get(id)?.end === 'postponed') continue;
      const epoch = this.#items.get(id)?.epoch ?? 0;
      if (id < (lastOfEpoch.get(epoch) ?? 0)) this.#violated(`order lost: ${id} of epoch ${epoch}`);
      lastOfEpoch.set(epoch, id);
    }
    const cut = new Map<number, number>();
    for (const [id, item] of this.#items) {
      const found = leader.ids.get(id);
      // A snapshot may know an end for which there was no room in the log.
      const mayBeEnded = item.end === 'promised' || item.end === 'unknown' || item.end === 'postponed';
      const known = found !== undefined || mayBeEnded;
      if (!known && item.add !== 'refused') cut.set(item.epoch, cut.get(item.epoch) ?? id);
      const hole = cut.get(item.epoch) ?? id;
      if (found !== undefined && hole < id) this.#violated(`${id} came back, ${hole} before it did not`);
      const by = `epoch ${leader.epoch}`;
      if (item.add === 'promised' && !known) this.#violated(`${id} was promised, ${by} does not know it`);
      if (item.add === 'promised' && item.end === undefined && found !== 'live') {
        this.#violated(`${id} was promised and never ended, for ${by} it is ${found}`);
      }
      if (item.end === 'promised' && found === 'live') this.#violated(`${id} was ended, ${by} has it live`);
      if (item.add === 'refused' && found !== undefined) this.#violated(`${id} was refused, ${by} has it`);
      item.add = found === undefined && item.add !== 'promised' ? 'refused' : 'promised';
      if (item.end === 'postponed') continue;
      if (item.end !== undefined) item.end = found === 'live' ? undefined : 'promised';
    }
  }

  async #settle(leader: Leader): Promise<void> {
    await this.#scheduler.runUntil(() => leader.state !== 'recovering');
  }

  async #expectAppendWorks(leader: Leader): Promise<void> {
    let result: RelayError | 'promised' | undefined;
    leader.store?.append(Buffer.from('add 0'), (error) => {
      result = error ?? 'promised';
    });
    await this.#scheduler.runUntil(() => result !== undefined);
    if (result !== 'promised') this.#violated(`an append on a healthy disk failed: ${result}`);
  }

  /** Whose timers come when the seed says. */
  #clock({ process }: Leader): Clock {
    const after = (_ms: number, fn: () => void) => {
      let cancelled = false;
      this.#scheduler.later(() => process.alive && !cancelled && fn());
      return {
        cancel: () => {
          cancelled = true;
        },
      };
    };
    return { now: () => this.#scheduler.now, after } as Partial<Clock> as Clock;
  }

  #violated(text: string): void {
    this.#violations.push(text);
  }

  #mistaken(files: Files, leader: Leader): Files {
    const lazySync = (file: OpenFile, lazy: () => boolean): OpenFile => ({
      ...file,
      sync: () => (lazy() ? Promise.resolve() : file.sync()),
    });
    const { mistake } = this.#options;
    if (mistake === 'names-not-synced') return { ...files, syncNames: async () => {} };
    if (mistake !== 'ack-before-sync' && mistake !== 'replay-unsynced') return files;
    const lazy = () => mistake === 'ack-before-sync' || leader.state === 'recovering';
    return {
      ...files,
      create: async (name) => lazySync(await files.create(name), lazy),
      open: async (name) => lazySync(await files.open(name), lazy),
    };
  }
}

function apply(ids: Map<number, 'live' | 'ended'>, record: Buffer): void {
  const [what, text] = record.toString().split(' ');
  const id = Number(text);
  if (what === 'end') ids.set(id, 'ended');
  else if (!ids.has(id)) ids.set(id, 'live');
}

const isDiskError = (error: unknown) => error instanceof Error && /simulated/.test(error.message);
