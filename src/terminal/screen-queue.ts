/** What waits for the emulator, in order: output, and the resizes among it. Bounded, and given out in slices. */

/** Bytes waiting for the emulator (terminal.md §4). Beyond it the PTY is paused; nothing is skipped. */
export const MAX_QUEUE_BYTES = 4 * 1024 * 1024;
/** Bytes given to the emulator at once: about 1 ms of its work, so that keys are not kept waiting. */
const SLICE_BYTES = 64 * 1024;

export type ScreenJob = { bytes: Buffer } | { cols: number; rows: number };

export class ScreenQueue {
  readonly #jobs: ScreenJob[] = [];
  /** Bytes that were not written yet, those given out included. */
  #bytes = 0;

  /** `false`: it is full. */
  push(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES)
      this.#jobs.push({ bytes: bytes.subarray(at, at + SLICE_BYTES) });
    this.#bytes += bytes.length;
    return this.#bytes < MAX_QUEUE_BYTES;
  }

  resize(cols: number, rows: number): void {
    this.#jobs.push({ cols, rows });
  }

  /** The next job; small pieces of output are put together, as each write costs a turn of the loop. */
  next(): ScreenJob | undefined {
    const job = this.#jobs.shift();
    if (job === undefined || !('bytes' in job)) return job;
    const pieces = [job.bytes];
    let length = job.bytes.length;
    for (let next = this.#jobs[0]; next !== undefined && 'bytes' in next; next = this.#jobs[0]) {
      length += next.bytes.length;
      if (length > SLICE_BYTES) break;
      pieces.push(next.bytes);
      this.#jobs.shift();
    }
    return pieces.length === 1 ? job : { bytes: Buffer.concat(pieces) };
  }

  /** So many bytes that were given out are on the screen. */
  written(bytes: number): void {
    this.#bytes -= bytes;
  }

  clear(): void {
    this.#jobs.length = 0;
    this.#bytes = 0;
  }
}
