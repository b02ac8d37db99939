/**
 * Tier 1 of terminal.md §3d: the lines of a program that only prints lines. Exact and linear: a line is
 * final at its LF. The first byte that moves the cursor ends it, for good: then the screen is the truth.
 */
import { strip } from '../extract/strip.ts';
import { csiEffect, escapeMoves } from './control-scan.ts';

/** Bytes kept of one line. Longer than any directive may be, so the extractor still refuses it whole. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
/** Bytes kept of past lines: more than the largest screen shows, colours included. */
const MAX_PAST_BYTES = 256 * 1024;
/** Bytes of a carry that is worth keeping for the next long line. */
const MAX_IDLE_CARRY_BYTES = 256 * 1024;
/** Bytes of parameters of one sequence; what is longer is the emulator's to judge. */
const MAX_PARAMETER_BYTES = 64;

export interface Scanned {
  /** The lines that became final, each ended by LF, without control sequences; '' if there is none. */
  text: string;
  /** Set when the cursor moved: what the emulator must know. */
  moved?: Handover;
}

export interface Handover {
  /** Modes, the last screenful and the unfinished line, up to the end of the chunk. */
  bytes: Buffer;
  /** The lines in `bytes` that were already given out, oldest first. */
  given: string[];
}

type State = 'ground' | 'c2' | 'escape' | 'csi' | 'osc' | 'string' | 'moved';

const LF = 0x0a;
const CR = 0x0d;
const ESC = 0x1b;

export class LineScanner {
  #state: State = 'ground';
  /** Between ESC and the final byte: intermediates, or the parameters of a CSI. */
  #sequence = '';
  /** Something was printed on this line; a carriage return came after it. */
  #printed = false;
  #returned = false;
  /** The bytes of the current line that came with earlier chunks. */
  #carry = Buffer.alloc(0);
  #carried = 0;
  /** The last screenful of lines as they came, control sequences included. */
  #past = Buffer.alloc(0);
  readonly #modes = new Map<string, 'h' | 'l'>();
  #rows: number;

  constructor(options: { rows: number }) {
    this.#rows = options.rows;
  }

  /** Whether the program switched bracketed paste (DEC private mode 2004) on. */
  get bracketedPaste(): boolean {
    return this.#modes.get('2004') === 'h';
  }

  resize(rows: number): void {
    this.#rows = rows;
  }

  /** Takes more output. After `moved` was returned, nothing more may be pushed. */
  push(chunk: Buffer): Scanned {
    let first = -1;
    let last = -1;
    for (let at = 0; at < chunk.length; at++) {
      if (this.#state === 'ground' && !this.#returned) {
        const from = at;
        while (isPrinted(chunk[at])) at++;
        if (at > from) this.#printed = true;
        if (at === chunk.length) break;
      }
      const byte = chunk[at] as number;
      if (byte === LF) {
        this.#newLine();
        if (first < 0) first = at;
        last = at;
      } else this.#step(byte);
      if (this.#state === 'moved') break;
    }
    const text = last < 0 ? '' : this.#finish(chunk, first, last + 1);
    const rest = chunk.subarray(last + 1);
    if (this.#state === 'moved') return { text, moved: this.#handOver(rest) };
    this.#keep(rest);
    return { text };
  }

  /** The line without an LF that the output ended with, ended by one; '' if there is none. */
  flush(): string {
    const text = strip(this.#carry.toString('utf8', 0, this.#carried));
    this.#newLine();
    this.#carried = 0;
    return text === '' ? '' : `${text}\n`;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'ground':
        this.#ground(byte);
        return;
      case 'c2':
        // C1 as code points (U+0080–9F): rare, and they may do anything.
        this.#state = byte >= 0x80 && byte <= 0x9f ? 'moved' : 'ground';
        this.#printed = true;
        return;
      case 'escape':
        this.#escape(byte);
        return;
      case 'csi':
        this.#csi(byte);
        return;
      case 'osc':
      case 'string':
        if (byte === ESC) this.#begin('escape');
        else if (byte === 0x18 || byte === 0x1a || (byte === 0x07 && this.#state === 'osc'))
          this.#state = 'ground';
        return;
      case 'moved':
        return;
    }
  }

  #ground(byte: number): void {
    if (byte === ESC) this.#begin('escape');
    else if (byte === CR) this.#returned = this.#printed;
    else if (byte === 0x08 || byte === 0x0b || byte === 0x0c)
      this.#state = 'moved'; // BS, VT, FF
    else if (byte === 0xc2) this.#state = this.#returned ? 'moved' : 'c2';
    else if (byte === 0x09 || byte >= 0x20) {
      this.#state = this.#returned ? 'moved' : 'ground';
      this.#printed = true;
    }
  }

  #begin(state: 'escape' | 'csi'): void {
    this.#state = state;
    this.#sequence = '';
  }

  #escape(byte: number): void {
    const char = String.fromCharCode(byte);
    if (byte === ESC) this.#begin('escape');
    else if (byte < 0x20 || byte > 0x7e)
      this.#state = 'moved'; // Malformed: the emulator knows.
    else if (byte < 0x30) this.#append(char);
    else if (this.#sequence === '' && char === '[') this.#begin('csi');
    else if (this.#sequence === '' && char === ']') this.#state = 'osc';
    else if (this.#sequence === '' && 'PX^_'.includes(char)) this.#state = 'string';
    else this.#state = escapeMoves(char, this.#sequence) ? 'moved' : 'ground';
  }

  #csi(byte: number): void {
    const char = String.fromCharCode(byte);
    if (byte === ESC) this.#begin('escape');
    else if (byte < 0x20 || byte > 0x7e) this.#state = 'moved';
    else if (byte < 0x40) this.#append(char);
    else {
      const effect = csiEffect(this.#sequence, char, this.#returned);
      this.#state = effect === 'moves' ? 'moved' : 'ground';
      if (effect !== 'mode') return;
      for (const mode of this.#sequence.slice(1).split(';')) {
        if (/^\d{1,4}$/.test(mode)) this.#modes.set(mode, char === 'h' ? 'h' : 'l');
      }
    }
  }

  #append(char: string): void {
    if (this.#sequence.length >= MAX_PARAMETER_BYTES) this.#state = 'moved';
    else this.#sequence += char;
  }

  /** An LF ends an open sequence too, as in `Stripper`. */
  #newLine(): void {
    this.#state = 'ground';
    this.#printed = false;
    this.#returned = false;
  }

  /** The text of the lines that end in this chunk, up to `end`; the first one ends at `first`. */
  #finish(chunk: Buffer, first: number, end: number): string {
    let bytes = chunk.subarray(0, end);
    if (this.#carried > 0) {
      this.#keep(chunk.subarray(0, first));
      bytes = Buffer.concat([this.#carry.subarray(0, this.#carried), chunk.subarray(first, end)]);
      this.#carried = 0;
      if (this.#carry.length > MAX_IDLE_CARRY_BYTES) this.#carry = Buffer.alloc(0);
    }
    this.#past = lastLines(this.#past, bytes, this.#rows);
    return strip(bytes.toString('utf8'));
  }

  #handOver(rest: Buffer): Handover {
    const modes = Array.from(this.#modes, ([mode, set]) => `\x1b[?${mode}${set}`).join('');
    // A program that ends its lines with LF alone has them begin at the left all the same.
    const past = this.#past.toString('utf8').replaceAll('\n', '\r\n');
    return {
      bytes: Buffer.concat([Buffer.from(modes + past), this.#carry.subarray(0, this.#carried), rest]),
      given: strip(past).split('\n').slice(0, -1),
    };
  }

  #keep(bytes: Buffer): void {
    const wanted = Math.min(this.#carried + bytes.length, MAX_LINE_BYTES);
    if (wanted > this.#carry.length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#carry.length));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    bytes.copy(this.#carry, this.#carried, 0, wanted - this.#carried);
    this.#carried = wanted;
  }
}

/** Text, and nothing that could begin a control sequence (0xC2 begins C1 in UTF-8). */
const isPrinted = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x20 && byte !== 0xc2;

/** A copy of the last `count` lines of `past` and `bytes`, which both end with LF or are empty. */
function lastLines(past: Buffer, bytes: Buffer, count: number): Buffer<ArrayBuffer> {
  let lines = bytes.subarray(startOfLast(bytes, count));
  if (lines.length === bytes.length) {
    lines = Buffer.concat([past, bytes]);
    lines = lines.subarray(startOfLast(lines, count));
  }
  while (lines.length > MAX_PAST_BYTES) lines = lines.subarray(lines.indexOf(LF) + 1);
  return Buffer.from(lines);
}

/** Where the last `count` lines of `bytes` begin; `bytes` ends with LF. */
function startOfLast(bytes: Buffer, count: number): number {
  let start = bytes.length;
  for (let line = 0; line < count && start > 0; line++) {
    start = start === 1 ? 0 : bytes.lastIndexOf(LF, start - 2) + 1;
  }
  return start;
}
