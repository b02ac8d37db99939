/** Rows → bytes for a terminal that shows other rows: only what has changed, in one synchronized update. */
import type { TtySize } from '../terminal/tty.ts';

/** The alternate screen without cursor and automatic wrap (a row too wide stays in its row), with bracketed paste. */
export const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[H\x1b[2J';
export const LEAVE = '\x1b[?2026l\x1b[m\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l';

export class Painter {
  #rows: readonly string[] = [];
  #size: TtySize = { cols: 0, rows: 0 };

  /** The bytes to write; '' if nothing has changed. */
  paint(rows: readonly string[], size: TtySize): string {
    const isResized = size.cols !== this.#size.cols || size.rows !== this.#size.rows;
    const before = isResized ? [] : this.#rows;
    this.#rows = rows;
    this.#size = size;
    // Erased first: after a row of the whole width, erasing to its end would take its last cell.
    const changed = rows.flatMap((row, i) =>
      row === before[i] ? [] : [`\x1b[${i + 1};1H\x1b[2K${row}\x1b[m`],
    );
    if (changed.length === 0) return '';
    return `\x1b[?2026h${isResized ? '\x1b[m\x1b[2J' : ''}${changed.join('')}\x1b[?2026l`;
  }

  /** The terminal shows something else now: the next rows are painted whole. */
  forget(): void {
    this.#size = { cols: 0, rows: 0 };
  }
}
