/** The person's bytes → keys, for our own screens. A paste is text, whatever is in it. ECMA-48, xterm ctlseqs. */
import { StringDecoder } from 'node:string_decoder';
import { sanitize, sanitizeLine } from '../base/sanitize.ts';

export type Key =
  | { name: 'character'; text: string }
  | { name: 'up' | 'down' | 'enter' | 'escape' | 'backspace' | 'clear' | 'interrupt' | 'suspend' | 'redraw' };

const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
const CONTROLS: ReadonlyMap<string, Exclude<Key['name'], 'character'>> = new Map([
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\x7f', 'backspace'],
  ['\b', 'backspace'],
  ['\x15', 'clear'],
  ['\x03', 'interrupt'],
  ['\x1a', 'suspend'],
  ['\x0c', 'redraw'],
  ['\x1b', 'escape'],
  ['\x1b[A', 'up'],
  ['\x1bOA', 'up'],
  ['\x1b[B', 'down'],
  ['\x1bOB', 'down'],
]);
/** A sequence of the terminal, whole: CSI, SS3, or Alt and a key. A lone ESC is a key. */
const SEQUENCE = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[^[O])/;

export class KeyReader {
  readonly #decoder = new StringDecoder('utf8');
  #pasted: string | undefined;

  /** The keys in the next input. Terminals send a sequence in one piece, so nothing is waited for but the end of a paste. */
  push(chunk: Buffer): Key[] {
    let rest = this.#decoder.write(chunk);
    const keys: Key[] = [];
    while (rest !== '') {
      if (this.#pasted !== undefined) {
        const whole: string = this.#pasted + rest;
        const end = whole.indexOf(PASTE_END);
        this.#pasted = end < 0 ? whole : undefined;
        if (end < 0) break;
        keys.push(...characters(sanitizeLine(whole.slice(0, end))));
        rest = whole.slice(end + PASTE_END.length);
      } else if (rest.startsWith(PASTE_START)) {
        this.#pasted = '';
        rest = rest.slice(PASTE_START.length);
      } else {
        const text = SEQUENCE.exec(rest)?.[0] ?? String.fromCodePoint(rest.codePointAt(0) as number);
        rest = rest.slice(text.length);
        const name = CONTROLS.get(text);
        if (name !== undefined) keys.push({ name });
        else if (!text.startsWith('\x1b')) keys.push(...characters(sanitize(text).replaceAll('\t', ' ')));
      }
    }
    return keys;
  }
}

const characters = (text: string): Key[] => (text === '' ? [] : [{ name: 'character', text }]);
