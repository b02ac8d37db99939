/** Plays a recording to a terminal in its own time, and leaves the terminal as it was. */
import type { Clock, Timer } from '../base/clock.ts';
import type { CastEvent } from './cast.ts';
import type { Tty } from './tty.ts';

/**
 * What a recording may leave switched on: attributes, the alternate screen, a hidden cursor, mouse and focus
 * reports, bracketed paste, application keys, Kitty's and xterm's keyboards, a scroll region, a synchronized update.
 */
export const RESET =
  '\x1b[?2026l\x1b[m\x1b[r\x1b[?1000;1002;1003;1004;1005;1006;1015;2004l\x1b[?1l\x1b>\x1b[<9u\x1b[>4m\x1b[?1049l\x1b[?25h';

const CTRL_C = 0x03;
const SPACE = 0x20;
const Q = 0x71;

export interface PlayerOptions {
  tty: Tty;
  /** So many times as fast as it was. */
  speed: number;
  /** The longest wait of the recording that is kept, milliseconds. */
  idleLimitMs: number;
  clock: Clock;
}

export class Player {
  readonly #options: PlayerOptions;
  #state: 'playing' | 'paused' | 'stopped' = 'playing';
  #timer: Timer | undefined;
  /** What `play` waits for. */
  #wake: (() => void) | undefined;

  constructor(options: PlayerOptions) {
    this.#options = options;
  }

  /** Plays to the end, or until stopped by `stop` or a key. Call it once. */
  async play(events: AsyncIterable<CastEvent>): Promise<'ended' | 'stopped'> {
    const { tty, speed, idleLimitMs } = this.#options;
    tty.enterRaw();
    let drained = () => {};
    tty.start({
      // Replies of the terminal to queries in the recording come here too, and go nowhere.
      onInput: (chunk) => this.#input(chunk),
      onInputEnd: () => {},
      onResize: () => {},
      onDrain: () => drained(),
      onGone: () => this.stop(),
    });
    try {
      let at = 0;
      for await (const event of events) {
        const waitMs = Math.min(Math.max(0, event.time * 1000 - at), idleLimitMs) / speed;
        at = Math.max(at, event.time * 1000);
        await this.#wait(waitMs);
        if (this.#isStopped()) return 'stopped';
        if (event.kind !== 'o' || tty.write(Buffer.from(event.text))) continue;
        await new Promise<void>((resolve) => {
          drained = resolve;
          this.#wake = resolve;
        });
      }
      return 'ended';
    } finally {
      tty.write(Buffer.from(RESET));
      if (!this.#isStopped()) await tty.flushed();
      tty.close();
    }
  }

  /** Twice is fine. */
  stop(): void {
    this.#state = 'stopped';
    this.#wake?.();
  }

  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  #input(chunk: Buffer): void {
    if (chunk.length !== 1) return; // A reply or a paste, not a key.
    if (chunk[0] === CTRL_C || chunk[0] === Q) this.stop();
    else if (chunk[0] === SPACE && this.#state !== 'stopped') {
      this.#state = this.#state === 'paused' ? 'playing' : 'paused';
      this.#wake?.();
    }
  }

  /** Waits, and as long as it is paused; the wait that a pause interrupts is over with it. */
  async #wait(ms: number): Promise<void> {
    do {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#state === 'playing') this.#timer = this.#options.clock.after(ms, resolve);
      });
      this.#timer?.cancel();
    } while (this.#state === 'paused');
  }
}
