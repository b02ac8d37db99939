/**
 * Who hosts the daemon: the highest numbered socket of the relay's directory, published with link(2),
 * and the fence that tells a leader whether it still is one. architecture.md "Leadership and the store" (P19, P20).
 */
import {
  chmodSync,
  linkSync,
  lstatSync,
  readlinkSync,
  renameSync,
  type Stats,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import type { Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { RelayError, systemCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { listEpochs, socketName } from '../transport/relay-sockets.ts';
import { listenUnix, type SocketAddress } from '../transport/unix.ts';
import type { Fence } from './store/store.ts';

/** The symlink for clients that know one path (P19). */
export const FIXED_NAME = 'relay.sock';

/** Milliseconds within which two changes of a directory may carry one time stamp. */
const STAMP_MS = 50;

export interface ElectionOptions {
  directory: string;
  /** The highest epoch known: the new one is one more. */
  above: number;
  /** Listens already for connections, which wait until the winner serves them. */
  server: Server;
  log: Log;
  /** `--socket`: another place for a symlink to us. */
  socketPath?: string | undefined;
}

export class Leadership implements Fence {
  readonly epoch: number;
  /** Our numbered socket. */
  readonly path: string;
  readonly #directory: string;
  readonly #address: SocketAddress;
  readonly #place: Pick<Stats, 'dev' | 'ino'>;
  readonly #socket: Pick<Stats, 'dev' | 'ino'>;
  readonly #links: readonly string[];
  readonly #log: Log;
  /** The directory's time stamp when it last held no higher epoch. */
  #seen = Number.NaN;

  private constructor(options: ElectionOptions, epoch: number, address: SocketAddress) {
    this.epoch = epoch;
    this.path = join(options.directory, socketName(epoch));
    this.#directory = options.directory;
    this.#address = address;
    this.#place = statSync(options.directory);
    this.#socket = lstatSync(this.path);
    this.#log = options.log;
    this.#links = [
      join(options.directory, FIXED_NAME),
      ...(options.socketPath === undefined ? [] : [options.socketPath]),
    ];
  }

  /** Stands for election; undefined when another won. The server is closed then. */
  static async stand(options: ElectionOptions): Promise<Leadership | undefined> {
    const { directory, server } = options;
    const epoch = options.above + 1;
    const temporary = join(directory, `.new-${process.pid}-${Math.random().toString(36).slice(2, 10)}`);
    const address = await listenUnix(server, temporary);
    try {
      chmodSync(temporary, 0o600);
      linkSync(temporary, join(directory, socketName(epoch)));
      unlinkSync(temporary);
      if (listEpochs(directory).at(-1) === epoch) return new Leadership(options, epoch, address);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') unlinkSync(temporary);
      // ENOENT: the directory was swept away under us, and is made anew by the next attempt.
      else if (systemCode(error) !== 'ENOENT') throw error;
    }
    await new Promise((closed) => server.close(closed));
    address.release();
    return undefined;
  }

  check(): void {
    const place = statSync(this.#directory, { throwIfNoEntry: false });
    if (!same(place, this.#place)) throw this.#deposed('the relay directory was replaced');
    if (!same(lstatSync(this.path, { throwIfNoEntry: false }), this.#socket)) {
      throw this.#deposed('our socket is gone');
    }
    // Whoever takes over links a higher socket, which changes the directory's time stamp.
    const stamp = (place as Stats).mtimeMs;
    if (stamp === this.#seen) return;
    const highest = listEpochs(this.#directory).at(-1) ?? 0;
    if (highest > this.epoch) throw this.#deposed(`epoch ${highest} leads`);
    if (Date.now() - stamp > STAMP_MS) this.#seen = stamp;
  }

  /** Removes the sockets of earlier reigns and sets the symlinks right. Throws DEPOSED. */
  heal(): void {
    this.check();
    for (const epoch of listEpochs(this.#directory)) {
      // Ascending: whoever was deposed twice must see its own socket go before that of its successor.
      if (epoch < this.epoch) remove(join(this.#directory, socketName(epoch)));
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

  /** To be called when the server has ended. The socket's file stays: nobody removes the highest. */
  release(): void {
    this.#address.release();
  }

  #point(link: string): void {
    const target = dirname(link) === this.#directory ? basename(this.path) : this.path;
    const there = lstatSync(link, { throwIfNoEntry: false });
    if (there !== undefined) {
      if (!isOurs(link, this.#directory)) {
        this.#log.warn('leader.link-in-the-way', { link });
        return;
      }
      if (readlinkSync(link) === target) return;
    }
    const temporary = `${link}.${process.pid}.${this.epoch}`;
    remove(temporary);
    symlinkSync(target, temporary);
    renameSync(temporary, link);
    // A leader that came between would be pointed away from: it sets it right within a second, we step down.
    this.check();
  }

  #deposed(message: string): RelayError {
    return new RelayError('DEPOSED', message, { details: { epoch: this.epoch } });
  }
}

/** Whether what lies at `path` is a symlink into the relay's directory: ours to replace (P19). */
export function isOurs(path: string, directory: string): boolean {
  if (!lstatSync(path).isSymbolicLink()) return false;
  const target = readlinkSync(path);
  const inside = target.startsWith('/') ? dirname(target) : join(dirname(path), dirname(target));
  return inside === directory;
}

const same = (stat: Stats | undefined, { dev, ino }: Pick<Stats, 'dev' | 'ino'>): boolean =>
  stat !== undefined && stat.dev === dev && stat.ino === ino;

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
