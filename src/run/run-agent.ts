/**
 * One agent of a run: its wrapper as a child in a PTY of ours, with a terminal at the other end that answers
 * what an agent may ask, a recording, and as many starts as the pairing allows.
 */
import { resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { CastFile } from '../terminal/cast-file.ts';
import { Pty, type PtyExit } from '../terminal/pty.ts';
import { Screen } from '../terminal/screen.ts';
import { commandOf, textEnv, wrapperOptions } from './agent-command.ts';
import type { PairingAgent } from './agent-schema.ts';
import type { AgentEnd } from './expectations.ts';

export const DEFAULT_SIZE = { cols: 120, rows: 40 };
/** Starts again after a failure, if the file says only `on-failure`. */
const DEFAULT_RESTARTS = 3;
/** What the terminal at the other end is: our emulator speaks xterm. */
const TERM = 'xterm-256color';

export interface RunAgentOptions {
  agent: PairingAgent;
  /** How to run this CLI. */
  self: { file: string; args: readonly string[] };
  /** Where relative paths of the file begin. */
  base: string;
  /** What every agent of the run gets. */
  env: Readonly<Record<string, string | undefined>>;
  namespace: string;
  /** Directory of recordings and logs, if they are kept. */
  out: string | undefined;
  clock: Clock;
  log: Log;
}

export interface RunAgentHandlers {
  started(start: number): void;
  /** It has ended with this code; `again`: and is started again. */
  ended(code: number, again: boolean): void;
}

export class RunAgent {
  readonly name: string;
  readonly command: readonly string[];
  /** Resolves when it has ended for good. */
  readonly over: Promise<void>;
  readonly #options: RunAgentOptions;
  readonly #handlers: RunAgentHandlers;
  #state: 'new' | 'running' | 'stopping' | 'over' = 'new';
  #starts = 0;
  #pty: Pty | undefined;
  #end: AgentEnd = 'not started';
  #lastOutputAt: number;
  #resolveOver: () => void = () => {};

  constructor(options: RunAgentOptions, handlers: RunAgentHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.name = options.agent.name;
    this.command = commandOf(options.agent);
    this.#lastOutputAt = options.clock.monotonic();
    this.over = new Promise((done) => {
      this.#resolveOver = done;
    });
  }

  get starts(): number {
    return this.#starts;
  }

  get end(): AgentEnd {
    return this.#end;
  }

  get ended(): boolean {
    return this.#state === 'over';
  }

  /** By `clock.monotonic`. */
  get lastOutputAt(): number {
    return this.#lastOutputAt;
  }

  /** The wrapper's, while it runs. */
  get pid(): number | undefined {
    return this.#state === 'over' ? undefined : this.#pty?.pid;
  }

  /** Throws PTY_FAILED, FILE_UNWRITABLE. */
  start(): void {
    this.#state = 'running';
    this.#starts++;
    const { agent, self, base, env, clock } = this.#options;
    const size = agent.size ?? DEFAULT_SIZE;
    const recording = this.#openRecording(size);
    const screen = new Screen(
      { ...size, clock },
      { reply: (bytes) => this.#pty?.write(bytes), drained: () => this.#pty?.resume() },
    );
    this.#pty = new Pty(
      {
        file: self.file,
        args: [...self.args, ...this.#wrapperOptions(), '--', ...this.command],
        env: { TERM, ...env, ...textEnv(agent.env) },
        cwd: resolve(base, agent.cwd ?? '.'),
        ...size,
      },
      {
        onOutput: (chunk) => {
          this.#lastOutputAt = clock.monotonic();
          recording?.output(chunk);
          if (!screen.push(chunk)) this.#pty?.pause();
        },
        onDrain: () => {},
        onExit: (exit) => {
          recording?.close();
          screen.close();
          this.#exited(exit);
        },
      },
      clock,
    );
    this.#handlers.started(this.#starts);
  }

  /** Asks it to end; `over` says when it has. Its wrapper sees to an agent that does not listen. */
  stop(): void {
    if (this.#state === 'new') this.#finish('not started');
    if (this.#state !== 'running') return;
    this.#state = 'stopping';
    this.#pty?.signal('SIGTERM');
  }

  #exited({ exitCode, signal }: PtyExit): void {
    if (this.#state === 'stopping') return this.#finish('stopped');
    const code = signal === 0 ? exitCode : 128 + signal;
    const again = code !== 0 && this.#starts <= this.#restarts;
    if (!again) this.#finish({ code });
    this.#handlers.ended(code, again);
    if (!again) return;
    try {
      this.start();
    } catch (error) {
      this.#options.log.error('run.restart-failed', { agent: this.name, error });
      this.#finish({ code });
      this.#handlers.ended(code, false);
    }
  }

  #finish(end: AgentEnd): void {
    this.#end = end;
    this.#state = 'over';
    this.#resolveOver();
  }

  get #restarts(): number {
    const { restart = 'never' } = this.#options.agent;
    if (restart === 'never') return 0;
    return restart === 'on-failure' ? DEFAULT_RESTARTS : restart.max;
  }

  #wrapperOptions(): string[] {
    const { agent, namespace, out } = this.#options;
    return [
      ...['--name', agent.name, '--namespace', namespace],
      ...wrapperOptions(agent),
      ...(out === undefined ? [] : ['--log-file', resolve(out, 'logs', `${agent.name}.log`)]),
    ];
  }

  #openRecording({ cols, rows }: { cols: number; rows: number }): CastFile | undefined {
    const { out, clock, log } = this.#options;
    if (out === undefined) return undefined;
    // No name holds a plus sign, so no agent's first recording is another's second.
    const file = `${this.name}${this.#starts === 1 ? '' : `+${this.#starts}`}.cast`;
    const header = {
      width: cols,
      height: rows,
      title: this.name,
      command: this.command.join(' '),
      env: { TERM },
    };
    return new CastFile({ path: resolve(out, 'recordings', file), header, overwrite: true, clock, log });
  }
}
