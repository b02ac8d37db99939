/**
 * Finds OSC sequences (titles, program status) in an agent's output as it passes, chunk by chunk.
 * Only the signals are kept; everything else costs one indexOf. real-agents.md §4.
 */

/** Bytes of one sequence we look at: titles and states are short, a pasted image (OSC 1337) is not. */
const MAX_OSC_BYTES = 4096;

const ESC = 0x1b;
const BEL = 0x07;

/** One sequence: `ESC ] code ; data BEL` (or ST for BEL). */
export interface Osc {
  code: number;
  data: string;
}

export class OscReader {
  /** `text`: outside; `escape`: after ESC; `osc`: inside; `end`: ESC inside, a `\` ends it. */
  #state: 'text' | 'escape' | 'osc' | 'end' = 'text';
  /** What of the sequence came so far; undefined once it is longer than we look at. */
  #bytes: number[] | undefined = [];

  /** Hands each whole sequence of the chunks so far to `found`, in order. */
  push(chunk: Uint8Array, found: (osc: Osc) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'text') {
        const next = chunk.indexOf(ESC, at);
        if (next < 0) return;
        this.#state = 'escape';
        at = next + 1;
      } else {
        this.#step(chunk[at++] as number, found);
      }
    }
  }

  #step(byte: number, found: (osc: Osc) => void): void {
    if (this.#state === 'escape') {
      this.#bytes = [];
      this.#state = byte === 0x5d ? 'osc' : byte === ESC ? 'escape' : 'text';
      return;
    }
    if (byte === BEL || (this.#state === 'end' && byte === 0x5c)) {
      this.#emit(found);
      this.#state = 'text';
    } else if (this.#state === 'end') {
      // An ESC that no `\` follows cancels the sequence and begins another.
      this.#state = 'escape';
      this.#step(byte, found);
    } else if (byte === ESC) {
      this.#state = 'end';
    } else if (byte === 0x18 || byte === 0x1a) {
      this.#state = 'text';
    } else if (this.#bytes !== undefined) {
      if (this.#bytes.length < MAX_OSC_BYTES) this.#bytes.push(byte);
      else this.#bytes = undefined;
    }
  }

  #emit(found: (osc: Osc) => void): void {
    if (this.#bytes === undefined) return;
    const text = Buffer.from(this.#bytes).toString();
    const match = /^(\d{1,5})(?:;([\s\S]*))?$/.exec(text);
    if (match) found({ code: Number(match[1]), data: match[2] ?? '' });
  }
}
