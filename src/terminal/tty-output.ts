/**
 * Bytes to the person's terminal (or the pipe or file that stands for it) without ever blocking the
 * event loop, in which the relay daemon may live (terminal.md §0, fact 5).
 */
import { closeSync, constants, openSync, writeSync, writev } from 'node:fs';
import { isatty } from 'node:tty';
import type { Clock } from '../base/clock.ts';
import { systemCode } from '../base/errors.ts';

/** Bytes. Above this `write` asks for a pause: a few screens, so a stalled terminal costs no memory. */
export const HIGH_WATER_BYTES = 64 * 1024;
/** Milliseconds before another attempt on a descriptor that somebody else has made non-blocking. */
const RETRY_MS = 5;

export interface TtyOutputEvents {
  /** All is written, after `write` had said false. */
  onDrain(): void;
  /** Nobody reads any more (EIO, EPIPE, …): what comes from now on is dropped. */
  onGone(code: string): void;
}

/**
 * Our own non-blocking description of the terminal; descriptor 1 itself is shared with the shell and
 * must stay as it is. Only for terminals: on a redirected file it would write from offset 0.
 * `undefined` where there is no /proc or no permission (after `su`): then all goes by the thread pool.
 */
function openOwn(fd: number): number | undefined {
  if (!isatty(fd)) return undefined;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

export class TtyOutput {
  readonly #fd: number;
  readonly #own: number | undefined;
  readonly #clock: Clock;
  readonly #events: TtyOutputEvents;
  #queue: Uint8Array[] = [];
  #pendingBytes = 0;
  #congested = false;
  #state: 'idle' | 'writing' | 'gone' | 'closed' = 'idle';
  #flushed: (() => void)[] = [];

  constructor(fd: number, clock: Clock, events: TtyOutputEvents) {
    this.#fd = fd;
    this.#own = openOwn(fd);
    this.#clock = clock;
    this.#events = events;
  }

  /** False: stop until `onDrain`. The bytes are taken in either case and must not change afterwards. */
  write(chunk: Uint8Array): boolean {
    if (this.#state === 'gone' || this.#state === 'closed') return true;
    this.#queue.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#state === 'idle') this.#flush();
    if (this.#pendingBytes > HIGH_WATER_BYTES) this.#congested = true;
    return !this.#congested;
  }

  /** Resolves when everything is with the kernel, or nobody is left to read it. */
  flushed(): Promise<void> {
    if (this.#state !== 'writing') return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#drop();
    if (this.#own !== undefined) closeSync(this.#own);
  }

  #flush(): void {
    this.#state = 'idle';
    if (this.#own !== undefined && !this.#writeAtOnce(this.#own)) return;
    if (this.#queue.length === 0) {
      this.#settle();
      return;
    }
    this.#state = 'writing';
    // One write in flight, in the thread pool, on the blocking descriptor: it ends exactly when the
    // reader has read, where a timer would poll. At a pipe or file it is the only way not to block.
    writev(this.#fd, this.#queue, (error, written) => {
      if (this.#state === 'closed') return;
      const code = systemCode(error);
      if (code === 'EAGAIN' || code === 'EINTR') {
        this.#clock.after(RETRY_MS, () => {
          if (this.#state !== 'closed') this.#flush();
        });
        return;
      }
      if (error) {
        this.#lose(code ?? error.message);
        return;
      }
      this.#taken(written);
      this.#flush();
    });
  }

  /** The fast path; false if the reader turned out to be gone. */
  #writeAtOnce(own: number): boolean {
    for (let chunk = this.#queue[0]; chunk !== undefined; chunk = this.#queue[0]) {
      try {
        this.#taken(writeSync(own, chunk));
      } catch (error) {
        const code = systemCode(error);
        if (code === 'EAGAIN') return true;
        this.#lose(code ?? String(error));
        return false;
      }
    }
    return true;
  }

  #taken(count: number): void {
    this.#pendingBytes -= count;
    let left = count;
    let whole = 0;
    for (const chunk of this.#queue) {
      if (chunk.length > left) break;
      left -= chunk.length;
      whole += 1;
    }
    if (whole > 0) this.#queue.splice(0, whole);
    if (left > 0) this.#queue[0] = (this.#queue[0] as Uint8Array).subarray(left);
  }

  #settle(): void {
    for (const resolve of this.#flushed.splice(0)) resolve();
    if (!this.#congested) return;
    this.#congested = false;
    this.#events.onDrain();
  }

  #lose(code: string): void {
    this.#state = 'gone';
    this.#drop();
    this.#events.onGone(code);
  }

  #drop(): void {
    this.#queue = [];
    this.#pendingBytes = 0;
    this.#settle();
  }
}
