/** Real agents under the real wrapper on a real relay: one with its machine and model is a seat. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { anthropic } from '../../fixtures/models/anthropic.ts';
import { gemini } from '../../fixtures/models/gemini.ts';
import { openaiChat } from '../../fixtures/models/openai-chat.ts';
import { openaiResponses } from '../../fixtures/models/openai-responses.ts';
import { type ModelProtocol, ModelStub } from '../../fixtures/models/stub.ts';
import type { AgentName } from './install.ts';
import { type Launch, Sandbox } from './sandbox.ts';
import { setupClaude } from './setup-claude.ts';
import { setupCodex } from './setup-codex.ts';
import { setupGemini } from './setup-gemini.ts';
import { setupOpencode } from './setup-opencode.ts';
import { until } from './until.ts';
import { cli, WrappedAgent } from './wrapped-agent.ts';

export interface Subject {
  protocol: ModelProtocol;
  setup(box: Sandbox, modelUrl: string): Launch;
  /** Keys that empty the input box. */
  clear: string;
}

export type WrappedName = Exclude<AgentName, 'node'>;

export const SUBJECTS: Record<WrappedName, Subject> = {
  claude: { protocol: anthropic, setup: setupClaude, clear: '\x15' },
  codex: { protocol: openaiResponses, setup: setupCodex, clear: '\x15' },
  opencode: { protocol: openaiChat, setup: setupOpencode, clear: '\x15' },
  gemini: { protocol: gemini, setup: setupGemini, clear: '\x15' },
};

/** Milliseconds; opencode alone takes 10 s to its first answer, and 70 s on a machine with much else to do. */
const ARRIVED_MS = 180_000;

/** One agent with its own machine and model. */
export class Seat {
  readonly box = new Sandbox();
  readonly stub: ModelStub;
  agent!: WrappedAgent;
  readonly #subject: Subject;
  #launch: Launch | undefined;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.stub = new ModelStub(subject.protocol);
  }

  async start(name: string, stateHome: string, wrap: string[] = []): Promise<this> {
    this.#launch = this.#subject.setup(this.box, await this.stub.listen());
    this.agent = new WrappedAgent(name, this.#launch, this.box, { stateHome, wrap });
    await this.agent.ready();
    return this;
  }

  /** Its wrapper is gone: the person starts it again, with the words that take up the session. */
  async resume(stateHome: string, words: readonly string[]): Promise<void> {
    const { name } = this.agent;
    await this.agent.close();
    const launch = this.#launch as Launch;
    const resumed = { ...launch, args: [...launch.args, ...words] };
    this.agent = new WrappedAgent(name, resumed, this.box, { stateHome });
    await this.agent.ready();
  }

  /**
   * How often the text stands in what the model was given: each request carries the whole conversation, and
   * an agent may put several waiting messages into one request.
   */
  arrivals(text: string): number {
    const last = this.stub.journal.filter(({ main }) => main).at(-1);
    const quoted = JSON.stringify(text).slice(1, -1);
    return last === undefined ? 0 : JSON.stringify(last.body).split(quoted).length - 1;
  }

  async arrived(text: string): Promise<void> {
    await until(
      `${JSON.stringify(text.slice(0, 80))} at the model`,
      () => this.arrivals(text) > 0,
      ARRIVED_MS,
    ).catch((error: Error) => {
      const log = this.agent.log.split('\n').slice(-12).join('\n');
      throw new Error(
        `${error.message}\n${this.agent.screen}\n${log}\n${JSON.stringify(this.stub.prompts.at(-1))}`,
      );
    });
  }

  async close(): Promise<void> {
    await this.agent?.close();
    await this.stub.close();
    this.box.close();
  }
}

/** A relay of its own for each test of a file, and those who sit at it. */
export class Table {
  stateHome = '';
  #seats: Seat[] = [];

  constructor() {
    beforeEach(() => {
      this.stateHome = mkdtempSync(join(tmpdir(), 'agent-wrap-relay-'));
    });
    afterEach(async () => {
      for (const seat of this.#seats.splice(0)) await seat.close();
      rmSync(this.stateHome, { recursive: true, force: true });
    });
  }

  async seat(agent: WrappedName, name: string, wrap: string[] = []): Promise<Seat> {
    const made = new Seat(SUBJECTS[agent]);
    this.#seats.push(made);
    return made.start(name, this.stateHome, wrap);
  }

  /** A message of the person. */
  send(to: string, body: string): Promise<string> {
    return this.cli('send', to, body);
  }

  cli(...args: string[]): Promise<string> {
    return cli(this.stateHome, ...args);
  }
}
