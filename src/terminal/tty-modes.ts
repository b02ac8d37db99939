/**
 * Raw mode by `stty`: Node's `setRawMode` leaves output processing on, and a raw agent's `\n` would
 * arrive as `\r\n` (terminal.md §0, fact 4).
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';

/** Milliseconds. On a real serial line stty may wait for the hardware; we do not wait for ever. */
const STTY_MS = 2000;

function run(args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync('stty', args, {
    stdio: ['inherit', 'pipe', 'ignore'],
    timeout: STTY_MS,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  });
}

/** Asks stty about descriptor 0 (`-g`, `size`); `undefined` if it failed. */
export function askStty(question: string): string | undefined {
  const { status, stdout } = run([question]);
  return status === 0 ? stdout.trim() : undefined;
}

/** Changes the modes of descriptor 0; false if that failed. */
function setModes(...modes: string[]): boolean {
  // -drain (GNU, 9.0): at once. Else stty waits for a write of ours that a stalled terminal blocks,
  // and in Linux 6.18 cannot even be killed there (TCSETSW spins on the write lock).
  let result = run(['-drain', ...modes]);
  // In the background, stty and we are stopped by SIGTTOU; when we go on, its time may be over.
  if (result.signal !== null) result = run(['-drain', ...modes]);
  // BSD has no such option and does not wait; busybox waits.
  if (result.status !== 0) result = run(modes);
  return result.status === 0;
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
    this.#saved ??= askStty('-g');
    // -iexten: on macOS Ctrl-V and Ctrl-O would act even in raw mode.
    if (this.#saved === undefined || !setModes('raw', '-echo', '-iexten')) return false;
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
    if (this.#saved !== undefined) setModes(this.#saved);
  }
}
