/**
 * Writes to a non-blocking descriptor in order, each item whole, never blocking and never spinning:
 * small writes, and a growing pause while the reader does not read (terminal.md §2, big writes).
 */
import { writeSync } from 'node:fs';
import type { Clock, Timer } from '../base/clock.ts';
import { systemCode } from '../base/errors.ts';

/** Bytes. What the kernel takes at once on a PTY; larger writes only come back short. */
const WRITE_BYTES = 4096;
/** Bytes. After that much in one turn the event loop gets its share. */
const TURN_BYTES = 64 * 1024;
/** Milliseconds between attempts while the reader is stalled: 1, 2, 4, 8, 16, 16, … */
const MAX_BACKOFF_MS = 16;

interface Item {
  bytes: Uint8Array;
  onEnd: ((whole: boolean) => void) | undefined;
}

export class PacedWriter {
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #onDrain: () => void;
  readonly #queue: Item[] = [];
  #offset = 0;
  #pendingBytes = 0;
  #backoffMs = 1;
  #timer: Timer | undefined;
  #state: 'open' | 'closed' = 'open';

  /** `onDrain` is called each time the queue has become empty after it had to wait. */
  constructor(fd: number, clock: Clock, onDrain: () => void) {
    this.#fd = fd;
    this.#clock = clock;
    this.#onDrain = onDrain;
  }

  /** Bytes accepted and not yet written. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Queues one item; items are written one after another and never mixed. `onEnd(true)` when its last
   * byte is written, `onEnd(false)` when the reader ended before. The bytes must not change meanwhile.
   */
  write(bytes: Uint8Array, onEnd?: (whole: boolean) => void): void {
    if (this.#state === 'closed') {
      onEnd?.(false);
      return;
    }
    this.#queue.push({ bytes, onEnd });
    this.#pendingBytes += bytes.length;
    if (this.#timer === undefined && this.#queue.length === 1) this.#flush();
  }

  /** Forgets what is left; does not close the descriptor. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#pendingBytes = 0;
    for (const item of this.#queue.splice(0)) item.onEnd?.(false);
  }

  #flush(): void {
    const waited = this.#timer !== undefined;
    this.#timer = undefined;
    let turn = 0;
    for (let item = this.#queue[0]; item !== undefined; item = this.#queue[0]) {
      if (turn >= TURN_BYTES) {
        this.#flushAfter(0);
        return;
      }
      const length = Math.min(WRITE_BYTES, item.bytes.length - this.#offset);
      try {
        const written = length === 0 ? 0 : writeSync(this.#fd, item.bytes, this.#offset, length);
        this.#backoffMs = 1;
        this.#offset += written;
        this.#pendingBytes -= written;
        turn += written;
      } catch (error) {
        if (systemCode(error) === 'EAGAIN') {
          this.#flushAfter(this.#backoffMs);
          this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
        } else {
          this.close(); // EIO: the reader is gone.
        }
        return;
      }
      if (this.#offset < item.bytes.length) continue;
      this.#queue.shift();
      this.#offset = 0;
      item.onEnd?.(true);
    }
    if (waited) this.#onDrain();
  }

  #flushAfter(ms: number): void {
    this.#timer = this.#clock.after(ms, () => this.#flush());
  }
}
