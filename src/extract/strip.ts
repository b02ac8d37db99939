/**
 * Takes terminal control sequences out of text that comes in pieces: CSI, OSC, DCS, APC, PM, SOS, two-
 * character escapes, C0 except TAB and LF, DEL, and C1 (U+0080–9F). Spec §9; ECMA-48 §5.
 */

/** What the ground state cannot pass on as it is. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
/** What most coloured output has and nothing else: a colour, or the CR before an LF. */
const COLOUR = /\r|\x1b\[[0-9;]*m/g;
/** What can end a control string: LF, BEL, CAN, SUB, ESC, ST. */
const STRING_END = /[\n\x07\x18\x1a\x1b\x9c]/g;

type State = 'ground' | 'escape' | 'csi' | 'osc' | 'string';

const LF = 0x0a;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;

/**
 * Incremental and linear; any split of the input gives the same output. A line feed is never taken: it
 * ends whatever sequence is open, so that one broken sequence cannot swallow more than its own line,
 * and line n of the output is line n of the input.
 */
export class Stripper {
  #state: State = 'ground';

  /** The text without control sequences; what is incomplete is remembered, not returned. */
  push(text: string): string {
    if (this.#state === 'ground') {
      // Where nothing is left after the colours, every ESC began one: then this is the whole work.
      const plain = text.replace(COLOUR, '');
      if (find(CONTROL, plain, 0) === plain.length) return plain;
    }
    let out = '';
    let at = 0;
    while (at < text.length) {
      if (this.#state === 'ground') {
        const stop = find(CONTROL, text, at);
        if (stop > at) out += text.slice(at, stop);
        if (stop < text.length) this.#state = afterControl(text.charCodeAt(stop));
        at = stop + 1;
      } else if (this.#state === 'osc' || this.#state === 'string') {
        at = find(STRING_END, text, at);
        if (at < text.length) at = this.#inString(text.charCodeAt(at), at);
      } else {
        at = this.#inSequence(text.charCodeAt(at), at);
      }
    }
    return out;
  }

  /** Forgets an incomplete sequence. */
  reset(): void {
    this.#state = 'ground';
  }

  /** Both return where to go on; a unit that is not consumed is seen again in the ground state. */
  #inString(code: number, at: number): number {
    if (code === ESC)
      this.#state = 'escape'; // ESC \ ends it; another ESC sequence does so too.
    else if (code !== 0x07 || this.#state === 'osc') this.#state = 'ground';
    return code === LF ? at : at + 1;
  }

  #inSequence(code: number, at: number): number {
    if (code === LF || code >= 0x7f) {
      this.#state = 'ground';
      return at;
    }
    if (code === ESC) this.#state = 'escape';
    else if (code === CAN || code === SUB) this.#state = 'ground';
    else if (code < 0x20) {
      // A C0 inside a sequence acts at once and the sequence goes on: we only drop it.
    } else if (this.#state === 'csi') {
      if (code >= 0x40) this.#state = 'ground';
    } else if (code >= 0x30) this.#state = afterEscape(code);
    return at + 1;
  }
}

/** The whole text without control sequences. */
export const strip = (text: string): string => new Stripper().push(text);

function find(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

function afterControl(code: number): State {
  switch (code) {
    case ESC:
      return 'escape';
    case 0x9b:
      return 'csi';
    case 0x9d:
      return 'osc';
    case 0x90:
    case 0x98:
    case 0x9e:
    case 0x9f:
      return 'string';
    default:
      return 'ground';
  }
}

function afterEscape(code: number): State {
  switch (code) {
    case 0x5b: // [
      return 'csi';
    case 0x5d: // ]
      return 'osc';
    case 0x50: // P
    case 0x58: // X
    case 0x5e: // ^
    case 0x5f: // _
      return 'string';
    default:
      return 'ground';
  }
}
