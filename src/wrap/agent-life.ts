/**
 * How the agent, and with it this process, is ended, stopped and continued: the table of signals and ways
 * out of terminal.md §2. Whatever happens, the person's terminal is left usable.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Clock, Timer } from '../base/clock.ts';
import { within } from '../base/within.ts';
import type { Pty, PtyExit } from '../terminal/pty.ts';
import type { Tty } from '../terminal/tty.ts';
import { HOOK_MS, type HookGuard } from './hook-guard.ts';
import type { Signals } from './signals.ts';

/** Milliseconds that an agent has to end after a signal to us, before SIGKILL. */
const GRACE_MS = 2000;

export interface LifeHooks {
  /** This process is about to be stopped with its agent: hand over what others wait for. */
  onSuspend?(): void | Promise<void>;
  onContinue?(): void;
  /** The agent has ended, or this process is about to: the last chance to say goodbye. */
  onExit?(): void | Promise<void>;
}

export interface AgentLifeOptions {
  tty: Tty;
  signals: Signals;
  clock: Clock;
  guard: HookGuard;
  hooks: LifeHooks;
  /** The agent reads nothing for a while. */
  paused: () => void;
  /** Makes the agent draw its screen anew. */
  redraw: () => void;
  /** The agent has ended: nothing more goes to it. */
  ended: () => void;
}

export class AgentLife {
  /** How the agent ended: its exit code, or 128 + the signal's number. */
  readonly exited: Promise<{ code: number }>;
  readonly #options: AgentLifeOptions;
  readonly #stopListening: (() => void)[] = [];
  #pty!: Pty;
  #resolveExited: (exit: { code: number }) => void = () => {};
  #state: 'running' | 'suspending' | 'suspended' | 'terminating' | 'ending' | 'ended' = 'running';
  #terminatedBy: NodeJS.Signals | undefined;
  #killTimer: Timer | undefined;

  /** Listens to signals from now on, before the fork: an agent that stops itself at once must be noticed. */
  constructor(options: AgentLifeOptions) {
    this.#options = options;
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    this.#listenToSignals();
  }

  /** The agent runs. */
  begin(pty: Pty): void {
    this.#pty = pty;
  }

  /** There was no agent to begin with. */
  cancel(): void {
    for (const stop of this.#stopListening) stop();
  }

  /** Of an agent that has ended nothing more comes. */
  get ending(): boolean {
    return this.#state === 'ending';
  }

  async agentEnded({ exitCode, signal }: PtyExit): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ending';
    const { tty, ended, guard, hooks } = this.#options;
    ended();
    await tty.flushed();
    this.#killTimer?.cancel();
    tty.restore();
    await guard.bounded('onExit', () => hooks.onExit?.());
    this.#state = 'ended';
    this.cancel();
    tty.close();
    const by = this.#terminatedBy === undefined ? signal : constants.signals[this.#terminatedBy];
    this.#resolveExited({ code: by === 0 ? exitCode : 128 + by });
  }

  /** The person's terminal is gone, or whoever read our output where that is none. */
  gone(what: 'terminal' | 'output'): void {
    if (what === 'terminal') void this.#hangUp();
    else if (this.#state === 'running') this.#terminate('SIGHUP');
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
    const { guard, hooks } = this.#options;
    await guard.bounded('onExit', () => hooks.onExit?.());
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
    const { tty, signals, clock, guard, hooks, paused } = this.#options;
    paused();
    await guard.bounded('onSuspend', () => hooks.onSuspend?.());
    this.#pty.readPending();
    await within(clock, HOOK_MS, tty.flushed());
    if (this.#state !== 'suspending') return;
    if (!isStopped(this.#pty.pid)) {
      this.#state = 'running'; // Somebody else has woken it meanwhile.
      guard.run('onContinue', () => hooks.onContinue?.());
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
    const { guard, hooks, redraw } = this.#options;
    if (wasSuspended) guard.run('onContinue', () => hooks.onContinue?.());
    redraw();
  }
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
