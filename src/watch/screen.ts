/** Our own screen on the person's terminal: taken, painted, and given back on every way out. */
import { writeSync } from 'node:fs';
import type { Tty, TtySize } from '../terminal/tty.ts';
import { ENTER, LEAVE, Painter } from './painter.ts';

/** Of a terminal that does not tell. */
const UNKNOWN_SIZE: TtySize = { cols: 80, rows: 24 };

export interface OwnScreenEvents {
  onInput(chunk: Buffer): void;
  /** Paint anew: another size, or the terminal has caught up. */
  onStale(): void;
  /** There is no terminal any more. */
  onGone(): void;
}

export class OwnScreen {
  readonly #tty: Tty;
  readonly #painter = new Painter();
  #state: 'closed' | 'shown' | 'hidden' = 'closed';
  #isBehind = false;
  // Also when the process ends by an exception: only what is synchronous is still done then.
  readonly #leaveAtExit = () => {
    if (this.#state === 'shown') writeSync(1, LEAVE);
  };

  constructor(tty: Tty) {
    this.#tty = tty;
  }

  open(events: OwnScreenEvents): void {
    this.#tty.enterRaw();
    this.#tty.start({
      onInput: (chunk) => events.onInput(chunk),
      onInputEnd: () => events.onGone(),
      onResize: () => events.onStale(),
      onDrain: () => {
        this.#isBehind = false;
        events.onStale();
      },
      onGone: () => events.onGone(),
    });
    process.on('exit', this.#leaveAtExit);
    this.#show();
  }

  /** Nothing is written while the terminal is behind: what it shows next is the latest. */
  paint(rows: (size: TtySize) => string[]): void {
    if (this.#state !== 'shown' || this.#isBehind) return;
    const { cols, rows: count } = this.#tty.size;
    const size = cols > 0 && count > 0 ? { cols, rows: count } : UNKNOWN_SIZE;
    const bytes = this.#painter.paint(rows(size), size);
    if (bytes !== '') this.#isBehind = !this.#tty.write(Buffer.from(bytes));
  }

  /** The next rows are painted whole. */
  forget(): void {
    this.#painter.forget();
  }

  /** Gives the terminal to the shell, until `resume`. */
  async suspend(): Promise<void> {
    await this.#hide();
    this.#tty.restore();
  }

  resume(): void {
    if (this.#state !== 'hidden') return;
    this.#tty.enterRaw();
    this.#show();
  }

  /** Twice is fine. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    await this.#hide();
    this.#state = 'closed';
    process.off('exit', this.#leaveAtExit);
    this.#tty.close();
  }

  #show(): void {
    this.#state = 'shown';
    this.#painter.forget();
    this.#tty.write(Buffer.from(ENTER));
  }

  async #hide(): Promise<void> {
    if (this.#state !== 'shown') return;
    this.#tty.write(Buffer.from(LEAVE));
    this.#state = 'hidden';
    await this.#tty.flushed();
  }
}
