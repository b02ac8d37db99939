/**
 * The history above the normal screen: tells each row that enters it. The emulator tells every line that is
 * scrolled, also on the alternate screen and in a region below the top, where nothing leaves.
 */
import type { Terminal } from '@xterm/headless';
import { readRow } from './read-row.ts';
import type { Row } from './row.ts';

/** Rows kept: enough to reflow on a resize. Nothing is read from it later. */
export const HISTORY_ROWS = 1000;

export class History {
  readonly #terminal: Terminal;
  readonly #entered: (row: Row) => void;
  /** Top of the scroll region of the normal screen, 0-based (DECSTBM). */
  #regionTop = 0;
  /** How many rows it held when we last looked. */
  #length = 0;

  /** `entered`: a row left the top of the screen for it. */
  constructor(terminal: Terminal, entered: (row: Row) => void) {
    this.#terminal = terminal;
    this.#entered = entered;
    terminal.onScroll(() => this.#scrolled());
    this.#watch();
  }

  /** Gives the terminal another size. Rows that this moves into the history, or out of it, are not told. */
  resize(cols: number, rows: number): void {
    this.#regionTop = 0;
    this.#terminal.resize(cols, rows);
    this.#length = this.#terminal.buffer.normal.baseY;
  }

  #scrolled(): void {
    const buffer = this.#terminal.buffer.active;
    if (buffer.type !== 'normal') return;
    const grew = buffer.baseY > this.#length;
    this.#length = buffer.baseY;
    // When the history is full its size says nothing, but the scroll region does.
    if (!grew && (buffer.baseY < HISTORY_ROWS || this.#regionTop > 0)) return;
    this.#entered(readRow(buffer, buffer.baseY - 1, this.#terminal.cols));
  }

  /** The sequences that set the scroll region, and those that empty the history. */
  #watch(): void {
    const { parser, buffer } = this.#terminal;
    parser.registerCsiHandler({ final: 'r' }, ([top, bottom]) => {
      const { rows } = this.#terminal;
      const first = Math.max(1, Number(top ?? 1));
      const last = Number(bottom ?? 0) || rows;
      if (buffer.active.type === 'normal' && Math.min(last, rows) > first) this.#regionTop = first - 1;
      return false;
    });
    const forget = () => {
      this.#regionTop = 0;
      return false;
    };
    parser.registerEscHandler({ final: 'c' }, () => {
      this.#length = 0;
      return forget();
    });
    parser.registerCsiHandler({ intermediates: '!', final: 'p' }, forget);
    // ED 3 empties the history.
    parser.registerCsiHandler({ final: 'J' }, ([what]) => {
      if (what === 3) this.#length = 0;
      return false;
    });
  }
}
