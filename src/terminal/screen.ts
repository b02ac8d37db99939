/**
 * What a terminal would show: `@xterm/headless`, loaded when the first byte needs it, fed from a bounded
 * queue. Tier 2 of terminal.md §3d; also where injection looks for the input box.
 */
import { StringDecoder } from 'node:string_decoder';
import type * as Xterm from '@xterm/headless';
import type { Terminal } from '@xterm/headless';
import type { Clock, Timer } from '../base/clock.ts';
import { HISTORY_ROWS, History } from './history.ts';
import { readRow } from './read-row.ts';
import type { Row } from './row.ts';
import { type ScreenJob, ScreenQueue } from './screen-queue.ts';

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

export class Screen {
  readonly #clock: Clock;
  readonly #events: ScreenEvents;
  readonly #convertEol: boolean;
  #size: { cols: number; rows: number };
  #terminal: Terminal | undefined;
  #history: History | undefined;
  /** `busy` while the emulator is being loaded or works; jobs then wait their turn. */
  #state: 'idle' | 'busy' | 'closed' = 'idle';
  readonly #queue = new ScreenQueue();
  /** The emulator's own decoder (6.0.0) loses some characters that are split over two writes. */
  readonly #decoder = new StringDecoder('utf8');
  #waiting: (() => void)[] = [];
  #failure: unknown;
  readonly #settledListeners = new Set<() => void>();
  #quiet: Timer | undefined;
  #syncSince: number | undefined;

  constructor(options: ScreenOptions, events: ScreenEvents = {}) {
    this.#clock = options.clock;
    this.#size = { cols: options.cols, rows: options.rows };
    this.#convertEol = options.convertEol ?? false;
    this.#events = events;
  }

  /** Queues output. `false`: the queue is full; pause the PTY until the `drained` event. */
  push(bytes: Buffer): boolean {
    if (this.#state === 'closed') return true;
    const room = this.#queue.push(bytes);
    this.#start();
    return room;
  }

  /** Takes effect after the output that was queued before it. */
  resize(cols: number, rows: number): void {
    if (this.#state === 'closed') return;
    this.#queue.resize(cols, rows);
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
    this.#queue.clear();
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
      for (let job = this.#queue.next(); job !== undefined; job = this.#queue.next()) await this.#do(job);
    } catch (error) {
      // Without an emulator the screen stays empty; the person's terminal does not depend on it.
      this.#failure = error;
      this.#queue.clear();
    }
    if (this.#state === 'closed') return;
    this.#state = 'idle';
    this.#armQuiet();
    this.#wake();
    this.#events.drained?.();
  }

  async #do(job: ScreenJob): Promise<void> {
    const terminal = this.#terminal as Terminal;
    if ('bytes' in job) {
      await new Promise<void>((resolve) => terminal.write(this.#decoder.write(job.bytes), resolve));
      this.#queue.written(job.bytes.length);
      return;
    }
    this.#events.resized?.();
    this.#size = { cols: job.cols, rows: job.rows };
    this.#history?.resize(job.cols, job.rows);
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
    this.#history = new History(terminal, (row) => this.#events.rowGone?.(row));
    this.#watchSequences(terminal);
    return terminal;
  }

  #watchSequences(terminal: Terminal): void {
    const { parser, buffer } = terminal;
    for (const final of REPEATING) {
      parser.registerCsiHandler({ final }, ([count]) => typeof count === 'number' && count > MAX_REPEAT);
    }
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, (modes) => {
      const leaves = modes.some((mode) => mode === 47 || mode === 1047 || mode === 1049);
      if (leaves && buffer.active.type === 'alternate') this.#events.leavingAlternate?.();
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
