/**
 * One real agent in a PTY with its adapter around it, as the wrapper would run it: an emulator stands for
 * the person's terminal and answers what the agent asks of one.
 */

import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import type {
  Adapter,
  AgentState,
  InputBox,
  Prepared,
  ScreenView,
  SpeechKind,
} from '../../src/agents/adapter.ts';
import { NO_POSITIONS } from '../../src/agents/positions.ts';
import { systemClock } from '../../src/base/clock.ts';
import { lineLog } from '../../src/base/log.ts';
import { viewOf } from '../helpers/emulated-view.ts';
import type { Launch, Sandbox } from './sandbox.ts';
import { until } from './until.ts';

/** Milliseconds without output after which a screen counts as settled here. */
const SETTLED_MS = 40;

export interface SpokenMessage {
  source: string;
  id: string;
  text: string;
  ended: boolean;
  /** Where blocks of it end. */
  blocks: number[];
  /** How often text came for it: more than once means that it streamed. */
  pieces: number;
}

export interface RunOptions {
  cols?: number;
  rows?: number;
  args?: string[];
  speech?: SpeechKind | 'auto';
  briefing?: string;
  env?: Record<string, string>;
}

export class AgentRun {
  readonly prepared: Prepared;
  /** What the model said by the sources of the adapter, in order of first appearance. */
  readonly spoken: SpokenMessage[] = [];
  /** Prompts the agent took, as its source tells it. */
  readonly taken: string[] = [];
  readonly failures: string[] = [];
  readonly states: AgentState[] = [];
  readonly logged: string[];
  exited: number | undefined;
  #source = 0;
  #settle: NodeJS.Timeout | undefined;
  readonly #pty: IPty;
  readonly #terminal: xterm.Terminal;

  /** Prepares and starts the agent. */
  static async start(
    adapter: Adapter,
    launch: Launch,
    box: Sandbox,
    options: RunOptions = {},
  ): Promise<AgentRun> {
    const env = { ...launch.env, ...options.env };
    const directory = join(box.root, `run-${randomBytes(4).toString('hex')}`);
    const logged: string[] = [];
    const prepared = await adapter.prepare({
      name: 'alice',
      file: launch.file,
      args: [...launch.args, ...(options.args ?? [])],
      env,
      cwd: box.cwd,
      runDirectory: () => {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        return directory;
      },
      briefing: options.briefing,
      speech: options.speech ?? 'auto',
      positions: NO_POSITIONS,
      clock: systemClock,
      log: lineLog((line) => logged.push(line), 'debug'),
      secret: (bytes) => randomBytes(bytes).toString('base64url'),
    });
    return new AgentRun(prepared, launch, box, { ...options, env }, logged, directory);
  }

  private constructor(
    prepared: Prepared,
    launch: Launch,
    box: Sandbox,
    options: RunOptions,
    logged: string[],
    directory: string,
  ) {
    const { cols = 80, rows = 24 } = options;
    this.prepared = prepared;
    this.logged = logged;
    this.#listen();
    this.prepared.state.onChange((state) => this.states.push(state));
    this.#terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 1000 });
    this.#pty = spawn(launch.file, [...prepared.args], {
      name: 'xterm-256color',
      cols,
      rows,
      cwd: box.cwd,
      env: { ...options.env, ...prepared.env },
      encoding: null,
    });
    this.#terminal.onData((answer) => this.#pty.write(answer));
    this.#pty.onData((data) => this.#output(data as unknown as Buffer));
    this.#pty.onExit(({ exitCode }) => {
      this.exited = exitCode;
      rmSync(directory, { recursive: true, force: true });
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  get state(): AgentState {
    return this.prepared.state.state;
  }

  /** The complete texts of the model, joined: what the extractor would get. */
  get speech(): string[] {
    return this.spoken.map((message) => message.text);
  }

  get box(): InputBox | undefined {
    return this.prepared.inputBox(this.view());
  }

  view(): ScreenView {
    return viewOf(this.#terminal);
  }

  get screen(): string {
    return this.view().rows().join('\n');
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  /** As the injector does it: paste, see it in the box, a pause for agents that swallow a quick Enter, CR. */
  async submit(text: string): Promise<void> {
    await until(
      `an empty input box\n${this.screen}`,
      () => this.box?.mode === 'prompt' && this.box.text === '',
    );
    this.type(`\x1b[200~${text}\x1b[201~`);
    await until('the echo', () => this.box !== undefined && this.box.text !== '');
    await new Promise((resolve) => setTimeout(resolve, 150));
    const before = this.box?.text;
    // An Enter may be swallowed: once more, never the text again. In a redraw the box is out of sight for a moment.
    for (let tries = 0; tries < 5; tries++) {
      this.type('\r');
      let goneAt: number | undefined;
      const gone = () => {
        goneAt = this.box?.text === before ? undefined : (goneAt ?? performance.now());
        return goneAt !== undefined && performance.now() - goneAt > 300;
      };
      if (await until('it to be submitted', gone, 2_000).catch(() => false)) return;
    }
    throw new Error(`not submitted: ${text}\n${this.screen}`);
  }

  resize(cols: number, rows: number): void {
    this.#terminal.resize(cols, rows);
    this.#pty.resize(cols, rows);
  }

  async reaches(state: AgentState, ms = 120_000): Promise<void> {
    await until(`state ${state}`, () => this.state === state, ms).catch((error) => {
      throw new Error(`${error.message}; it is ${this.state} after ${this.states.join(' ')}\n${this.screen}`);
    });
  }

  async shows(pattern: RegExp, ms = 120_000): Promise<void> {
    await until(String(pattern), () => pattern.test(this.screen), ms).catch((error) => {
      throw new Error(`${error.message}\n${this.screen}`);
    });
  }

  /** Ends the agent, by its pid, and all that the adapter opened. */
  async close(): Promise<void> {
    clearTimeout(this.#settle);
    if (this.exited === undefined) {
      this.#kill('SIGTERM');
      await until('the agent to end', () => this.exited !== undefined, 3_000).catch(() => {
        this.#kill('SIGKILL');
      });
    }
    for (const source of this.prepared.speech) await source.close();
    await this.prepared.close();
    this.#terminal.dispose();
  }

  /** Its group, for it leads one: Gemini CLI works in a child, and the parent ignores a SIGTERM. */
  #kill(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#pty.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  #output(data: Buffer): void {
    this.prepared.state.output(data, (bytes) => this.#pty.write(bytes));
    this.#terminal.write(data);
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      // The emulator parses in its own time: the callback comes when it has caught up.
      this.#terminal.write('', () => this.prepared.state.screen(this.view()));
    }, SETTLED_MS);
  }

  /** The best source, and the next one when it fails: as the wrapper does it. */
  #listen(): void {
    const source = this.prepared.speech[this.#source];
    if (!source) return;
    const find = (id: string): SpokenMessage => {
      const known = this.spoken.find((message) => message.id === id);
      if (known) return known;
      const made = { source: source.kind, id, text: '', ended: false, blocks: [], pieces: 0 };
      this.spoken.push(made);
      return made;
    };
    source.start({
      text: (id, offset, text) => {
        const message = find(id);
        if (offset > message.text.length) this.failures.push(`gap in ${id} at ${offset}`);
        message.text += text.slice(Math.max(0, message.text.length - offset));
        message.pieces++;
      },
      block: (id) => find(id).blocks.push(find(id).text.length),
      end: (id) => {
        find(id).ended = true;
      },
      prompt: (text) => this.taken.push(text),
      failed: (reason) => {
        this.failures.push(reason);
        void source.close();
        this.#source++;
        this.#listen();
      },
    });
  }
}
