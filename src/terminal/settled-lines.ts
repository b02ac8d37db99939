/**
 * A program's output → the logical lines it really produced, each once, in order. Both tiers of
 * terminal.md §3d: the line scanner while the program only prints lines, then, for good, the screen.
 *
 * On the screen a line is given out when its row scrolls into the history, when it stood unchanged for a
 * second, or at `flush`. "A later row exists" is no reason: the input box below a growing answer is one.
 * The screen is looked at when time passes, never because a chunk ended, so chunking cannot matter.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { type Profile, ungutter } from './gutter.ts';
import { type LedgerItems, LineLedger, type SeenLine } from './line-ledger.ts';
import { type Handover, LineScanner } from './line-scanner.ts';
import { joinWrapped, type Row } from './row.ts';
import { Screen } from './screen.ts';

/** Milliseconds between the first new output and the look at the screen; also how often it is repeated. */
const LOOK_MS = 100;
/** Rows gone into the history after which the screen is looked at without waiting: bounds memory. */
const MAX_GONE_ROWS = 1000;
/** UTF-16 units of one logical line; a longer one is given out in parts, each too long for a directive. */
const MAX_LINE_UNITS = 2 * 1024 * 1024;

export interface SettledLinesOptions {
  cols: number;
  rows: number;
  clock: Clock;
  /** Takes one or more whole lines, each ended by LF. */
  onLines: (text: string) => void;
  /** What to take away around the text, once the program draws. Default `generic`: nothing. */
  profile?: Profile;
  /** LF alone starts a new line: for files; a PTY has already made it CR LF. */
  convertEol?: boolean;
  /** The emulator's queue is empty again, after `push` returned false. */
  onDrained?: () => void;
}

export class SettledLines {
  readonly #options: SettledLinesOptions;
  readonly #profile: Profile;
  readonly #scanner: LineScanner;
  readonly #screen: Screen;
  readonly #ledger: LineLedger;
  #tier: 'lines' | 'screen' | 'closed' = 'lines';
  #size: { cols: number; rows: number };
  /** Rows that scrolled off and were not looked at yet. */
  #gone: Row[] = [];
  /** What stood on the other of the two screens. */
  #hidden: LedgerItems | undefined;
  #alternate = false;
  /** After a resize the history may hold rows that were visible before. */
  #lookBack = 0;
  #timer: Timer | undefined;

  constructor(options: SettledLinesOptions) {
    this.#options = options;
    this.#profile = options.profile ?? 'generic';
    this.#size = { cols: options.cols, rows: options.rows };
    this.#scanner = new LineScanner(options);
    this.#ledger = new LineLedger((line) => options.onLines(`${line}\n`));
    this.#screen = new Screen(options, {
      rowGone: (row) => this.#rowGone(row),
      leavingAlternate: () => this.#leaveAlternate(),
      resized: () => this.#beforeResize(),
      drained: () => options.onDrained?.(),
    });
  }

  /** The emulated screen; empty until the program first moved the cursor. */
  get screen(): Screen {
    return this.#screen;
  }

  /** The program has moved the cursor: the screen is the truth now. */
  get drawn(): boolean {
    return this.#tier === 'screen';
  }

  /** The agent's terminal. */
  get size(): { cols: number; rows: number } {
    return this.#size;
  }

  get bracketedPaste(): boolean {
    return this.#tier === 'lines' ? this.#scanner.bracketedPaste : this.#screen.bracketedPaste;
  }

  /** Takes more output. `false`: pause the PTY until `onDrained`. */
  push(bytes: Buffer): boolean {
    if (this.#tier === 'closed') return true;
    if (this.#tier === 'screen') return this.#draw(bytes);
    const { text, moved } = this.#scanner.push(bytes);
    if (text !== '') this.#options.onLines(text);
    if (moved === undefined) return true;
    this.#takeOver(moved);
    return this.#draw(moved.bytes);
  }

  resize(cols: number, rows: number): void {
    this.#size = { cols, rows };
    this.#scanner.resize(rows);
    this.#screen.resize(cols, rows);
    if (this.#tier === 'screen') this.#lookLater();
  }

  /** Resolves when all output so far is on the screen. */
  async drained(): Promise<void> {
    await this.#screen.drained();
  }

  /** The program has ended: gives out what it left, in order. */
  async flush(): Promise<void> {
    if (this.#tier === 'lines') {
      const last = this.#scanner.flush();
      if (last !== '') this.#options.onLines(last);
      return;
    }
    await this.#screen.drained();
    this.#look();
    this.#ledger.flush();
  }

  close(): void {
    this.#tier = 'closed';
    this.#timer?.cancel();
    this.#screen.close();
  }

  #takeOver(moved: Handover): void {
    this.#tier = 'screen';
    this.#ledger.prime(moved.given, this.#options.clock.monotonic());
  }

  #draw(bytes: Buffer): boolean {
    this.#lookLater();
    return this.#screen.push(bytes);
  }

  #lookLater(): void {
    this.#timer ??= this.#options.clock.after(LOOK_MS, () => {
      this.#timer = undefined;
      if (this.#tier !== 'screen') return;
      if (!this.#screen.updating) this.#look();
      if (this.#screen.updating || this.#ledger.pending) this.#lookLater();
    });
  }

  /** Compares the screen with what is known of it. */
  #look(): void {
    this.#switchScreens();
    const above = this.#gone.length > 0 ? this.#gone : [];
    const visible = this.#screen.withHistory(this.#lookBack);
    const back = visible.length - this.#size.rows;
    this.#lookBack = 0;
    const rows = [...above, ...visible];
    const top = above.length + Math.max(0, back);
    const cursor = this.#screen.cursor;
    const lines = ungutter(joinWrapped(rows), this.#profile, this.#size.cols);
    // A line that goes on in the visible rows is not final yet: its gone part is kept for the next look.
    const cut = lines.find((line) => line.last >= top && line.first < top);
    this.#gone = cut === undefined || this.#tooLong(cut.text) ? [] : rows.slice(cut.first, above.length);
    const seen = lines.map<SeenLine>((line) => ({
      text: line.text,
      row: line.first - top,
      final: line.last < top,
      atCursor:
        line.last - top === cursor.row && cursor.column >= (rows[line.last]?.text.trimEnd().length ?? 0),
    }));
    this.#ledger.observe(seen, this.#options.clock.monotonic());
  }

  #tooLong(text: string): boolean {
    return text.length > MAX_LINE_UNITS;
  }

  #rowGone(row: Row): void {
    this.#gone.push(row);
    if (this.#gone.length % MAX_GONE_ROWS === 0) this.#look();
  }

  /** The agent leaves its full-screen view: what stands there is as final as at its exit. */
  #leaveAlternate(): void {
    this.#look();
    this.#ledger.flush();
  }

  #switchScreens(): void {
    if (this.#screen.alternateScreen === this.#alternate) return;
    this.#alternate = this.#screen.alternateScreen;
    this.#hidden = this.#ledger.swap(this.#hidden);
  }

  #beforeResize(): void {
    this.#look();
    this.#lookBack = this.#size.rows;
  }
}
