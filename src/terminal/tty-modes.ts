/**
 * Raw mode by `stty`: Node's `setRawMode` leaves output processing on, and a raw agent's `\n` would
 * arrive as `\r\n` (terminal.md §0, fact 4).
 */
import { spawnSync } from 'node:child_process';

/** Milliseconds. On a real serial line stty waits for the output to drain; we do not wait for ever. */
const STTY_MS = 2000;

/** Runs stty on descriptor 0; its output, or `undefined` if it failed. */
export function stty(...args: string[]): string | undefined {
  const run = () =>
    spawnSync('stty', args, {
      stdio: ['inherit', 'pipe', 'ignore'],
      timeout: STTY_MS,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    });
  let result = run();
  // In the background, stty and we are stopped by SIGTTOU; when we go on, its time may be over.
  if (result.signal !== null) result = run();
  return result.status === 0 ? result.stdout.trim() : undefined;
}

export class TtyModes {
  #saved: string | undefined;
  #state: 'original' | 'raw' = 'original';
  readonly #restoreAtExit = () => this.restore();

  get raw(): boolean {
    return this.#state === 'raw';
  }

  /**
   * Raw for input and output, without echo; also restored if the process ends by an exception. Each
   * call sets it anew: the shell changes the terminal while we are stopped.
   */
  enterRaw(): boolean {
    this.#saved ??= stty('-g');
    // -iexten: on macOS Ctrl-V and Ctrl-O would act even in raw mode.
    if (this.#saved === undefined || stty('raw', '-echo', '-iexten') === undefined) return false;
    if (this.#state === 'raw') return true;
    this.#state = 'raw';
    process.on('exit', this.#restoreAtExit);
    return true;
  }

  /** Back to what `stty -g` said. Synchronous; twice is fine. */
  restore(): void {
    if (this.#state === 'original') return;
    this.#state = 'original';
    process.off('exit', this.#restoreAtExit);
    if (this.#saved !== undefined) stty(this.#saved);
  }
}
