/**
 * Who hosts the daemon: the highest numbered socket of the relay's directory, published with link(2),
 * and the fence that tells a leader whether it still is one. architecture.md "Leadership and the store" (P19, P20).
 */
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RelayError, systemCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { listEpochs, socketName } from '../transport/relay-sockets.ts';
import type { Listener } from './listener.ts';
import { type FileStat, type SocketFiles, socketFiles } from './socket-files.ts';
import type { Fence } from './store/store.ts';

/** The symlink for clients that know one path (P19). */
export const FIXED_NAME = 'relay.sock';

/** Milliseconds within which two changes of a directory may carry one time stamp. */
const STAMP_MS = 50;

export interface ElectionOptions {
  directory: string;
  /** The highest epoch known: the new one is one more. */
  above: number;
  /** Begins to listen here. */
  listener: Listener;
  files: SocketFiles;
  clock: Clock;
  log: Log;
  /** `--socket`: another place for a symlink to us. */
  socketPath?: string | undefined;
}

export class Leadership implements Fence {
  readonly epoch: number;
  /** Our numbered socket. */
  readonly path: string;
  readonly #directory: string;
  readonly #files: SocketFiles;
  readonly #clock: Clock;
  readonly #place: FileStat | undefined;
  readonly #socket: FileStat | undefined;
  readonly #links: readonly string[];
  readonly #log: Log;
  /** What lies where a link of ours should, and was said to. */
  readonly #inTheWay = new Set<string>();
  /** The directory's time stamp when it last held our socket and no higher epoch. */
  #seen = Number.NaN;

  private constructor(options: ElectionOptions, epoch: number) {
    this.epoch = epoch;
    this.path = join(options.directory, socketName(epoch));
    this.#directory = options.directory;
    this.#files = options.files;
    this.#clock = options.clock;
    this.#place = options.files.lstat(options.directory);
    this.#socket = options.files.lstat(this.path);
    this.#log = options.log;
    this.#links = [
      join(options.directory, FIXED_NAME),
      ...(options.socketPath === undefined ? [] : [options.socketPath]),
    ];
  }

  /** Stands for election; undefined when another won. The listener is closed then. */
  static async stand(options: ElectionOptions): Promise<Leadership | undefined> {
    const { directory, files, listener } = options;
    const epoch = options.above + 1;
    const temporary = join(directory, `.new-${process.pid}-${Math.random().toString(36).slice(2, 10)}`);
    await listener.listen(temporary);
    try {
      files.chmod(temporary, 0o600);
      files.link(temporary, join(directory, socketName(epoch)));
      files.unlink(temporary);
      if (listEpochs(directory, files.list).at(-1) === epoch) return new Leadership(options, epoch);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') files.unlink(temporary);
      // ENOENT: the directory was swept away under us, and is made anew by the next attempt.
      else if (systemCode(error) !== 'ENOENT') throw error;
    }
    await listener.close();
    return undefined;
  }

  check(): void {
    // Of the name itself: a link to where our directory was moved is not our directory.
    const place = this.#files.lstat(this.#directory);
    if (!same(place, this.#place))
      throw this.#deposed('the relay directory was removed, moved away or replaced');
    // Whoever takes over links a higher socket, whoever sweeps removes ours: both change the time stamp.
    const stamp = (place as FileStat).mtimeMs;
    if (stamp === this.#seen) return;
    if (!same(this.#files.lstat(this.path), this.#socket)) {
      throw this.#deposed('our socket is gone');
    }
    const highest = listEpochs(this.#directory, this.#files.list).at(-1) ?? 0;
    if (highest > this.epoch) throw this.#deposed(`epoch ${highest} leads`);
    if (this.#clock.now() - stamp > STAMP_MS) this.#seen = stamp;
  }

  /** Removes the sockets of earlier reigns and sets the symlinks right. Throws DEPOSED. */
  heal(): void {
    this.check();
    for (const epoch of listEpochs(this.#directory, this.#files.list)) {
      // Ascending: whoever was deposed twice must see its own socket go before that of its successor.
      if (epoch < this.epoch) remove(this.#files, join(this.#directory, socketName(epoch)));
    }
    for (const link of this.#links) {
      try {
        this.#point(link);
      } catch (error) {
        if (error instanceof RelayError) throw error;
        this.#log.warn('leader.link', { link, error });
      }
    }
  }

  #point(link: string): void {
    const target = dirname(link) === this.#directory ? basename(this.path) : this.path;
    if (this.#files.lstat(link) !== undefined) {
      if (!isOurs(link, this.#directory, this.#files)) {
        if (!this.#inTheWay.has(link)) this.#log.warn('leader.link-in-the-way', { link });
        this.#inTheWay.add(link);
        return;
      }
      if (this.#files.readlink(link) === target) return;
    }
    const temporary = `${link}.${process.pid}.${this.epoch}`;
    remove(this.#files, temporary);
    this.#files.symlink(target, temporary);
    this.#files.rename(temporary, link);
    // A leader that came between would be pointed away from: it sets it right within a second, we step down.
    this.check();
  }

  #deposed(message: string): RelayError {
    return new RelayError('DEPOSED', message, { details: { epoch: this.epoch } });
  }
}

/** Whether what lies at `path` is a symlink in the relay's directory, or into it: ours to replace (P19). */
export function isOurs(path: string, directory: string, files: SocketFiles = socketFiles): boolean {
  if (files.lstat(path)?.isSymbolicLink() !== true) return false;
  if (dirname(path) === directory) return true;
  const target = files.readlink(path);
  const inside = target.startsWith('/') ? dirname(target) : join(dirname(path), dirname(target));
  return inside === directory;
}

const same = (stat: FileStat | undefined, known: FileStat | undefined): boolean =>
  stat !== undefined && stat.dev === known?.dev && stat.ino === known.ino;

function remove(files: SocketFiles, path: string): void {
  try {
    files.unlink(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
