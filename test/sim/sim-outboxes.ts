/**
 * The files of the agents' outboxes, as one machine has them: kept when a process dies, torn or gone after a
 * power cut, because nobody syncs them; a disk without room refuses what is written, or part of it (P12, P21).
 */
import { constants } from 'node:fs';
import type { OutboxHandle } from '../../src/wrap/outbox-directory.ts';
import type { OutboxGround } from '../../src/wrap/outbox-ground.ts';
import type { Random, SimDisk } from '../helpers/sim-files.ts';
import type { SimProcess } from './sim-process.ts';

/** Bytes that reach the platter together or not at all. */
const PAGE_BYTES = 64;

/** Small, so that some sessions have several files. */
const FILE_BYTES = 600;

export class SimOutboxes {
  readonly #random: Random;
  readonly #disk: Pick<SimDisk, 'free'>;
  readonly #isAlive: (pid: number) => boolean;
  readonly #files = new Map<string, Buffer>();
  /** How many of the coming writes fail with EIO. */
  failingWrites = 0;

  constructor(random: Random, disk: Pick<SimDisk, 'free'>, isAlive: (pid: number) => boolean) {
    this.#random = random;
    this.#disk = disk;
    this.#isAlive = isAlive;
  }

  /** Files that somebody is still to send; what is damaged is put aside for the person. */
  get left(): string[] {
    return [...this.#files.keys()].filter((name) => !name.endsWith('.damaged'));
  }

  powerCut(): void {
    for (const [name, bytes] of [...this.#files]) {
      if (this.#random.chance(0.3)) this.#files.delete(name);
      else if (this.#random.chance(0.5)) this.#files.set(name, this.#torn(bytes));
    }
  }

  ground(process: SimProcess): OutboxGround {
    const turn = <T>(fn: () => T): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        process.later(() => {
          try {
            resolve(fn());
          } catch (error) {
            reject(error);
          }
        });
      });
    return {
      pid: process.pid,
      isAlive: this.#isAlive,
      soon: (fn) => process.soon(0, fn),
      fileBytes: FILE_BYTES,
      directory: {
        at: (name) => `/sim/outbox/${name}`,
        names: () => [...this.#files.keys()].sort(),
        prepare: () => {},
        with: async (name, flags, work) => {
          const size = await turn(() => this.#open(name, flags));
          return work(this.#handle(name, turn), size);
        },
        remove: (name) => turn(() => void this.#files.delete(name)),
        putAside: (name) =>
          turn(() => {
            this.#files.set(`${name}.damaged`, this.#files.get(name) ?? Buffer.alloc(0));
            this.#files.delete(name);
          }),
      },
    };
  }

  #open(name: string, flags: number): number {
    const bytes = this.#files.get(name);
    if (bytes !== undefined) return bytes.length;
    if ((flags & constants.O_CREAT) === 0) throw failure('ENOENT');
    if (this.#disk.free <= 0) throw failure('ENOSPC');
    this.#files.set(name, Buffer.alloc(0));
    return 0;
  }

  #handle(name: string, turn: <T>(fn: () => T) => Promise<T>): OutboxHandle {
    return {
      write: (bytes, offset, length, position) =>
        turn(() => {
          const before = this.#files.get(name) ?? Buffer.alloc(0);
          const most = Math.min(length, Math.max(0, before.length - position) + this.#disk.free);
          if (most <= 0) throw failure('ENOSPC');
          const bytesWritten = this.#random.chance(0.8) ? most : 1 + this.#random.below(most);
          const part = bytes.subarray(offset, offset + bytesWritten);
          const rest = before.subarray(position + bytesWritten);
          this.#files.set(name, Buffer.concat([before.subarray(0, position), part, rest]));
          if (this.failingWrites === 0) return { bytesWritten };
          this.failingWrites -= 1;
          throw failure('EIO');
        }),
      read: (into, offset, length, position) =>
        turn(() => {
          const bytes = this.#files.get(name)?.subarray(position, position + length) ?? Buffer.alloc(0);
          return { bytesRead: bytes.copy(into, offset) };
        }),
    };
  }

  /** Cut off somewhere, and one of its pages was never written. */
  #torn(bytes: Buffer): Buffer {
    const torn = Buffer.from(bytes.subarray(0, this.#random.below(bytes.length + 1)));
    const page = this.#random.below(1 + Math.floor(torn.length / PAGE_BYTES)) * PAGE_BYTES;
    if (this.#random.chance(0.3)) torn.subarray(page, page + PAGE_BYTES).fill(0);
    return torn;
  }
}

const failure = (code: string): Error => Object.assign(new Error(`${code}: simulated`), { code });
