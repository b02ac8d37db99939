/** Real agents under the real wrapper on a real relay: one with its machine and model is a seat. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { anthropic } from '../../fixtures/models/anthropic.ts';
import { gemini } from '../../fixtures/models/gemini.ts';
import { openaiChat } from '../../fixtures/models/openai-chat.ts';
import { openaiResponses } from '../../fixtures/models/openai-responses.ts';
import { type ModelProtocol, ModelStub, type Script } from '../../fixtures/models/stub.ts';
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

export interface SeatOptions {
  /** Options of agent-wrap. */
  wrap?: string[];
  /** How the person starts it, if otherwise than by its path. */
  launch?: (launch: Launch, box: Sandbox) => Launch;
  /** What its model says. */
  script?: Script;
}

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

  /** Starts it; resolves before it is ready. */
  async start(
    name: string,
    stateHome: string,
    { wrap = [], launch, script }: SeatOptions = {},
  ): Promise<void> {
    if (script) this.stub.script = script;
    const usual = this.#subject.setup(this.box, await this.stub.listen());
    this.#launch = launch?.(usual, this.box) ?? usual;
    this.agent = new WrappedAgent(name, this.#launch, this.box, { stateHome, wrap });
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
  readonly #seats: Seat[] = [];
  readonly #listeners: { agent: WrappedAgent; box: Sandbox }[] = [];

  constructor() {
    beforeEach(() => {
      this.stateHome = mkdtempSync(join(tmpdir(), 'agent-wrap-relay-'));
    });
    afterEach(async () => {
      for (const seat of this.#seats.splice(0)) await seat.close();
      for (const { agent, box } of this.#listeners.splice(0)) {
        await agent.close();
        box.close();
      }
      rmSync(this.stateHome, { recursive: true, force: true });
    });
  }

  /** An agent that is ready, as far as its wrapper can tell. */
  async seat(agent: WrappedName, name: string, options?: SeatOptions): Promise<Seat> {
    const seat = await this.begin(agent, name, options);
    await seat.agent.ready();
    return seat;
  }

  /** An agent that has been started. */
  async begin(agent: WrappedName, name: string, options?: SeatOptions): Promise<Seat> {
    const seat = new Seat(SUBJECTS[agent]);
    this.#seats.push(seat);
    await seat.start(name, this.stateHome, options);
    return seat;
  }

  /** A program on whose screen is what it is told. */
  async listener(name: string): Promise<WrappedAgent> {
    const box = new Sandbox();
    const launch = { file: '/bin/cat', args: [], env: box.env };
    const agent = new WrappedAgent(name, launch, box, { stateHome: this.stateHome });
    this.#listeners.push({ agent, box });
    await agent.ready();
    return agent;
  }

  /** A message of the person. */
  send(to: string, body: string): Promise<string> {
    return this.cli('send', to, body);
  }

  cli(...args: string[]): Promise<string> {
    return cli(this.stateHome, ...args);
  }
}
