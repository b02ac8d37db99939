/** Where the outbox files lie. Nothing in it is trusted to be ours before it was looked at. */
import { constants, readdirSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { preparePrivate } from '../base/paths.ts';
import { MAX_FRAME_BYTES, OUTBOX_FILE_BYTES } from '../protocol/limits.ts';

/** A line of the longest frame can follow where the limit is not reached; no file of ours is longer. */
export const MAX_FILE_BYTES = 2 * (OUTBOX_FILE_BYTES + MAX_FRAME_BYTES);

/** A link is not followed, and a FIFO does not block. */
const SAFELY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** An open file of the outbox. */
export interface OutboxHandle {
  write(bytes: Buffer, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  read(bytes: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
}

export interface OutboxDirectoryOptions {
  /** Where the files lie; its parent exists and is ours alone. May throw: then there is no disk. */
  directory: () => string;
  uid: number;
  log: Log;
}

export class OutboxDirectory {
  readonly #options: OutboxDirectoryOptions;
  #path: string | undefined;

  constructor(options: OutboxDirectoryOptions) {
    this.#options = options;
    try {
      this.#path = options.directory(); // Later the relay's place may be unusable.
    } catch (error) {
      options.log.info('outbox.no-place', { error });
    }
  }

  /** The path of a file. Throws while there is no disk, as everything here does. */
  at(name: string): string {
    return join(this.#place, name);
  }

  /** All names in it, the oldest of an agent first; none if it is not there yet. */
  names(): string[] {
    try {
      return readdirSync(this.#place).sort();
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** Makes it, ours alone, if need be. */
  prepare(): void {
    preparePrivate(this.#place, this.#options.uid);
  }

  /** Opens a file, which must be one of ours: no link, nobody else's, no longer than we write. */
  async with<T>(
    name: string,
    flags: number,
    work: (handle: OutboxHandle, size: number) => Promise<T>,
  ): Promise<T> {
    const handle = await open(this.at(name), flags | SAFELY, 0o600);
    try {
      const stat = await handle.stat();
      const { uid } = this.#options;
      const ours = stat.isFile() && stat.uid === uid && (stat.mode & 0o077) === 0 && stat.nlink === 1;
      if (!ours || stat.size > MAX_FILE_BYTES) throw new Error('it is not a file of ours');
      return await work(handle, stat.size);
    } finally {
      await handle.close();
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.at(name), { force: true });
  }

  /** Keeps a damaged file for the person, under a name that no wrapper takes up. */
  async putAside(name: string): Promise<void> {
    await rename(this.at(name), `${this.at(name)}.damaged`);
  }

  get #place(): string {
    this.#path ??= this.#options.directory();
    return this.#path;
  }
}
