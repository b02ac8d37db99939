/** The person's side of a test: a real PTY in which a program (mostly our CLI) runs. */
import { resolve } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { Pty, type PtyExit } from '../../src/terminal/pty.ts';
import { waitFor } from './wait-for.ts';

/** The single executable to test instead of the built CLI: `npm run test:binary`. */
export const BINARY = process.env.AGENT_WRAP_BIN;

/** How agent-wrap is started. */
export const COMMAND: readonly [string, ...string[]] =
  BINARY === undefined
    ? [process.execPath, resolve(import.meta.dirname, '../../bin/agent-wrap.js')]
    : [resolve(BINARY)];
export const [FILE, ...LEADING] = COMMAND;

export class OuterTerminal {
  readonly #pty: Pty;
  readonly #chunks: Buffer[] = [];
  #exit: PtyExit | undefined;
  #whole: Buffer | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(
    argv: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv; cols?: number; rows?: number } = {},
  ) {
    const [file = '', ...args] = argv;
    this.#pty = new Pty(
      {
        file,
        args,
        env: { ...process.env, ...options.env },
        cwd: options.cwd ?? process.cwd(),
        cols: options.cols ?? 80,
        rows: options.rows ?? 24,
      },
      {
        onOutput: (chunk) => {
          this.#chunks.push(chunk);
          this.#whole = undefined;
          for (const resolve of this.#waiting.splice(0)) resolve();
        },
        onDrain: () => {},
        onExit: (exit) => {
          this.#exit = exit;
        },
      },
      systemClock,
    );
  }

  /** Runs `agent-wrap` with these arguments in a new terminal. */
  static wrap(
    args: readonly string[],
    options?: { cwd?: string; env?: NodeJS.ProcessEnv; cols?: number; rows?: number },
  ): OuterTerminal {
    return new OuterTerminal([...COMMAND, '--no-relay', ...args], options);
  }

  get pid(): number {
    return this.#pty.pid;
  }

  get bytes(): Buffer {
    this.#whole ??= Buffer.concat(this.#chunks);
    return this.#whole;
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }

  write(input: string | Uint8Array): void {
    this.#pty.write(typeof input === 'string' ? Buffer.from(input) : input);
  }

  resize(cols: number, rows: number): void {
    this.#pty.resize(cols, rows);
  }

  /** The person's terminal stops to take output (Ctrl-S, a dead ssh connection). */
  stall(): void {
    this.#pty.pause();
  }

  resume(): void {
    this.#pty.resume();
  }

  /** Resolves at the next bytes that arrive, at once and without polling. */
  nextOutput(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Waits until the text contains this; returns what follows it. */
  async see(text: string | RegExp): Promise<RegExpMatchArray | null> {
    const found = () =>
      typeof text === 'string' ? (this.text.includes(text) ? [text] : null) : this.text.match(text);
    await waitFor(
      () => found() !== null || this.#exit !== undefined,
      () => `${text} in ${JSON.stringify(this.text.slice(-300))}`,
    );
    if (found() === null) throw new Error(`ended without ${text}: ${JSON.stringify(this.text.slice(-300))}`);
    return found() as RegExpMatchArray;
  }

  /** Waits for the end of the program: its exit code, or 128 + n for a signal. */
  async end(ms?: number): Promise<number> {
    await waitFor(
      () => this.#exit !== undefined,
      () => `the end of pid ${this.pid}, after ${JSON.stringify(this.text.slice(-300))}`,
      ms,
    );
    const { exitCode, signal } = this.#exit as PtyExit;
    return signal === 0 ? exitCode : 128 + signal;
  }

  get exit(): PtyExit | undefined {
    return this.#exit;
  }

  /** Closes the terminal, as a window is closed; who is in it gets SIGHUP. */
  close(): void {
    this.#pty.close();
  }

  /** For afterEach: nothing stays behind. */
  async dispose(): Promise<void> {
    this.#pty.close();
    if (this.#exit === undefined) {
      try {
        process.kill(this.pid, 'SIGKILL');
      } catch {
        // Just ended.
      }
    }
    await waitFor(() => this.#exit !== undefined, 'the end');
  }
}
