/** What the outbox on disk stands on: its directory and the processes beside ours. This machine's, or one that is simulated. */
import { isAlive } from '../base/is-alive.ts';
import { OUTBOX_FILE_BYTES } from '../protocol/limits.ts';
import { OutboxDirectory, type OutboxDirectoryOptions } from './outbox-directory.ts';

export interface OutboxGround {
  readonly directory: Pick<OutboxDirectory, keyof OutboxDirectory>;
  /** Of the wrapper whose files these are. */
  readonly pid: number;
  isAlive(pid: number): boolean;
  /** Runs `fn` in the next turn, after what is said in this one. */
  soon(fn: () => void): void;
  /** Bytes of a file before the next is begun. */
  readonly fileBytes: number;
}

/** This machine. */
export const firmOutbox = (options: OutboxDirectoryOptions): OutboxGround => ({
  directory: new OutboxDirectory(options),
  pid: process.pid,
  isAlive,
  soon: setImmediate,
  fileBytes: OUTBOX_FILE_BYTES,
});
