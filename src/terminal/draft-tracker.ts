/** Whether the person has typed something that they have not submitted, told from their keys alone. */
import { InputScanner } from './input-scanner.ts';

/** Keys that end a draft: CR, LF, and those by which line editors throw it away (^C, ^D, ^G, ^U). */
const ENDS: ReadonlySet<number> = new Set([0x0d, 0x0a, 0x03, 0x04, 0x07, 0x15]);

const CTRL_Z = 0x1a;

export class DraftTracker {
  readonly #scanner = new InputScanner();
  #keys = 0;
  /** The last piece counted was Ctrl-Z and nothing else. */
  #stopKey = false;

  /** Pieces of input with keys in them since the last submit key; 0: there is no draft. */
  get keys(): number {
    return this.#keys;
  }

  /** The agent was suspended: the Ctrl-Z that did it is no text. */
  suspended(): void {
    if (this.#stopKey) this.#keys -= 1;
    this.#stopKey = false;
  }

  /** Takes the person's next input; replies of their terminal do not count. */
  push(chunk: Uint8Array): void {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (!ENDS.has(chunk[at] as number)) continue;
      this.#take(chunk.subarray(from, at));
      // Within a paste a line feed is text; within a reply these bytes do not end a draft.
      const ends = this.#scanner.atBoundary;
      this.#take(chunk.subarray(at, at + 1));
      from = at + 1;
      if (!ends) continue;
      this.#keys = 0;
      this.#stopKey = false;
    }
    this.#take(chunk.subarray(from));
  }

  #take(piece: Uint8Array): void {
    if (!this.#scanner.push(piece)) return;
    this.#keys += 1;
    this.#stopKey = piece.length === 1 && piece[0] === CTRL_Z;
  }
}
