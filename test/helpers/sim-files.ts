/**
 * A simulated disk with a seed, for the store's file interface: what is not synced may be lost at a power
 * cut, in any pages and names; writes are short and torn, the disk fills up, reads and syncs fail. Nothing
 * real is touched and nothing runs by itself: every operation happens when the scheduler says so.
 */
import type { Files, OpenFile } from '../../src/daemon/store/files.ts';

/** Small numbers from a seed (mulberry32): the same seed, the same run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 … n−1. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}

/** Runs what was put off, in an order the seed decides. */
export class SimScheduler {
  readonly #random: Random;
  #waiting: { at: number; order: number; fn: () => void }[] = [];
  #now = 0;
  #order = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get now(): number {
    return this.#now;
  }

  /** Runs `fn` some simulated time from now. */
  later(fn: () => void): void {
    const at = this.#now + this.#random.below(20);
    this.#order += 1;
    this.#waiting.push({ at, order: this.#order, fn });
  }

  /** Runs the next one, and all that follows from it without waiting; false if nothing waits. */
  async step(): Promise<boolean> {
    this.#waiting.sort((a, b) => a.at - b.at || a.order - b.order);
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    this.#now = next.at;
    next.fn();
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }

  async runUntil(done: () => boolean): Promise<void> {
    while (!done()) if (!(await this.step())) throw new Error('the simulation came to a halt');
  }
}

/** Bytes that reach the platter together or not at all; small, so that few records already tear. */
const PAGE_BYTES = 32;

/** Bytes that grow at the end; what lies between the old end and a later place is zeros. */
class Bytes {
  #room = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get view(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  put(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (end > this.#room.length) {
      const room = Buffer.alloc(Math.max(512, 2 * end));
      room.set(this.view);
      this.#room = room;
    }
    this.#room.set(bytes, at);
    this.#length = Math.max(this.#length, end);
  }

  truncate(length: number): void {
    if (length >= this.#length) return;
    this.#room.fill(0, length, this.#length);
    this.#length = length;
  }

  become(bytes: Uint8Array): void {
    this.truncate(0);
    this.put(bytes, 0);
  }
}

class Inode {
  /** What programs see. */
  readonly cache = new Bytes();
  /** What a power cut leaves. */
  readonly durable = new Bytes();
  readonly dirty = new Set<number>();
  links = 0;

  write(bytes: Buffer, offset: number): void {
    const end = offset + bytes.length;
    this.cache.put(bytes, offset);
    for (let page = Math.floor(offset / PAGE_BYTES); page * PAGE_BYTES < end; page += 1) this.dirty.add(page);
  }

  /** One page reaches the platter; the file is as long there as its last page that did. */
  writeBack(page: number): void {
    const bytes = this.cache.view.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    this.dirty.delete(page);
    if (bytes.length > 0) this.durable.put(bytes, page * PAGE_BYTES);
  }
}

interface NameChange {
  name: string;
  inode: Inode | undefined;
}

/** One process that uses the disk; once dead, nothing it began goes on. */
export interface SimProcess {
  alive: boolean;
  /** Its own scheduler, where a stopped process does nothing either. */
  later?(fn: () => void): void;
}

export class SimDisk {
  readonly #random: Random;
  readonly #scheduler: Pick<SimScheduler, 'later'>;
  readonly #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  #changes: NameChange[] = [];

  /** Bytes that still fit. */
  free = Number.POSITIVE_INFINITY;
  /** Files that each process has open. */
  readonly #open = new Map<SimProcess, number>();
  /** How many of the coming writes and syncs fail with EIO. */
  failingWrites = 0;
  failingSyncs = 0;

  constructor(random: Random, scheduler: Pick<SimScheduler, 'later'>) {
    this.#random = random;
    this.#scheduler = scheduler;
  }

  /** The file interface as `process` sees it. */
  files(process: SimProcess): Files {
    const turn = <T>(fn: () => T): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        (process.later === undefined ? this.#scheduler : (process as Pick<SimScheduler, 'later'>)).later(
          () => {
            if (!process.alive) return;
            try {
              resolve(fn());
            } catch (error) {
              reject(error);
            }
          },
        );
      });
    return {
      create: (name) =>
        turn(() => {
          if (this.#names.has(name)) throw failure('EEXIST');
          if (this.free <= 0) throw failure('ENOSPC');
          const inode = new Inode();
          this.#setName(name, inode);
          return this.#file(process, inode, turn, true);
        }),
      open: (name) => turn(() => this.#file(process, this.#find(name), turn, false)),
      list: () => turn(() => [...this.#names.keys()]),
      publish: async (from, to) => {
        await turn(() => {
          if (this.#names.has(to)) throw failure('EEXIST');
          this.#setName(to, this.#find(from));
        });
        await turn(() => this.#setName(from, undefined));
      },
      rename: (from, to) =>
        turn(() => {
          this.#setName(to, this.#find(from));
          this.#setName(from, undefined);
        }),
      unlink: (name) =>
        turn(() => {
          this.#find(name);
          this.#setName(name, undefined);
        }),
      syncNames: () =>
        turn(() => {
          for (const change of this.#changes.splice(0)) this.#applyDurably(change);
        }),
    };
  }

  /** Everybody's processes are dead already; keeps what was synced and, of the rest, what the seed says. */
  powerCut(): void {
    // Changes of one name happen in order, those of different names in any.
    const stopped = new Set<string>();
    for (const change of this.#changes.splice(0)) {
      if (this.#random.chance(0.5)) stopped.add(change.name);
      if (!stopped.has(change.name)) this.#applyDurably(change);
    }
    const inodes = new Set([...this.#names.values(), ...this.#durableNames.values()]);
    for (const inode of inodes) {
      const keep = this.#random.next();
      for (const page of [...inode.dirty]) if (this.#random.chance(keep)) inode.writeBack(page);
      inode.dirty.clear();
      inode.cache.become(inode.durable.view);
      inode.links = 0;
    }
    this.#names.clear();
    for (const [name, inode] of this.#durableNames) {
      this.#names.set(name, inode);
      inode.links += 1;
    }
  }

  openFiles(process: SimProcess): number {
    return this.#open.get(process) ?? 0;
  }

  /** The bytes of a file as programs see them: to look at, and to damage. */
  contents(name: string): Buffer {
    return this.#find(name).cache.view;
  }

  /** Puts a file there, synced. */
  place(name: string, bytes: Buffer): void {
    const inode = new Inode();
    inode.cache.put(bytes, 0);
    inode.durable.put(bytes, 0);
    this.#setName(name, inode);
    for (const change of this.#changes.splice(0)) this.#applyDurably(change);
  }

  remove(name: string): void {
    this.#setName(name, undefined);
  }

  get names(): string[] {
    return [...this.#names.keys()].sort();
  }

  #find(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw failure('ENOENT');
    return inode;
  }

  #setName(name: string, inode: Inode | undefined): void {
    const before = this.#names.get(name);
    if (before !== undefined) before.links -= 1;
    if (inode === undefined) this.#names.delete(name);
    else {
      inode.links += 1;
      this.#names.set(name, inode);
    }
    this.#changes.push({ name, inode });
  }

  #applyDurably({ name, inode }: NameChange): void {
    if (inode === undefined) this.#durableNames.delete(name);
    else this.#durableNames.set(name, inode);
  }

  #file(
    process: SimProcess,
    inode: Inode,
    turn: <T>(fn: () => T) => Promise<T>,
    writable: boolean,
  ): OpenFile {
    let open = true;
    this.#open.set(process, this.openFiles(process) + 1);
    const use = <T>(fn: () => T): Promise<T> =>
      turn(() => {
        if (!open) throw failure('EBADF');
        return fn();
      });
    return {
      write: (bytes, offset) =>
        use(() => {
          if (!writable) throw failure('EBADF');
          if (this.failingWrites > 0) {
            this.failingWrites -= 1;
            inode.write(bytes.subarray(0, this.#random.below(bytes.length)), offset);
            throw failure('EIO');
          }
          // What the file has already needs no room.
          const most = Math.min(bytes.length, Math.max(0, inode.cache.length - offset) + this.free);
          if (most <= 0) throw failure('ENOSPC');
          const count = this.#random.chance(0.2) ? 1 + this.#random.below(most) : most;
          this.free -= Math.max(0, offset + count - inode.cache.length);
          inode.write(bytes.subarray(0, count), offset);
          // The kernel writes back when it likes.
          for (const page of [...inode.dirty]) if (this.#random.chance(0.1)) inode.writeBack(page);
          return count;
        }),
      read: (into, offset) =>
        use(() => {
          const most = Math.min(into.length, Math.max(0, inode.cache.length - offset));
          if (most === 0) return 0;
          const count = this.#random.chance(0.2) ? 1 + this.#random.below(most) : most;
          return inode.cache.view.copy(into, 0, offset, offset + count);
        }),
      sync: () =>
        use(() => {
          if (this.failingSyncs > 0) {
            this.failingSyncs -= 1;
            // As Linux does: pages that could not be written count as clean from now on.
            for (const page of [...inode.dirty]) if (this.#random.chance(0.5)) inode.writeBack(page);
            inode.dirty.clear();
            throw failure('EIO');
          }
          for (const page of [...inode.dirty]) inode.writeBack(page);
          inode.durable.truncate(inode.cache.length);
        }),
      // Only in the cache until the next sync: a power cut may bring the bytes back.
      truncate: (length) =>
        use(() => {
          this.free += inode.cache.length - length;
          inode.cache.truncate(length);
        }),
      size: () => use(() => inode.cache.length),
      isAt: (name) => this.#names.get(name) === inode,
      close: async () => {
        if (open) this.#open.set(process, this.openFiles(process) - 1);
        open = false;
      },
    };
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
