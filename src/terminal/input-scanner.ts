/**
 * Where the person's input stands between one key, reply or paste and the next: injected text may go
 * in only there. Also tells keys from what the terminal says by itself (ECMA-48, xterm ctlseqs).
 */

type State =
  | 'ground'
  | 'utf8' // continuation bytes are missing
  | 'escape' // ESC was seen: a key of its own, or the start of something
  | 'ss3' // ESC O, one more byte
  | 'csi' // ESC [, parameters
  | 'console' // ESC [ [, one more byte: F1–F5 of the Linux console
  | 'mouse' // ESC [ M, three more bytes: X10 mouse report
  | 'string' // OSC, DCS, APC, PM, SOS: a reply up to BEL or ST
  | 'string-escape' // ESC within a string
  | 'paste'; // between ESC [ 200 ~ and ESC [ 201 ~

const ESC = 0x1b;
const PASTE_END = Buffer.from('\x1b[201~');
/** Characters kept of a sequence's parameters: enough to tell `200` and `1;2`. */
const KEPT_PARAMETERS = 16;

/** How many bytes follow a UTF-8 lead byte. */
function continuations(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 1;
  if (byte >= 0xe0 && byte <= 0xef) return 2;
  return byte >= 0xf0 && byte <= 0xf4 ? 3 : 0;
}

export class InputScanner {
  #state: State = 'ground';
  #missing = 0;
  #parameters = '';
  #matched = 0;

  /** True between two keys: the only place where something else may be put in. */
  get atBoundary(): boolean {
    return this.#state === 'ground';
  }

  /** True within a bracketed paste, which no time-out ends. */
  get inPaste(): boolean {
    return this.#state === 'paste';
  }

  /** Takes the next input; true if a key (or a paste) of the person was in it. */
  push(chunk: Uint8Array): boolean {
    let key = false;
    for (const byte of chunk) key = this.step(byte) || key;
    return key;
  }

  /**
   * Nothing came for a while: what looked like the start of a sequence was a key (Escape, Alt-[ …).
   * True if it was. A paste goes on.
   */
  settle(): boolean {
    if (this.#state === 'ground' || this.#state === 'paste') return false;
    this.#state = 'ground';
    return true;
  }

  /** Takes one byte; true if it belongs to a key (or a paste) of the person, as far as can be told. */
  step(byte: number): boolean {
    switch (this.#state) {
      case 'ground':
        return this.#ground(byte);
      case 'utf8':
        if ((byte & 0xc0) !== 0x80) return this.#ground(byte);
        this.#missing -= 1;
        if (this.#missing === 0) this.#state = 'ground';
        return true;
      case 'escape':
        return this.#escape(byte);
      case 'csi':
        return this.#csi(byte);
      case 'ss3':
      case 'console':
        if (byte === ESC) return this.#ground(byte);
        this.#state = 'ground';
        return true;
      case 'mouse':
        this.#missing -= 1;
        if (this.#missing === 0) this.#state = 'ground';
        return false;
      case 'string':
        if (byte === ESC) this.#state = 'string-escape';
        else if (byte === 0x07 || byte === 0x18 || byte === 0x1a) this.#state = 'ground';
        return false;
      case 'string-escape':
        if (byte !== 0x5c) return this.#escape(byte);
        this.#state = 'ground';
        return false;
      case 'paste':
        this.#paste(byte);
        return true;
    }
  }

  #ground(byte: number): boolean {
    this.#missing = continuations(byte);
    this.#state = byte === ESC ? 'escape' : this.#missing > 0 ? 'utf8' : 'ground';
    return byte !== ESC; // Of ESC we do not know yet.
  }

  #escape(byte: number): boolean {
    switch (byte) {
      case ESC: // Escape twice, or Alt and a function key.
        this.#state = 'escape';
        return true;
      case 0x5b: // [
        this.#state = 'csi';
        this.#parameters = '';
        return false;
      case 0x4f: // O
        this.#state = 'ss3';
        return false;
      case 0x5d: // ] OSC
      case 0x50: // P DCS
      case 0x5f: // _ APC
      case 0x5e: // ^ PM
      case 0x58: // X SOS
        this.#state = 'string';
        return false;
      default: // Alt and a character.
        return this.#ground(byte);
    }
  }

  #csi(byte: number): boolean {
    if (byte === ESC) return this.#ground(byte);
    if (byte < 0x40 || byte > 0x7e) {
      if (this.#parameters.length < KEPT_PARAMETERS) this.#parameters += String.fromCharCode(byte);
      return false;
    }
    const parameters = this.#parameters;
    const final = String.fromCharCode(byte);
    this.#state = 'ground';
    if (parameters === '' && final === 'M') {
      this.#state = 'mouse';
      this.#missing = 3;
    } else if (parameters === '' && final === '[') {
      this.#state = 'console';
    } else if (parameters === '200' && final === '~') {
      this.#state = 'paste';
      this.#matched = 0;
    }
    return isKey(parameters, final);
  }

  #paste(byte: number): void {
    if (byte === PASTE_END[this.#matched]) this.#matched += 1;
    else this.#matched = byte === ESC ? 1 : 0;
    if (this.#matched === PASTE_END.length) this.#state = 'ground';
  }
}

/** Whether a control sequence comes from a key; the others are replies, focus and mouse reports. */
function isKey(parameters: string, final: string): boolean {
  if (/^[<=>?]/.test(parameters)) return false; // Replies to private queries, SGR mouse.
  if (/[$'" ]/.test(parameters)) return !'yw'.includes(final); // DECRPM, DECRQDE; the rest: rxvt keys.
  if (final === 'R') return parameters === '' || /^1;[2-8]$/.test(parameters); // F3, else the cursor's place.
  if (final === 'I' || final === 'O') return parameters !== ''; // Focus in and out.
  return !'Mcntx'.includes(final); // urxvt mouse, attributes, status, window, terminal parameters.
}
