/**
 * What a terminal would show: `@xterm/headless`, loaded when the first byte needs it, fed from a bounded
 * queue. Tier 2 of terminal.md §3d; also where injection looks for the input box.
 */
import { StringDecoder } from 'node:string_decoder';
import type * as Xterm from '@xterm/headless';
import type { IBuffer, IBufferLine, Terminal } from '@xterm/headless';
import type { Clock, Timer } from '../base/clock.ts';
import type { Row } from './row.ts';

/** Bytes waiting for the emulator (terminal.md §4). Beyond it the PTY is paused; nothing is skipped. */
export const MAX_QUEUE_BYTES = 4 * 1024 * 1024;
/** Bytes given to the emulator at once: about 1 ms of its work, so that keys are not kept waiting. */
const SLICE_BYTES = 64 * 1024;
/** Rows of history kept: enough to reflow on a resize. Nothing is read from it later. */
const HISTORY_ROWS = 1000;
/** Milliseconds without output after which a screen counts as settled. */
const QUIET_MS = 50;
/** Milliseconds after which an open synchronized update (mode 2026) no longer holds readers off. */
const MAX_SYNC_MS = 1000;
/** Repetitions one sequence may ask for. xterm.js loops over them, and agents' output is not trusted. */
const MAX_REPEAT = 1000;
/** IL, DL, SU, SD, CHT, CBT, REP: the sequences that loop. */
const REPEATING = ['L', 'M', 'S', 'T', 'I', 'Z', 'b'];

export interface ScreenOptions {
  cols: number;
  rows: number;
  clock: Clock;
  /** LF alone starts a new line: for files; a PTY has already made it CR LF. */
  convertEol?: boolean;
}

export interface ScreenEvents {
  /** A row left the top of the normal screen for the history; it will not change any more. */
  rowGone?: (row: Row) => void;
  /** The alternate screen is about to be left; its rows can still be read. */
  leavingAlternate?: () => void;
  /** The size changes now; rows may be wrapped anew. */
  resized?: () => void;
  /** The queue is empty again: a paused PTY may go on. */
  drained?: () => void;
  /** What a terminal answers to a query in the output. */
  reply?: (bytes: Buffer) => void;
}

type Job = { bytes: Buffer } | { cols: number; rows: number };

export class Screen {
  readonly #clock: Clock;
  readonly #events: ScreenEvents;
  readonly #convertEol: boolean;
  #size: { cols: number; rows: number };
  #terminal: Terminal | undefined;
  /** `busy` while the emulator is being loaded or works; jobs then wait their turn. */
  #state: 'idle' | 'busy' | 'closed' = 'idle';
  readonly #jobs: Job[] = [];
  #queued = 0;
  /** The emulator's own decoder (6.0.0) loses some characters that are split over two writes. */
  readonly #decoder = new StringDecoder('utf8');
  #waiting: (() => void)[] = [];
  #failure: unknown;
  readonly #settledListeners = new Set<() => void>();
  #quiet: Timer | undefined;
  #syncSince: number | undefined;
  /** Top of the scroll region of the normal screen, 0-based (DECSTBM). */
  #regionTop = 0;
  #historyBase = 0;

  constructor(options: ScreenOptions, events: ScreenEvents = {}) {
    this.#clock = options.clock;
    this.#size = { cols: options.cols, rows: options.rows };
    this.#convertEol = options.convertEol ?? false;
    this.#events = events;
  }

  /** Queues output. `false`: the queue is full; pause the PTY until the `drained` event. */
  push(bytes: Buffer): boolean {
    if (this.#state === 'closed') return true;
    for (let at = 0; at < bytes.length; at += SLICE_BYTES)
      this.#jobs.push({ bytes: bytes.subarray(at, at + SLICE_BYTES) });
    this.#queued += bytes.length;
    this.#start();
    return this.#queued < MAX_QUEUE_BYTES;
  }

  /** Takes effect after the output that was queued before it. */
  resize(cols: number, rows: number): void {
    if (this.#state === 'closed') return;
    this.#jobs.push({ cols, rows });
    this.#start();
  }

  /** Resolves when everything queued is on the screen; rejects if the emulator could not be loaded. */
  async drained(): Promise<void> {
    if (this.#state === 'busy') await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  get cols(): number {
    return this.#size.cols;
  }

  /** Where the cursor stands, 0-based within the visible screen. */
  get cursor(): { row: number; column: number } {
    const buffer = this.#terminal?.buffer.active;
    return { row: buffer?.cursorY ?? 0, column: buffer?.cursorX ?? 0 };
  }

  /** Whether a cell of the visible screen is drawn faint (SGR 2), as placeholders are. */
  faint(row: number, column: number): boolean {
    const buffer = this.#terminal?.buffer.active;
    return (
      (buffer
        ?.getLine(buffer.baseY + row)
        ?.getCell(column)
        ?.isDim() ?? 0) !== 0
    );
  }

  get bracketedPaste(): boolean {
    return this.#terminal?.modes.bracketedPasteMode ?? false;
  }

  get applicationCursor(): boolean {
    return this.#terminal?.modes.applicationCursorKeysMode ?? false;
  }

  get alternateScreen(): boolean {
    return this.#terminal?.buffer.active.type === 'alternate';
  }

  /** Whether a synchronized update is open: what is drawn now is half a frame. Bounded to one second. */
  get updating(): boolean {
    if (this.#terminal?.modes.synchronizedOutputMode !== true) {
      this.#syncSince = undefined;
      return false;
    }
    this.#syncSince ??= this.#clock.monotonic();
    return this.#clock.monotonic() - this.#syncSince < MAX_SYNC_MS;
  }

  /** The visible rows, top to bottom, without the blanks at their ends. */
  rows(): string[] {
    return this.visible().map((row) => row.text.trimEnd());
  }

  /** The visible rows as they are joined into logical lines. */
  visible(): Row[] {
    return this.#read(0);
  }

  /** The visible rows and up to `before` rows of the history above them. */
  withHistory(before: number): Row[] {
    return this.#read(before);
  }

  /** Calls `listener` each time the screen has been quiet for 50 ms. Returns how to stop that. */
  onSettled(listener: () => void): () => void {
    this.#settledListeners.add(listener);
    return () => this.#settledListeners.delete(listener);
  }

  close(): void {
    this.#state = 'closed';
    this.#jobs.length = 0;
    this.#quiet?.cancel();
    this.#terminal?.dispose();
    this.#wake();
  }

  #start(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'busy';
    void this.#work();
  }

  async #work(): Promise<void> {
    try {
      this.#terminal ??= await this.#load();
      for (let job = this.#next(); job !== undefined; job = this.#next()) await this.#do(job);
    } catch (error) {
      // Without an emulator the screen stays empty; the person's terminal does not depend on it.
      this.#failure = error;
      this.#jobs.length = 0;
    }
    if (this.#state === 'closed') return;
    this.#state = 'idle';
    this.#queued = 0;
    this.#armQuiet();
    this.#wake();
    this.#events.drained?.();
  }

  /** The next job; small pieces of output are put together, as each write costs a turn of the loop. */
  #next(): Job | undefined {
    const job = this.#jobs.shift();
    if (job === undefined || !('bytes' in job)) return job;
    const pieces = [job.bytes];
    let length = job.bytes.length;
    for (let next = this.#jobs[0]; next !== undefined && 'bytes' in next; next = this.#jobs[0]) {
      length += next.bytes.length;
      if (length > SLICE_BYTES) break;
      pieces.push(next.bytes);
      this.#jobs.shift();
    }
    return pieces.length === 1 ? job : { bytes: Buffer.concat(pieces) };
  }

  async #do(job: Job): Promise<void> {
    const terminal = this.#terminal as Terminal;
    if ('bytes' in job) {
      await new Promise<void>((resolve) => terminal.write(this.#decoder.write(job.bytes), resolve));
      this.#queued -= job.bytes.length;
      return;
    }
    this.#events.resized?.();
    this.#size = { cols: job.cols, rows: job.rows };
    this.#regionTop = 0;
    terminal.resize(job.cols, job.rows);
    this.#historyBase = terminal.buffer.normal.baseY;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #armQuiet(): void {
    if (this.#settledListeners.size === 0) return;
    this.#quiet?.cancel();
    this.#quiet = this.#clock.after(QUIET_MS, () => {
      if (this.updating) return this.#armQuiet();
      for (const listener of this.#settledListeners) listener();
    });
  }

  async #load(): Promise<Terminal> {
    // Node sees one CommonJS default export, bundlers and test runners the named one.
    const module: typeof Xterm & { default?: typeof Xterm } = await import('@xterm/headless');
    const terminal = new (module.default ?? module).Terminal({
      ...this.#size,
      scrollback: HISTORY_ROWS,
      convertEol: this.#convertEol,
      allowProposedApi: true,
      logLevel: 'off',
    });
    const { reply } = this.#events;
    if (reply !== undefined) terminal.onData((data) => reply(Buffer.from(data)));
    terminal.onScroll(() => this.#scrolled(terminal));
    this.#watchSequences(terminal);
    return terminal;
  }

  /** Fires for every line scrolled; only from the top of the normal screen does a row enter the history. */
  #scrolled(terminal: Terminal): void {
    const buffer = terminal.buffer.active;
    if (buffer.type !== 'normal') return;
    const grew = buffer.baseY > this.#historyBase;
    this.#historyBase = buffer.baseY;
    // When the history is full its size says nothing, but the scroll region does.
    if (!grew && (buffer.baseY < HISTORY_ROWS || this.#regionTop > 0)) return;
    this.#events.rowGone?.(readRow(buffer, buffer.baseY - 1, terminal.cols));
  }

  #watchSequences(terminal: Terminal): void {
    const { parser, buffer } = terminal;
    for (const final of REPEATING) {
      parser.registerCsiHandler({ final }, ([count]) => typeof count === 'number' && count > MAX_REPEAT);
    }
    parser.registerCsiHandler({ final: 'r' }, ([top, bottom]) => {
      const first = Math.max(1, Number(top ?? 1));
      const last = Number(bottom ?? 0) || terminal.rows;
      if (buffer.active.type === 'normal' && Math.min(last, terminal.rows) > first)
        this.#regionTop = first - 1;
      return false;
    });
    const forget = () => {
      this.#regionTop = 0;
      return false;
    };
    parser.registerEscHandler({ final: 'c' }, () => {
      this.#historyBase = 0;
      return forget();
    });
    parser.registerCsiHandler({ intermediates: '!', final: 'p' }, forget);
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, (modes) => {
      const leaves = modes.some((mode) => mode === 47 || mode === 1047 || mode === 1049);
      if (leaves && buffer.active.type === 'alternate') this.#events.leavingAlternate?.();
      return false;
    });
    // ED 3 empties the history.
    parser.registerCsiHandler({ final: 'J' }, ([what]) => {
      if (what === 3) this.#historyBase = 0;
      return false;
    });
  }

  #read(before: number): Row[] {
    const terminal = this.#terminal;
    if (terminal === undefined) return [];
    const buffer = terminal.buffer.active;
    const rows: Row[] = [];
    for (let y = Math.max(0, buffer.baseY - before); y < buffer.baseY + terminal.rows; y++) {
      rows.push(readRow(buffer, y, terminal.cols));
    }
    return rows;
  }
}

/** A row that does not fill the width was not wrapped into the next, whatever an old flag says. */
function readRow(buffer: IBuffer, y: number, cols: number): Row {
  const line = buffer.getLine(y);
  if (line === undefined) return { text: '', wrapped: false };
  return {
    text: line.translateToString(true),
    wrapped: line.isWrapped && isFull(buffer.getLine(y - 1), cols),
  };
}

/** Written up to its end; a wide character that did not fit leaves one cell free. */
function isFull(line: IBufferLine | undefined, cols: number): boolean {
  const written = (x: number) => {
    const cell = line?.getCell(x);
    return cell !== undefined && (cell.getChars() !== '' || cell.getWidth() === 0);
  };
  return written(cols - 1) || written(cols - 2);
}
