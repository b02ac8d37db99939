/** A real agent under the real `agent-wrap`, in a terminal that answers as a person's terminal does. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import xterm from '@xterm/headless';
import { systemClock } from '../../src/base/clock.ts';
import { Pty } from '../../src/terminal/pty.ts';
import { viewOf } from '../helpers/emulated-view.ts';
import type { Launch, Sandbox } from './sandbox.ts';
import { until } from './until.ts';

export const CLI = resolve(import.meta.dirname, '../../bin/agent-wrap.js');
const run = promisify(execFile);

/** `agent-wrap …` as the person, on the relay whose state lies in `stateHome`. */
export async function cli(stateHome: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, XDG_STATE_HOME: stateHome, AGENT_RELAY_TOKEN: undefined };
  return (await run(process.execPath, [CLI, ...args], { env })).stdout;
}

export class WrappedAgent {
  readonly name: string;
  readonly #pty: Pty;
  readonly #terminal: xterm.Terminal;
  readonly #log: string;
  #exit: number | undefined;

  constructor(
    name: string,
    launch: Launch,
    box: Sandbox,
    options: { stateHome: string; wrap?: string[]; cols?: number; rows?: number },
  ) {
    const { stateHome, wrap = [], cols = 80, rows = 24 } = options;
    this.name = name;
    this.#log = join(box.root, `${name}.log`);
    this.#terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 1000 });
    const ours = ['--name', name, '--log-file', this.#log, '--log-level', 'debug', ...wrap];
    this.#pty = new Pty(
      {
        file: process.execPath,
        args: [CLI, ...ours, launch.file, ...launch.args],
        env: { ...launch.env, XDG_STATE_HOME: stateHome },
        cwd: box.cwd,
        cols,
        rows,
      },
      {
        onOutput: (chunk) => this.#terminal.write(chunk),
        onDrain: () => {},
        onExit: ({ exitCode, signal }) => {
          this.#exit = signal === 0 ? exitCode : 128 + signal;
        },
      },
      systemClock,
    );
    this.#terminal.onData((answer) => this.#pty.write(Buffer.from(answer)));
  }

  /** Its exit code, once it has ended. */
  get exit(): number | undefined {
    return this.#exit;
  }

  get pid(): number {
    return this.#pty.pid;
  }

  get screen(): string {
    return viewOf(this.#terminal).rows().join('\n');
  }

  get log(): string {
    try {
      return readFileSync(this.#log, 'utf8');
    } catch {
      return '';
    }
  }

  type(text: string): void {
    this.#pty.write(Buffer.from(text));
  }

  async shows(pattern: RegExp): Promise<void> {
    await until(String(pattern), () => pattern.test(this.screen)).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.screen}`);
    });
  }

  async logs(text: string): Promise<void> {
    await until(`${text} in the log of ${this.name}`, () => this.log.includes(text)).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log.split('\n').slice(-8).join('\n')}\n${this.screen}`);
    });
  }

  /** On the relay and, as far as the wrapper can tell, in front of its prompt. */
  async ready(): Promise<void> {
    await this.logs('"state":"ready"');
  }

  async close(): Promise<void> {
    if (this.#exit === undefined) process.kill(this.#pty.pid, 'SIGTERM');
    await until(`${this.name} to end`, () => this.#exit !== undefined, 5_000).catch(() => {
      process.kill(this.#pty.pid, 'SIGKILL');
    });
    this.#terminal.dispose();
  }
}
