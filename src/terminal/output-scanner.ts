/** Whether an agent's output stands between two sequences: only there may something of ours follow it. ECMA-48. */

const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;

export class OutputScanner {
  /** `osc` ends with BEL as well; `string` (DCS, APC, PM, SOS) only with ST. */
  #state: 'text' | 'escape' | 'csi' | 'osc' | 'string' | 'osc-escape' | 'string-escape' = 'text';
  /** The last bytes of text, to see whether a character of several bytes is whole. */
  #missing = 0;

  get atBoundary(): boolean {
    return this.#state === 'text' && this.#missing === 0;
  }

  /** Text costs one search for ESC. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'text') {
        const next = chunk.indexOf(ESC, at);
        if (next < 0) break;
        this.#state = 'escape';
        at = next + 1;
      } else {
        this.#step(chunk[at++] as number);
      }
    }
    if (this.#state === 'text') this.#missing = missingAtEnd(chunk, at, this.#missing);
    else this.#missing = 0;
  }

  #step(byte: number): void {
    if (byte === CAN || byte === SUB) {
      this.#state = 'text';
      return;
    }
    switch (this.#state) {
      case 'escape':
        this.#state = afterEscape(byte);
        return;
      case 'csi':
        if (byte === ESC) this.#state = 'escape';
        else if (byte >= 0x40 && byte <= 0x7e) this.#state = 'text';
        return;
      case 'osc':
      case 'string':
        if (byte === ESC) this.#state = this.#state === 'osc' ? 'osc-escape' : 'string-escape';
        else if (byte === BEL && this.#state === 'osc') this.#state = 'text';
        return;
      case 'string-escape':
        // Twice ESC is one within what tmux passes through; the string goes on.
        if (byte === ESC) this.#state = 'string';
        else this.#state = byte === 0x5c ? 'text' : afterEscape(byte);
        return;
      case 'osc-escape':
        this.#state = byte === 0x5c ? 'text' : afterEscape(byte);
        return;
      case 'text':
        return;
    }
  }
}

function afterEscape(byte: number): 'text' | 'escape' | 'csi' | 'osc' | 'string' {
  if (byte === 0x5b) return 'csi';
  if (byte === 0x5d) return 'osc';
  if (byte === 0x50 || byte === 0x5f || byte === 0x5e || byte === 0x58) return 'string';
  // ESC ( B and its like: intermediates, then a final character.
  return byte === ESC || (byte >= 0x20 && byte <= 0x2f) ? 'escape' : 'text';
}

/** How many bytes the last character of `chunk` (from `from` on) still needs; `before`: what one before needed. */
function missingAtEnd(chunk: Uint8Array, from: number, before: number): number {
  let trailing = 0;
  while (trailing < 3 && chunk.length - 1 - trailing >= from) {
    const byte = chunk[chunk.length - 1 - trailing] as number;
    if (byte >= 0xc0) return Math.max(0, lengthOf(byte) - 1 - trailing);
    if (byte < 0x80) return 0;
    trailing++;
  }
  return chunk.length - from === trailing ? Math.max(0, before - trailing) : 0;
}

const lengthOf = (lead: number): number => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2);
