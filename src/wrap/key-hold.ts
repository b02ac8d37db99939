/**
 * Keeps the person's keys back while a text of ours stands in the agent's box unsubmitted: a key among it
 * would be submitted with it. For a second at most, in order, and not at all for a key that interrupts.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { InputScanner } from '../terminal/input-scanner.ts';
import { CTRL, type KeyCode, parseKeyCode } from '../terminal/key-code.ts';

/** Milliseconds that a key may wait: it is felt, and the text may never be taken. */
export const HOLD_MS = 1_000;
/** Milliseconds after which a started sequence was a key: terminals send a sequence in one piece. */
const SETTLE_MS = 100;
/** Bytes kept back: a pasted page fits, a pasted book does not. */
const HOLD_BYTES = 64 * 1024;
/** Bytes of a key that are looked at: the longest that interrupts is shorter. */
const KEY_BYTES = 40;
/** With Ctrl: c, z, \ and [, which is Escape. */
const INTERRUPTING: ReadonlySet<number> = new Set([...'cz\\['].map((key) => key.charCodeAt(0)));
const ESCAPE_CODE = 27;

export class KeyHold {
  readonly #clock: Clock;
  readonly #ended: (held: Buffer) => void;
  readonly #pass: (chunk: Buffer) => void;
  readonly #scanner = new InputScanner();
  #held: Buffer[] = [];
  #bytes = 0;
  /** The bytes so far of the key, reply or paste that is under way. */
  #item: number[] = [];
  #keyed = false;
  #timer: Timer | undefined;
  #settle: Timer | undefined;
  #state: 'holding' | 'released' | 'interrupted' | 'late' = 'holding';

  /** `pass` takes what is no key; `ended`, once, what was kept back. Begins between two keys. */
  constructor(clock: Clock, pass: (chunk: Buffer) => void, ended: (held: Buffer) => void) {
    this.#clock = clock;
    this.#pass = pass;
    this.#ended = ended;
  }

  /** It did not last until it was released: the person interrupted, or had waited long enough. */
  get broken(): 'no' | 'interrupted' | 'late' {
    return this.#state === 'interrupted' || this.#state === 'late' ? this.#state : 'no';
  }

  /** The person (or their terminal) sent this. */
  input(chunk: Buffer): void {
    this.#settle?.cancel();
    this.#held.push(chunk);
    this.#bytes += chunk.length;
    let interrupts = false;
    for (const byte of chunk) interrupts = this.#take(byte) || interrupts;
    if (interrupts) return this.#end('interrupted');
    if (this.#bytes > HOLD_BYTES) return this.#end('late');
    if (this.#keyed) this.#timer ??= this.#clock.after(HOLD_MS, () => this.#end('late'));
    // A reply of the terminal, whole: the agent waits for it.
    else if (this.#scanner.atBoundary) return this.#pass(this.#taken());
    if (this.#scanner.atBoundary || this.#scanner.inPaste) return;
    // Escape alone looks like the start of something.
    this.#settle = this.#clock.after(SETTLE_MS, () => {
      if (this.#scanner.settle()) this.#end('interrupted');
    });
  }

  /** What was kept back is the agent's. Twice is fine. */
  release(): void {
    this.#end('released');
  }

  /** True if the byte ends a key that interrupts. */
  #take(byte: number): boolean {
    this.#keyed = this.#scanner.step(byte) || this.#keyed;
    if (this.#scanner.inPaste) this.#item = [];
    else if (this.#item.length < KEY_BYTES) this.#item.push(byte);
    if (!this.#scanner.atBoundary) return false;
    const key = parseKeyCode(Uint8Array.from(this.#item));
    this.#item = [];
    return key !== undefined && isInterrupt(key);
  }

  #taken(): Buffer {
    const held = Buffer.concat(this.#held);
    this.#held = [];
    this.#bytes = 0;
    return held;
  }

  #end(state: 'released' | 'interrupted' | 'late'): void {
    if (this.#state !== 'holding') return;
    this.#state = state;
    this.#timer?.cancel();
    this.#settle?.cancel();
    this.#ended(this.#taken());
  }
}

const isInterrupt = ({ code, modifiers, event }: KeyCode): boolean =>
  event === 'press' &&
  ((code === ESCAPE_CODE && modifiers === 0) || (modifiers === CTRL && INTERRUPTING.has(code)));
