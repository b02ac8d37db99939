/** The relay's directory: names of sockets and links, of which any may be swept away at any time (P19, P20). */
import { basename, dirname } from 'node:path';
import type { FileStat, SocketFiles } from '../../src/daemon/socket-files.ts';
import { epochOfName } from '../../src/transport/relay-sockets.ts';
import type { SimListener } from './sim-listener.ts';

export const DIRECTORY = '/sim';

/** Milliseconds between two ticks of the clock by which a kernel stamps its directories. */
const STAMP_MS = 4;

interface Entry extends FileStat {
  listener?: SimListener;
  target?: string;
}

const entry = (ino: number, mtimeMs: number, what: Pick<Entry, 'listener' | 'target'> = {}): Entry => ({
  dev: 1,
  ino,
  mtimeMs,
  ...what,
  isSymbolicLink: () => what.target !== undefined,
});

export class SimDirectory {
  readonly #now: () => number;
  readonly #names = new Map<string, Entry>();
  #inodes = 1;
  #changed = 0;
  /** What host.json says. */
  hostFile = '';

  /** @param now the wall clock, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The highest epoch that has a socket, else 0. */
  get highest(): number {
    let highest = 0;
    for (const name of this.#names.keys()) highest = Math.max(highest, epochOfName(name) ?? 0);
    return highest;
  }

  /** Whoever listens at a path, or has listened there. Throws ENOENT. */
  at(path: string): SimListener {
    const listener = this.#find(path).listener;
    if (listener === undefined) throw failure('ENOTSOCK');
    return listener;
  }

  /** bind(2). */
  bind(path: string, listener: SimListener): void {
    this.#put(path, entry(++this.#inodes, this.#now(), { listener }));
  }

  /** A power cut, or somebody who tidies up, took the sockets away, and with them how high they were. */
  sweep(): void {
    for (const name of [...this.#names.keys()]) this.#drop(name);
  }

  readonly files: SocketFiles = {
    lstat: (path) => (path === DIRECTORY ? entry(1, this.#changed) : this.#names.get(basename(path))),
    list: () => [...this.#names.keys()],
    chmod: (path) => void this.#find(path),
    link: (from, to) => this.#put(to, this.#find(from)),
    readlink: (path) => this.#find(path).target ?? '',
    rename: (from, to) => {
      const moved = this.#find(from);
      this.#names.delete(basename(to));
      this.#put(to, moved);
      this.#drop(basename(from));
    },
    symlink: (target, path) => this.#put(path, entry(++this.#inodes, this.#now(), { target })),
    unlink: (path) => {
      this.#find(path);
      this.#drop(basename(path));
    },
  };

  #find(path: string): Entry {
    const found = dirname(path) === DIRECTORY ? this.#names.get(basename(path)) : undefined;
    if (found === undefined) throw failure('ENOENT');
    return found;
  }

  #put(path: string, what: Entry): void {
    if (this.#names.has(basename(path))) throw failure('EEXIST');
    this.#names.set(basename(path), what);
    this.#touch();
  }

  #drop(name: string): void {
    this.#names.delete(name);
    this.#touch();
  }

  #touch(): void {
    this.#changed = Math.floor(this.#now() / STAMP_MS) * STAMP_MS;
  }
}

const failure = (code: string): Error => Object.assign(new Error(`${code}: simulated`), { code });
