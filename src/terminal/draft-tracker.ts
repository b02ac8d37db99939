/** Whether the person has typed something that they have not submitted, told from their keys alone. */
import { InputScanner } from './input-scanner.ts';

/** Keys that end a draft: CR, LF, and those by which line editors throw it away (^C, ^D, ^G, ^U). */
const ENDS: ReadonlySet<number> = new Set([0x0d, 0x0a, 0x03, 0x04, 0x07, 0x15]);

export class DraftTracker {
  readonly #scanner = new InputScanner();
  #keys = 0;

  /** Pieces of input with keys in them since the last submit key; 0: there is no draft. */
  get keys(): number {
    return this.#keys;
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
      if (ends) this.#keys = 0;
    }
    this.#take(chunk.subarray(from));
  }

  #take(piece: Uint8Array): void {
    if (this.#scanner.push(piece)) this.#keys += 1;
  }
}
