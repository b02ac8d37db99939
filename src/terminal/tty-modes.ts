/**
 * Raw mode by `stty`: Node's `setRawMode` leaves output processing on, and a raw agent's `\n` would
 * arrive as `\r\n` (terminal.md §0, fact 4).
 */
import { spawnSync } from 'node:child_process';

/** Milliseconds. On a real serial line stty may wait for the hardware; we do not wait for ever. */
const STTY_MS = 2000;

/** One shell for all that is to be done: each spawn costs us milliseconds before the first byte. */
function shell(command: string): string | undefined {
  const run = () =>
    spawnSync('/bin/sh', ['-c', command], {
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

/** Asks stty about descriptor 0; `undefined` if it failed. */
export const askStty = (question: 'size'): string | undefined => shell(`stty ${question}`);

/**
 * -drain (GNU, 9.0): at once. Else stty waits for a write of ours that a stalled terminal blocks, and
 * in Linux 6.18 cannot even be killed there (TCSETSW spins on the write lock). BSD has no such option
 * and does not wait; busybox waits.
 */
const setting = (modes: string): string => `{ stty -drain ${modes} || stty ${modes}; }`;

/** -iexten: on macOS Ctrl-V and Ctrl-O would act even in raw mode. */
const RAW = setting('raw -echo -iexten');

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
  enterRaw(): void {
    if (this.#saved !== undefined) shell(RAW);
    else this.#saved = shell(`stty -g && ${RAW}`);
    // No stty, or the terminal has just gone: it stays as it is.
    if (this.#saved === undefined || this.#state === 'raw') return;
    this.#state = 'raw';
    process.on('exit', this.#restoreAtExit);
  }

  /** Back to what `stty -g` said. Synchronous; twice is fine. */
  restore(): void {
    if (this.#state === 'original') return;
    this.#state = 'original';
    process.off('exit', this.#restoreAtExit);
    if (this.#saved !== undefined) shell(setting(this.#saved));
  }
}
