/**
 * The agent's side: a child process in a pseudo-terminal, its bytes complete and in order.
 *
 * Only `native.fork` of node-pty is used. Its own reader loses the end of the output at child exit
 * (libuv takes a partial read with POLLHUP for the end; node-pty destroys the master 200 ms after the
 * exit). We hold a slave descriptor open, so that no hang-up is seen while the child lives, and read
 * what is left after its exit ourselves (terminal.md §0, facts 1–3).
 *
 * The master is not CLOEXEC and Node cannot make it so (fact 8): whoever spawns a process that may
 * outlive this one must do so before `Pty.spawn`, else a killed wrapper leaves its agent as an
 * orphan. We ourselves spawn only `stty`, for milliseconds; the slave we hold is CLOEXEC.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import type { Clock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { loadNative, type NativePty } from './native.ts';
import { PacedWriter } from './paced-writer.ts';
import { openTtyReader } from './tty-reader.ts';

/** Bytes. The kernel gives at most 4,095 of a PTY at once. */
const READ_BYTES = 4096;
/** Bytes. More than the kernel holds of a PTY's output (about 12 kB): at the exit of the child all that
 * was printed by then is below it, and a grandchild that prints on and on cannot keep us. */
const DRAIN_BYTES = 64 * 1024;

export interface PtyOptions {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  cols: number;
  rows: number;
}

export interface PtyExit {
  exitCode: number;
  /** The number of the signal that ended the child, 0 if none did. */
  signal: number;
}

export interface PtyEvents {
  /** The next bytes of the agent. The buffer is the receiver's to keep. */
  onOutput(chunk: Buffer): void;
  /** The input queue is empty again. */
  onDrain(): void;
  /** The child has ended; called once, after the last output. */
  onExit(exit: PtyExit): void;
}

export class Pty {
  readonly pid: number;
  /** The path of the agent's side, such as /dev/pts/7. */
  readonly path: string;
  readonly #native: NativePty;
  readonly #fd: number;
  readonly #slave: number;
  readonly #events: PtyEvents;
  readonly #reader: ReadStream;
  readonly #writer: PacedWriter;
  #state: 'running' | 'draining' | 'ended' = 'running';
  #paused = false;
  #drained = 0;
  #exit: PtyExit | undefined;

  /** Starts `file` in a new PTY and session. It must exist (see resolve.ts). Throws PTY_FAILED. */
  constructor(options: PtyOptions, events: PtyEvents, clock: Clock) {
    const { native, helperPath } = loadNative();
    const env = Object.entries(options.env).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${value}`],
    );
    let forked: ReturnType<NativePty['fork']> | undefined;
    try {
      forked = native.fork(
        options.file,
        [...options.args],
        env,
        options.cwd,
        options.cols,
        options.rows,
        -1,
        -1,
        true, // IUTF8: backspace removes a whole character in cooked mode.
        helperPath,
        (exitCode, signal) => this.#childEnded({ exitCode, signal }),
      );
      this.#fd = forked.fd;
      this.pid = forked.pid;
      this.path = forked.pty;
      this.#slave = openSync(forked.pty, constants.O_RDWR | constants.O_NOCTTY);
    } catch (cause) {
      if (forked !== undefined) closeSync(forked.fd); // Hangs the child up.
      throw new RelayError('PTY_FAILED', `no pseudo-terminal for ${options.file}: ${String(cause)}`, {
        cause,
      });
    }
    this.#native = native;
    this.#events = events;
    this.#writer = new PacedWriter(this.#fd, clock, () => events.onDrain());
    this.#reader = openTtyReader(this.#fd, READ_BYTES, (chunk) => events.onOutput(chunk));
    // An error of the reader is followed by the exit of the child, which says all there is to say.
    this.#reader.on('error', () => {});
  }

  /** Bytes of input that the agent has not taken yet. */
  get pendingBytes(): number {
    return this.#writer.pendingBytes;
  }

  /** Queues input as one item, never mixed with another; `onEnd(whole)` when it is written or cannot be. */
  write(bytes: Uint8Array, onEnd?: (whole: boolean) => void): void {
    this.#writer.write(bytes, onEnd);
  }

  /** Stops the output: the kernel's buffer fills and the agent waits. Nothing is lost. */
  pause(): void {
    if (this.#paused || this.#state === 'ended') return;
    this.#paused = true;
    this.#reader.pause();
  }

  resume(): void {
    if (!this.#paused || this.#state === 'ended') return;
    this.#paused = false;
    if (this.#state === 'draining') this.#drain();
    else this.#reader.resume();
  }

  /** Hands over now what the agent has printed so far, unless paused. */
  readPending(): void {
    if (this.#state !== 'running') return;
    for (let total = 0; !this.#paused && total < DRAIN_BYTES; ) {
      const count = this.#readOnce();
      if (count === 0) return;
      total += count;
    }
  }

  resize(cols: number, rows: number): void {
    if (this.#state === 'running') this.#native.resize(this.#fd, cols, rows, 0, 0);
  }

  /** Sends a signal to the agent's process group; does nothing once it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#state !== 'running') return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // ESRCH: it has just ended, and the exit is on its way.
    }
  }

  /** Frees every descriptor. A child that still runs is hung up (SIGHUP); its exit is reported in any case. */
  close(): void {
    const unreported = this.#state === 'draining';
    this.#release();
    if (unreported) this.#events.onExit(this.#exit as PtyExit);
  }

  #release(): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'running') closeSync(this.#slave);
    this.#state = 'ended';
    this.#writer.close();
    this.#reader.destroy(); // Closes the master.
  }

  #childEnded(exit: PtyExit): void {
    this.#exit = exit;
    if (this.#state !== 'running') {
      this.#events.onExit(exit);
      return;
    }
    this.#state = 'draining';
    this.#reader.pause();
    closeSync(this.#slave);
    this.#drain();
  }

  #drain(): void {
    while (!this.#paused) {
      const count = this.#reader.destroyed || this.#drained >= DRAIN_BYTES ? 0 : this.#readOnce();
      this.#drained += count;
      if (count > 0) continue;
      this.#release();
      this.#events.onExit(this.#exit as PtyExit);
      return;
    }
  }

  /** Reads and hands over one piece; 0 when there is none (yet). */
  #readOnce(): number {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    try {
      const count = readSync(this.#fd, buffer);
      if (count > 0) this.#events.onOutput(buffer.subarray(0, count));
      return count;
    } catch {
      // EIO is how Linux reports that nobody holds the slave any more; EAGAIN: somebody still does.
      return 0;
    }
  }
}
