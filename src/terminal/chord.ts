/**
 * A key chord of ours in the person's input: a prefix, then one key. Only the prefix is ever kept back, till
 * the next key or for a second; everything else passes unchanged and at once. docs/people.md "The chord".
 */
import type { Clock, Timer } from '../base/clock.ts';
import { InputScanner } from './input-scanner.ts';
import { CTRL, isModifierKey, type KeyCode, parseKeyCode } from './key-code.ts';

/** Milliseconds after which a prefix that nothing followed was meant for the agent. */
export const PREFIX_MS = 1000;
/** Milliseconds after which a started sequence was a key (as in passthrough.ts). */
const SETTLE_MS = 100;

export interface ChordOptions {
  /** The prefix: this character with Ctrl. */
  character: string;
  /** The characters that complete the chord. */
  actions: readonly string[];
  clock: Clock;
  /** What is the agent's. */
  pass: (chunk: Buffer) => void;
  /** The chord was pressed; nothing of it has been passed. */
  pressed: (action: string) => void;
}

export class Chord {
  readonly #options: ChordOptions;
  readonly #code: number;
  readonly #scanner = new InputScanner();
  /** The prefix, while it is kept back, with its repeats and its release. */
  #kept: Buffer[] = [];
  #timer: Timer | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Keys whose press was ours: their release is, too. */
  readonly #releases = new Set<number>();

  constructor(options: ChordOptions) {
    this.#options = options;
    this.#code = options.character.toLowerCase().charCodeAt(0);
  }

  input(chunk: Buffer): void {
    this.#settle();
    const pieces: Buffer[] = [];
    const pressed: string[] = [];
    let from = 0; // What was not decided on yet.
    let start = this.#scanner.atBoundary ? 0 : undefined; // Where this key began; undefined: before, or it is a paste.
    let isKey = false;
    /** What was kept back passes, in front of what begins at `at`. */
    const letGo = (at: number) => {
      if (this.#kept.length === 0) return;
      pieces.push(chunk.subarray(from, at), ...this.#take());
      from = at;
    };
    const leaveOut = (first: number, end: number) => {
      pieces.push(chunk.subarray(from, first));
      from = end;
    };
    for (let at = 0; at < chunk.length; at++) {
      isKey = this.#scanner.step(chunk[at] as number) || isKey;
      if (this.#scanner.inPaste && start !== undefined) {
        letGo(start);
        start = undefined;
      }
      if (!this.#scanner.atBoundary) continue;
      if (start !== undefined && isKey) {
        const bytes = chunk.subarray(start, at + 1);
        const verdict = this.#judge(bytes);
        if (verdict === 'other') letGo(start);
        else if (verdict !== 'pass') leaveOut(start, at + 1);
        if (verdict === 'keep') this.#keep(Buffer.from(bytes));
        if (verdict === 'twice') pieces.push(...this.#take());
        if (typeof verdict === 'object') {
          this.#take();
          pressed.push(verdict.action);
        }
      }
      start = at + 1;
      isKey = false;
    }
    // The start of something: it passes at once, and what was kept back before it.
    if (start !== undefined && start < chunk.length) letGo(start);
    pieces.push(from === 0 ? chunk : chunk.subarray(from));
    this.#pass(pieces);
    for (const action of pressed) this.#options.pressed(action);
  }

  /** The input is at its end: nothing is kept back any more. */
  end(): void {
    this.#pass(this.#take());
  }

  /**
   * What a whole key is to us. `keep`: the prefix. `twice`: the prefix again, which means itself, once.
   * `swallow`: it belongs to a key that was ours. `pass`: it says nothing of the chord. `other`: it is the agent's.
   */
  #judge(bytes: Uint8Array): 'keep' | 'twice' | 'swallow' | 'pass' | 'other' | { action: string } {
    const key = parseKeyCode(bytes);
    if (key === undefined) return 'other';
    if (key.event === 'release') return this.#judgeRelease(key);
    if (isModifierKey(key)) return 'pass';
    const isPrefix = key.code === this.#code && key.modifiers === CTRL;
    if (this.#kept.length === 0) return isPrefix && key.event === 'press' ? 'keep' : 'other';
    if (key.event === 'repeat' && isPrefix) return 'swallow';
    if (isPrefix) {
      this.#releases.add(key.code);
      return 'twice';
    }
    const action = this.#options.actions.find((each) => each.charCodeAt(0) === key.code);
    if (action === undefined || (key.modifiers & ~1) !== 0) return 'other';
    this.#releases.add(key.code).add(this.#code);
    return { action };
  }

  #judgeRelease(key: KeyCode): 'keep' | 'swallow' | 'pass' {
    if (this.#kept.length > 0 && key.code === this.#code) return 'keep';
    return this.#releases.delete(key.code) ? 'swallow' : 'pass';
  }

  #keep(bytes: Buffer): void {
    this.#kept.push(bytes);
    this.#timer ??= this.#options.clock.after(PREFIX_MS, () => this.end(), { unref: true });
  }

  #take(): Buffer[] {
    this.#timer?.cancel();
    this.#timer = undefined;
    return this.#kept.splice(0);
  }

  #pass(pieces: readonly Buffer[]): void {
    const filled = pieces.filter(({ length }) => length > 0);
    const [only] = filled;
    if (only !== undefined) this.#options.pass(filled.length === 1 ? only : Buffer.concat(filled));
  }

  /** Nothing came for a while: what looked like the start of a sequence was a key. */
  #settle(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#lastAt >= SETTLE_MS) this.#scanner.settle();
    this.#lastAt = now;
  }
}
