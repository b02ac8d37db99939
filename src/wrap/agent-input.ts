/**
 * What goes to the agent's terminal: the person's input as it comes, and what we type, as one piece between
 * two keys, never within a key, a reply of the terminal or a paste.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { InputScanner } from '../terminal/input-scanner.ts';
import { KeyHold } from './key-hold.ts';

/** Milliseconds after which a started sequence was a key: terminals send a sequence in one piece. */
const SETTLE_MS = 100;
/** End of file as a terminal says it (VEOF). */
const EOF_CHARACTER = 0x04;
const LF = 0x0a;

export interface AgentInputOptions {
  /** Queues bytes for the agent as one item; `onEnd(whole)` when it has them, or has ended. */
  write: (bytes: Uint8Array, onEnd?: (whole: boolean) => void) => void;
  /** The agent has this of the person queued. */
  passed: (chunk: Buffer) => void;
  clock: Clock;
}

interface Injection {
  bytes: Uint8Array;
  hold: KeyHold | undefined;
  onEnd: (whole: boolean) => void;
}

export class AgentInput {
  readonly #options: AgentInputOptions;
  readonly #scanner = new InputScanner();
  readonly #injections: Injection[] = [];
  #hold: KeyHold | undefined;
  #lastInputAt: number | undefined;
  #lastByte = LF;
  #settleTimer: Timer | undefined;

  constructor(options: AgentInputOptions) {
    this.#options = options;
  }

  /** When (by `clock.monotonic`) the agent last got a key of the person; replies of the terminal do not count. */
  get lastInputAt(): number | undefined {
    return this.#lastInputAt;
  }

  /** The person (or their terminal) sent this. */
  push(chunk: Buffer): void {
    if (this.#hold === undefined) this.#pass(chunk);
    else this.#hold.input(chunk);
  }

  /**
   * Types `bytes`. Resolves to true when the agent's terminal has them all, to false if the agent ended
   * before.
   */
  type(bytes: Uint8Array): Promise<boolean> {
    return this.#queue(bytes, undefined);
  }

  /** Types `bytes`; from then on the person's keys wait, until the hold is released or breaks. */
  async paste(bytes: Uint8Array): Promise<KeyHold> {
    const hold: KeyHold = new KeyHold(
      this.#options.clock,
      (chunk) => this.#pass(chunk),
      (held) => {
        if (this.#hold === hold) this.#hold = undefined;
        if (held.length > 0) this.#pass(held);
      },
    );
    await this.#queue(bytes, hold);
    return hold;
  }

  /**
   * The end of a piped input is what a person would type: Ctrl-D, and once more after an unfinished
   * line, where the first only hands the line over (`printf abc | agent-wrap cat` would hang).
   */
  end(): void {
    this.#hold?.release();
    this.#options.write(Buffer.alloc(this.#lastByte === LF ? 1 : 2, EOF_CHARACTER));
  }

  /** The agent has ended, or will not read before we are back: nothing is kept back for it. */
  release(): void {
    this.#hold?.release();
  }

  close(): void {
    this.#hold?.release();
    this.#settleTimer?.cancel();
    for (const { onEnd } of this.#injections.splice(0)) onEnd(false);
  }

  #queue(bytes: Uint8Array, hold: KeyHold | undefined): Promise<boolean> {
    return new Promise((onEnd) => {
      this.#injections.push({ bytes, hold, onEnd });
      this.#inject();
    });
  }

  #pass(chunk: Buffer): void {
    const { write, passed, clock } = this.#options;
    write(chunk);
    this.#lastByte = chunk.at(-1) ?? this.#lastByte;
    if (this.#scanner.push(chunk)) this.#lastInputAt = clock.monotonic();
    this.#settleTimer?.cancel();
    this.#settleTimer = undefined;
    if (this.#scanner.atBoundary) this.#inject();
    else if (!this.#scanner.inPaste) {
      this.#settleTimer = clock.after(SETTLE_MS, () => {
        if (this.#scanner.settle()) this.#lastInputAt = clock.monotonic();
        this.#inject();
      });
    }
    passed(chunk);
  }

  #inject(): void {
    while (this.#scanner.atBoundary) {
      const [next] = this.#injections;
      if (next === undefined) return;
      if (next.hold !== undefined && this.#hold !== undefined) {
        this.#hold.release(); // One text stands in the box at a time.
        continue;
      }
      this.#injections.shift();
      this.#hold ??= next.hold;
      this.#options.write(next.bytes, next.onEnd);
    }
  }
}
