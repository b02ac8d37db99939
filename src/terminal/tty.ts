/** The person's terminal: an interface, the real one, and one that is not there (headless runs). */
import { isatty, type ReadStream } from 'node:tty';
import type { Clock } from '../base/clock.ts';
import { askStty, TtyModes } from './tty-modes.ts';
import { TtyOutput } from './tty-output.ts';
import { openTtyReader } from './tty-reader.ts';

export interface TtySize {
  cols: number;
  rows: number;
}

export interface TtyEvents {
  /** Bytes from the person; the buffer is the receiver's to keep. */
  onInput(chunk: Buffer): void;
  /** A piped input is at its end; a terminal's input never is. */
  onInputEnd(): void;
  onResize(size: TtySize): void;
  /** All output is written, after `write` had said false. */
  onDrain(): void;
  /** `terminal`: it was closed, as by SIGHUP. `output`: nobody reads the pipe any more. */
  onGone(what: 'terminal' | 'output', code: string): void;
}

export interface Tty {
  /** Columns and rows; 0 means unknown. */
  readonly size: TtySize;
  start(events: TtyEvents): void;
  /** Takes the bytes; false: stop until `onDrain`. */
  write(chunk: Uint8Array): boolean;
  /** Resolves when all output is with the kernel. */
  flushed(): Promise<void>;
  pauseInput(): void;
  resumeInput(): void;
  /** Raw mode (again), if input and output are a terminal; else nothing. */
  enterRaw(): void;
  /** Undoes `enterRaw`. Synchronous; twice is fine. */
  restore(): void;
  /** Restores and lets go of the terminal; the shell's descriptors stay open. Twice is fine. */
  close(): void;
}

/** Bytes. A large paste comes in few pieces. */
const INPUT_BYTES = 64 * 1024;

/** Descriptors 0 and 1 of this process, each a terminal, a pipe or a file. */
export class PersonTty implements Tty {
  readonly #inputIsTty = isatty(0);
  readonly #outputIsTty = isatty(1);
  readonly #clock: Clock;
  readonly #modes = new TtyModes();
  #output: TtyOutput | undefined;
  #input: NodeJS.ReadableStream | undefined;
  #stopResize: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): TtySize {
    if (this.#outputIsTty) return { cols: process.stdout.columns ?? 0, rows: process.stdout.rows ?? 0 };
    const [rows = 0, cols = 0] = this.#inputIsTty ? (askStty('size') ?? '').split(' ').map(Number) : [];
    return { cols, rows };
  }

  start(events: TtyEvents): void {
    this.#output = new TtyOutput(1, this.#clock, {
      onDrain: () => events.onDrain(),
      onGone: (code) => events.onGone(this.#outputIsTty ? 'terminal' : 'output', code),
    });
    this.#input = this.#inputIsTty ? this.#startTerminal(events) : this.#startStream(events);
    this.#input.resume();
    if (this.#outputIsTty || this.#inputIsTty) this.#startResize(events);
  }

  write(chunk: Uint8Array): boolean {
    return this.#output?.write(chunk) ?? true;
  }

  flushed(): Promise<void> {
    return this.#output?.flushed() ?? Promise.resolve();
  }

  pauseInput(): void {
    this.#input?.pause();
  }

  resumeInput(): void {
    this.#input?.resume();
  }

  enterRaw(): void {
    if (this.#inputIsTty && this.#outputIsTty) this.#modes.enterRaw();
  }

  restore(): void {
    this.#modes.restore();
  }

  close(): void {
    this.restore();
    this.#stopResize?.();
    this.#stopResize = undefined;
    this.#input?.pause(); // Not destroyed: descriptor 0 is where stty and the exit of Node look.
    this.#input?.removeAllListeners('data');
    // A pipe that is paused still counts as open for the event loop.
    if (this.#input !== undefined && 'unref' in this.#input) (this.#input as ReadStream).unref();
    this.#output?.close();
  }

  #startTerminal(events: TtyEvents): ReadStream {
    const input = openTtyReader(0, INPUT_BYTES, (chunk) => events.onInput(chunk));
    input.on('error', (error: NodeJS.ErrnoException) => events.onGone('terminal', error.code ?? 'EIO'));
    // Raw, Ctrl-D is a byte like others: an end can only mean that the terminal is closed.
    input.on('end', () => (this.#modes.raw ? events.onGone('terminal', 'EOF') : events.onInputEnd()));
    return input;
  }

  #startStream(events: TtyEvents): NodeJS.ReadableStream {
    process.stdin.on('data', (chunk: Buffer) => events.onInput(chunk));
    process.stdin.on('end', () => events.onInputEnd());
    process.stdin.on('error', () => events.onInputEnd());
    return process.stdin;
  }

  #startResize(events: TtyEvents): void {
    const told = () => events.onResize(this.size);
    if (this.#outputIsTty) process.stdout.on('resize', told);
    else process.on('SIGWINCH', told);
    this.#stopResize = () => {
      process.stdout.off('resize', told);
      process.off('SIGWINCH', told);
    };
  }
}

/** No terminal: a given size, no input, output handed to `onOutput` or swallowed. */
export class NullTty implements Tty {
  readonly size: TtySize;
  readonly #onOutput: (chunk: Uint8Array) => void;

  constructor(size: TtySize, onOutput: (chunk: Uint8Array) => void = () => {}) {
    this.size = size;
    this.#onOutput = onOutput;
  }

  start(_events: TtyEvents): void {}

  write(chunk: Uint8Array): boolean {
    this.#onOutput(chunk);
    return true;
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  pauseInput(): void {}
  resumeInput(): void {}
  enterRaw(): void {}
  restore(): void {}
  close(): void {}
}
