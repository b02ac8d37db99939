/** One agent's screen as its wrapper shows it, frame by frame, found again when it was lost. docs/people.md. */
import type { Clock, Timer } from '../base/clock.ts';
import { MAX_SCREEN_FRAME_BYTES, ScreenFrame } from '../protocol/screen-frame.ts';
import { connectUnix } from '../transport/unix.ts';

/** Milliseconds between two tries to reach a wrapper. */
const RETRY_MS = 500;
const LF = 0x0a;

export class ScreenFollower {
  readonly agent: string;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onFrame: (frame: ScreenFrame | undefined) => void;
  readonly #stop = new AbortController();
  #timer: Timer | undefined;

  /** Begins at once. `onFrame` is told `undefined` when nobody shows the screen any more. */
  constructor(
    agent: string,
    socketPath: string,
    clock: Clock,
    onFrame: (frame: ScreenFrame | undefined) => void,
  ) {
    this.agent = agent;
    this.#path = socketPath;
    this.#clock = clock;
    this.#onFrame = onFrame;
    void this.#follow();
  }

  /** Twice is fine. */
  close(): void {
    this.#stop.abort();
    this.#timer?.cancel();
  }

  async #follow(): Promise<void> {
    try {
      await this.#read();
    } catch {
      // No wrapper there (yet), or one that shows what is no screen: either way there is none to see.
    }
    if (this.#stop.signal.aborted) return;
    this.#onFrame(undefined);
    this.#timer = this.#clock.after(RETRY_MS, () => void this.#follow());
  }

  /** Until the wrapper, or we, end it. */
  async #read(): Promise<void> {
    const socket = await connectUnix(this.#path, this.#stop.signal);
    let pieces: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        const end = chunk.lastIndexOf(LF);
        bytes += chunk.length;
        pieces.push(chunk);
        if (end >= 0) {
          const whole = Buffer.concat(pieces).subarray(0, bytes - chunk.length + end);
          pieces = [chunk.subarray(end + 1)];
          bytes = chunk.length - end - 1;
          // Only the latest is of use.
          const line = whole.subarray(whole.lastIndexOf(LF) + 1);
          if (!this.#stop.signal.aborted) this.#onFrame(ScreenFrame.parse(JSON.parse(line.toString())));
        }
        if (bytes > MAX_SCREEN_FRAME_BYTES) return;
      }
    } finally {
      socket.destroy();
    }
  }
}
