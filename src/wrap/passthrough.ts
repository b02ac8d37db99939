/**
 * Joins the person's terminal and the agent's PTY, as if there were nothing between them. What is
 * built on top hears of the bytes after they were passed on, and types by `write`.
 * The table of signals and ways out: terminal.md §2.
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { OutputScanner } from '../terminal/output-scanner.ts';
import { Pty } from '../terminal/pty.ts';
import type { Tty, TtySize } from '../terminal/tty.ts';
import { AgentInput } from './agent-input.ts';
import { AgentLife, type LifeHooks } from './agent-life.ts';
import { HookGuard } from './hook-guard.ts';
import type { KeyHold } from './key-hold.ts';
import type { Recorder } from './recorder.ts';
import type { Signals } from './signals.ts';

/** Milliseconds between the two sizes that make an agent draw its screen anew. */
const POKE_MS = 30;
/** Bytes of input waiting for the agent, above which the person's input is not read. */
const INPUT_HIGH_WATER_BYTES = 64 * 1024;

export interface PassthroughHooks extends LifeHooks {
  /** The agent printed this, and the person has it. A promise holds further output until it is settled, for a second at most. */
  onOutput?(chunk: Buffer): void | Promise<void>;
  /** The person (or their terminal) sent this, and the agent has it queued. */
  onInput?(chunk: Buffer): void;
  /** The terminal has another size, and the agent has been told. */
  onResize?(size: TtySize): void;
}

/** Sees the person's input first and hands on what is the agent's. */
export interface InputFilter {
  input(chunk: Buffer): void;
  /** Nothing more comes: what was kept back is handed on. */
  end(): void;
}

export interface PassthroughOptions {
  tty: Tty;
  agent: { file: string; args: readonly string[]; env: Record<string, string | undefined>; cwd: string };
  /** The agent's size in a terminal of this size. */
  sizeFor: (terminal: TtySize) => TtySize;
  clock: Clock;
  log: Log;
  signals: Signals;
  recorder?: Recorder | undefined;
  hooks?: PassthroughHooks;
  /** `pass` takes what is the agent's. */
  filterInput?: ((pass: (chunk: Buffer) => void) => InputFilter) | undefined;
}

export class Passthrough {
  readonly #options: PassthroughOptions;
  readonly #hooks: PassthroughHooks;
  readonly #guard: HookGuard;
  readonly #pty: Pty;
  readonly #life: AgentLife;
  readonly #input: AgentInput;
  readonly #printed = new OutputScanner();
  /** What is to be told to the person's terminal as soon as the agent's output lets it. */
  #asides: Buffer[] = [];
  readonly #pauses = new Set<'terminal' | 'hook'>();
  #heldByHook = 0;

  /** Starts the agent. Throws PTY_FAILED, with the terminal untouched. */
  constructor(options: PassthroughOptions) {
    this.#options = options;
    this.#hooks = options.hooks ?? {};
    const { tty, agent, clock, log, signals, recorder } = options;
    this.#guard = new HookGuard(clock, log);
    const input = new AgentInput({
      write: (bytes, onEnd) => this.#pty.write(bytes, onEnd),
      passed: (chunk) => this.#passed(chunk),
      clock,
    });
    this.#input = input;
    this.#life = new AgentLife({
      tty,
      signals,
      clock,
      guard: this.#guard,
      hooks: this.#hooks,
      paused: () => input.release(),
      redraw: () => this.#redraw(),
      ended: () => {
        input.close();
        recorder?.close();
      },
    });
    try {
      this.#pty = new Pty(
        { ...agent, ...options.sizeFor(tty.size) },
        {
          onOutput: (chunk) => this.#output(chunk),
          onDrain: () => tty.resumeInput(),
          onExit: (exit) => void this.#life.agentEnded(exit),
        },
        clock,
      );
    } catch (error) {
      this.#life.cancel();
      throw error;
    }
    this.#life.begin(this.#pty);
    recorder?.start(this.#pty.path);
    // After the fork, so that the agent starts meanwhile; no byte of it is shown before we return.
    tty.enterRaw();
    const pass = (chunk: Buffer) => input.push(chunk);
    const filter = options.filterInput?.(pass);
    tty.start({
      onInput: filter === undefined ? pass : (chunk) => filter.input(chunk),
      onInputEnd: () => {
        filter?.end();
        input.end();
      },
      onResize: () => this.#follow(),
      onDrain: () => this.#unpause('terminal'),
      onGone: (what, code) => {
        log.info('tty.gone', { what, code });
        this.#life.gone(what);
      },
    });
  }

  /** How the agent ended: its exit code, or 128 + the signal's number. */
  get exited(): Promise<{ code: number }> {
    return this.#life.exited;
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** The path of the agent's terminal, such as /dev/pts/7. */
  get agentTty(): string {
    return this.#pty.path;
  }

  /** When (by `clock.monotonic`) the agent last got a key of the person; replies of the terminal do not count. */
  lastInputAt(): number | undefined {
    return this.#input.lastInputAt;
  }

  /**
   * Types `bytes` as one piece: never within a key, a terminal's reply or a paste of the person.
   * Resolves to true when the agent's terminal has them all, to false if the agent ended before.
   */
  write(bytes: Uint8Array): Promise<boolean> {
    return this.#input.type(bytes);
  }

  /** As `write`; and the person's keys wait until the hold is released, or breaks. */
  paste(bytes: Uint8Array): Promise<KeyHold> {
    return this.#input.paste(bytes);
  }

  /** Tells the person's terminal something that draws nothing (a title, a bell), never within a sequence of the agent. */
  tell(bytes: Buffer): void {
    this.#asides.push(bytes);
    this.#tellAsides();
  }

  /** Sets the agent's size until the terminal changes its own. */
  resize(size: TtySize): void {
    this.#pty.resize(size.cols, size.rows);
    this.#options.recorder?.resize(size.cols, size.rows);
    this.#guard.run('onResize', () => this.#hooks.onResize?.(size));
  }

  #output(chunk: Buffer): void {
    if (!this.#options.tty.write(chunk)) this.#pause('terminal');
    this.#printed.push(chunk);
    this.#tellAsides();
    this.#options.recorder?.output(chunk);
    const held = this.#guard.run('onOutput', () => this.#hooks.onOutput?.(chunk));
    if (!(held instanceof Promise)) return;
    this.#heldByHook += 1;
    this.#pause('hook');
    void this.#guard
      .bounded('onOutput', () => held)
      .then(() => {
        this.#heldByHook -= 1;
        if (this.#heldByHook === 0) this.#unpause('hook');
      });
  }

  #tellAsides(): void {
    // Of an agent that has ended nothing follows: what it left unfinished is no reason to wait.
    if (!this.#printed.atBoundary && !this.#life.ending) return;
    for (const bytes of this.#asides.splice(0)) {
      if (!this.#options.tty.write(bytes)) this.#pause('terminal');
    }
  }

  #pause(reason: 'terminal' | 'hook'): void {
    this.#pauses.add(reason);
    this.#pty.pause();
  }

  #unpause(reason: 'terminal' | 'hook'): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0) this.#pty.resume();
  }

  #passed(chunk: Buffer): void {
    if (this.#pty.pendingBytes > INPUT_HIGH_WATER_BYTES) this.#options.tty.pauseInput();
    this.#options.recorder?.input(chunk);
    this.#guard.run('onInput', () => this.#hooks.onInput?.(chunk));
  }

  #follow(): void {
    const size = this.#options.sizeFor(this.#options.tty.size);
    if (size.cols > 0 && size.rows > 0) this.resize(size);
  }

  #redraw(): void {
    // A size that did not change says nothing; another one and back makes the agent draw its screen.
    const { cols, rows } = this.#options.sizeFor(this.#options.tty.size);
    this.#pty.resize(cols, rows > 1 ? rows - 1 : rows + 1);
    this.#options.clock.after(POKE_MS, () => this.#follow());
  }
}
