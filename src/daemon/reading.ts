/**
 * Whether we read from a client: not while too much of it waits for the disk (P14), nor while there is
 * nothing to answer with (P20). What it sends meanwhile waits in the kernel.
 */
import { MAX_UNSTORED_BYTES } from '../protocol/limits.ts';
import type { Connection } from '../transport/connection.ts';

export class Reading {
  readonly #connection: Connection;
  #unstoredBytes = 0;
  #paused = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Counts bytes that wait for the disk; beyond the limit we stop reading, until it has them (P14). */
  storing(bytes: number): void {
    this.#unstoredBytes += bytes;
    if (!this.#paused && this.#unstoredBytes > MAX_UNSTORED_BYTES) this.hush(true);
    else if (this.#paused && this.#unstoredBytes < MAX_UNSTORED_BYTES / 2) this.hush(false);
  }

  /** Stops reading until there is something to answer with: it recovers, or WELCOME is being stored (P20). */
  hush(on: boolean): void {
    this.#paused = on;
    if (on) this.#connection.pause();
    else this.#connection.resume();
  }
}
