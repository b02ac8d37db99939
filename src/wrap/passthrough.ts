/**
 * Joins the person's terminal and the agent's PTY, as if there were nothing between them. What is
 * built on top hears of the bytes after they were passed on, and types by `write`.
 * The table of signals and ways out: terminal.md §2.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { InputScanner } from '../terminal/input-scanner.ts';
import { OutputScanner } from '../terminal/output-scanner.ts';
import { Pty, type PtyExit } from '../terminal/pty.ts';
import type { Tty, TtySize } from '../terminal/tty.ts';
import type { Recorder } from './recorder.ts';
import type { Signals } from './signals.ts';

/** Milliseconds that an agent has to end after a signal to us, before SIGKILL. */
const GRACE_MS = 2000;
/** Milliseconds that a hook may hold up output or a suspend: a bug there must not stop the agent. */
const HOOK_MS = 1000;
/** Milliseconds that a goodbye may delay the exit: what the agent said last leaves in that time. */
const EXIT_HOOK_MS = 2000;
/** Milliseconds after which a started sequence was a key: terminals send a sequence in one piece. */
const SETTLE_MS = 100;
/** Milliseconds between the two sizes that make an agent draw its screen anew. */
const POKE_MS = 30;
/** Bytes of input waiting for the agent, above which the person's input is not read. */
const INPUT_HIGH_WATER_BYTES = 64 * 1024;
/** End of file as a terminal says it (VEOF). */
const EOF_CHARACTER = 0x04;
const LF = 0x0a;

export interface PassthroughHooks {
  /** The agent printed this, and the person has it. A promise holds further output until it is settled, for a second at most. */
  onOutput?(chunk: Buffer): void | Promise<void>;
  /** The person (or their terminal) sent this, and the agent has it queued. */
  onInput?(chunk: Buffer): void;
  /** The terminal has another size, and the agent has been told. */
  onResize?(size: TtySize): void;
  /** This process is about to be stopped with its agent: hand over what others wait for. */
  onSuspend?(): void | Promise<void>;
  onContinue?(): void;
  /** The agent has ended, or this process is about to: the last chance to say goodbye. */
  onExit?(): void | Promise<void>;
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
  /** How the agent ended: its exit code, or 128 + the signal's number. */
  readonly exited: Promise<{ code: number }>;
  readonly #options: PassthroughOptions;
  readonly #hooks: PassthroughHooks;
  readonly #pty: Pty;
  readonly #scanner = new InputScanner();
  readonly #printed = new OutputScanner();
  /** What is to be told to the person's terminal as soon as the agent's output lets it. */
  #asides: Buffer[] = [];
  readonly #injections: { bytes: Uint8Array; onEnd: (whole: boolean) => void }[] = [];
  readonly #pauses = new Set<'terminal' | 'hook'>();
  readonly #stopListening: (() => void)[] = [];
  #resolveExited: (exit: { code: number }) => void = () => {};
  #state: 'running' | 'suspending' | 'suspended' | 'terminating' | 'ending' | 'ended' = 'running';
  #terminatedBy: NodeJS.Signals | undefined;
  #heldByHook = 0;
  #lastInputAt: number | undefined;
  #lastByte = LF;
  #settleTimer: Timer | undefined;
  #killTimer: Timer | undefined;

  /** Starts the agent. Throws PTY_FAILED, with the terminal untouched. */
  constructor(options: PassthroughOptions) {
    this.#options = options;
    this.#hooks = options.hooks ?? {};
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    const { tty, agent, clock } = options;
    this.#listenToSignals(); // Before the fork: an agent that stops itself at once must be noticed.
    try {
      this.#pty = new Pty(
        { ...agent, ...options.sizeFor(tty.size) },
        {
          onOutput: (chunk) => this.#output(chunk),
          onDrain: () => tty.resumeInput(),
          onExit: (exit) => void this.#agentEnded(exit),
        },
        clock,
      );
    } catch (error) {
      for (const stop of this.#stopListening) stop();
      throw error;
    }
    options.recorder?.start(this.#pty.path);
    // After the fork, so that the agent starts meanwhile; no byte of it is shown before we return.
    tty.enterRaw();
    const pass = (chunk: Buffer) => this.#input(chunk);
    const filter = options.filterInput?.(pass);
    tty.start({
      onInput: filter === undefined ? pass : (chunk) => filter.input(chunk),
      onInputEnd: () => {
        filter?.end();
        this.#inputEnded();
      },
      onResize: () => this.#follow(),
      onDrain: () => this.#unpause('terminal'),
      onGone: (what, code) => {
        options.log.info('tty.gone', { what, code });
        if (what === 'terminal') void this.#hangUp();
        else if (this.#state === 'running') this.#terminate('SIGHUP');
      },
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** The path of the agent's terminal, such as /dev/pts/7. */
  get agentTty(): string {
    return this.#pty.path;
  }

  /** When (by `clock.monotonic`) the person last pressed a key; replies of the terminal do not count. */
  lastInputAt(): number | undefined {
    return this.#lastInputAt;
  }

  /**
   * Types `bytes` as one piece: never within a key, a terminal's reply or a paste of the person.
   * Resolves to true when the agent's terminal has them all, to false if the agent ended before.
   */
  write(bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      this.#injections.push({ bytes, onEnd: resolve });
      this.#inject();
    });
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
    this.#guard('onResize', () => this.#hooks.onResize?.(size));
  }

  #output(chunk: Buffer): void {
    if (!this.#options.tty.write(chunk)) this.#pause('terminal');
    this.#printed.push(chunk);
    this.#tellAsides();
    this.#options.recorder?.output(chunk);
    const held = this.#guard('onOutput', () => this.#hooks.onOutput?.(chunk));
    if (!(held instanceof Promise)) return;
    this.#heldByHook += 1;
    this.#pause('hook');
    void this.#bounded('onOutput', () => held).then(() => {
      this.#heldByHook -= 1;
      if (this.#heldByHook === 0) this.#unpause('hook');
    });
  }

  #tellAsides(): void {
    // Of an agent that has ended nothing follows: what it left unfinished is no reason to wait.
    if (!this.#printed.atBoundary && this.#state !== 'ending') return;
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

  #input(chunk: Buffer): void {
    this.#pty.write(chunk);
    this.#lastByte = chunk.at(-1) ?? this.#lastByte;
    if (this.#pty.pendingBytes > INPUT_HIGH_WATER_BYTES) this.#options.tty.pauseInput();
    if (this.#scanner.push(chunk)) this.#lastInputAt = this.#options.clock.monotonic();
    this.#settleTimer?.cancel();
    this.#settleTimer = undefined;
    if (this.#scanner.atBoundary) this.#inject();
    else if (!this.#scanner.inPaste) {
      this.#settleTimer = this.#options.clock.after(SETTLE_MS, () => {
        if (this.#scanner.settle()) this.#lastInputAt = this.#options.clock.monotonic();
        this.#inject();
      });
    }
    this.#options.recorder?.input(chunk);
    this.#guard('onInput', () => this.#hooks.onInput?.(chunk));
  }

  #inject(): void {
    if (!this.#scanner.atBoundary) return;
    for (const { bytes, onEnd } of this.#injections.splice(0)) this.#pty.write(bytes, onEnd);
  }

  /**
   * The end of a piped input is what a person would type: Ctrl-D, and once more after an unfinished
   * line, where the first only hands the line over (`printf abc | agent-wrap cat` would hang).
   */
  #inputEnded(): void {
    this.#pty.write(Buffer.alloc(this.#lastByte === LF ? 1 : 2, EOF_CHARACTER));
  }

  #follow(): void {
    const size = this.#options.sizeFor(this.#options.tty.size);
    if (size.cols > 0 && size.rows > 0) this.resize(size);
  }

  #listenToSignals(): void {
    const { signals } = this.#options;
    const listen = (signal: NodeJS.Signals, handler: () => void) =>
      this.#stopListening.push(signals.on(signal, handler));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
      listen(signal, () => this.#terminate(signal));
    }
    listen('SIGHUP', () => void this.#hangUp());
    // Nobody sends these to be obeyed politely: leave the terminal usable, and die of them.
    for (const signal of ['SIGABRT', 'SIGALRM', 'SIGUSR2', 'SIGXCPU', 'SIGVTALRM'] as const) {
      listen(signal, () => this.#dieBy(signal));
    }
    listen('SIGCHLD', () => void this.#suspendIfStopped());
    listen('SIGCONT', () => this.#continue());
  }

  /** A signal meant for the agent: passed on, and enforced after a while. */
  #terminate(signal: NodeJS.Signals): void {
    // The agent is gone or had its chance, and a reader that does not read must not keep us.
    if (this.#state === 'ending') this.#dieBy(signal);
    if (this.#state !== 'running' && this.#state !== 'suspending') return;
    this.#state = 'terminating';
    this.#terminatedBy = signal;
    this.#pty.signal(signal);
    this.#pty.signal('SIGCONT'); // A stopped agent would not hear it.
    this.#killTimer = this.#options.clock.after(GRACE_MS, () => {
      this.#pty.signal('SIGKILL');
      // What it printed last cannot be shown if nobody reads: do not wait for that.
      this.#killTimer = this.#options.clock.after(GRACE_MS, () => this.#dieBy(signal));
    });
  }

  /** The terminal is closed: the agent hears of it, and we die by SIGHUP as any program there. */
  async #hangUp(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#pty.signal('SIGHUP');
    this.#pty.signal('SIGCONT');
    await this.#bounded('onExit', () => this.#hooks.onExit?.());
    // Not by process.exit(): without its terminal Node 20 aborts there (node #51519).
    this.#dieBy('SIGHUP');
  }

  #dieBy(signal: NodeJS.Signals): void {
    this.#state = 'ended';
    this.#options.tty.restore();
    this.#options.signals.raise(signal);
  }

  /**
   * SIGCHLD also says that a child was stopped. An agent that stops itself (Claude Code does at
   * Ctrl-Z) would leave the person before a dead terminal: we stop with it, and the shell is back.
   */
  async #suspendIfStopped(): Promise<void> {
    if (this.#state !== 'running' || !isStopped(this.#pty.pid)) return;
    this.#state = 'suspending';
    const { tty, signals, clock } = this.#options;
    await this.#bounded('onSuspend', () => this.#hooks.onSuspend?.());
    this.#pty.readPending();
    await within(clock, HOOK_MS, tty.flushed());
    if (this.#state !== 'suspending') return;
    if (!isStopped(this.#pty.pid)) {
      this.#state = 'running'; // Somebody else has woken it meanwhile.
      this.#guard('onContinue', () => this.#hooks.onContinue?.());
      return;
    }
    this.#state = 'suspended';
    tty.restore();
    signals.raise('SIGSTOP');
  }

  #continue(): void {
    if (this.#state !== 'running' && this.#state !== 'suspended') return;
    const wasSuspended = this.#state === 'suspended';
    this.#state = 'running';
    this.#options.tty.enterRaw();
    this.#pty.signal('SIGCONT');
    if (wasSuspended) this.#guard('onContinue', () => this.#hooks.onContinue?.());
    // A size that did not change says nothing; another one and back makes the agent draw its screen.
    const { cols, rows } = this.#options.sizeFor(this.#options.tty.size);
    this.#pty.resize(cols, rows > 1 ? rows - 1 : rows + 1);
    this.#options.clock.after(POKE_MS, () => this.#follow());
  }

  async #agentEnded({ exitCode, signal }: PtyExit): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ending';
    this.#settleTimer?.cancel();
    for (const { onEnd } of this.#injections.splice(0)) onEnd(false);
    this.#options.recorder?.close();
    const { tty } = this.#options;
    await tty.flushed();
    this.#killTimer?.cancel();
    tty.restore();
    await this.#bounded('onExit', () => this.#hooks.onExit?.());
    this.#state = 'ended';
    for (const stop of this.#stopListening) stop();
    tty.close();
    const by = this.#terminatedBy === undefined ? signal : constants.signals[this.#terminatedBy];
    this.#resolveExited({ code: by === 0 ? exitCode : 128 + by });
  }

  /** Runs a hook; whatever it throws is logged and hurts nobody. */
  #guard<T>(hook: keyof PassthroughHooks, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.#options.log.error('hook.failed', { hook, error });
      return undefined;
    }
  }

  async #bounded(hook: keyof PassthroughHooks, run: () => void | Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    const running = Promise.resolve(this.#guard(hook, run)).catch((error: unknown) => {
      log.error('hook.failed', { hook, error });
    });
    const ms = hook === 'onExit' ? EXIT_HOOK_MS : HOOK_MS;
    if (!(await within(clock, ms, running))) log.warn('hook.slow', { hook, ms });
  }
}

/** Waits for the promise, at most `ms`; false if it was not settled by then. */
async function within(clock: Clock, ms: number, promise: Promise<void>): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = clock.after(ms, () => resolve(false));
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  timer?.cancel();
  return inTime;
}

/** Whether the process is stopped (job control). Without /proc (macOS) we cannot tell, and say no. */
function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'T'; // The name before it may hold anything.
  } catch {
    return false;
  }
}
