/**
 * The agents of a round, all of them: what they are given, and their end, with every process that they have
 * started.
 */
import { basename } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { within } from '../base/within.ts';
import type { PairingAgent } from './agent-schema.ts';
import type { AgentEnd } from './expectations.ts';
import { endProcesses, findProcesses, killProcesses, markedEnv } from './processes.ts';
import type { AgentReport } from './report.ts';
import { RunAgent } from './run-agent.ts';
import type { Pairing } from './schema.ts';

/** Milliseconds the wrappers have to end their agents and say goodbye: what they need is a bit over 4 s. */
const STOP_MS = 6_000;
/** What an agent of ours must not inherit: it may run in an agent's shell, or in a terminal of another size. */
const NOT_INHERITED = /^(AGENT_RELAY_|COLUMNS$|LINES$|TERM$)/;

export interface RoundAgentsOptions {
  pairing: Pairing;
  /** Where relative paths of the file begin. */
  base: string;
  /** How to run this CLI. */
  self: { file: string; args: readonly string[] };
  env: Readonly<Record<string, string | undefined>>;
  seed: number;
  /** Directory of recordings and logs, if they are kept. */
  out: string | undefined;
  clock: Clock;
  log: Log;
}

/** Where a round lives: the directory of its relay, whose name marks its processes. */
export interface RoundPlace {
  home: string;
  namespace: string;
}

export interface RoundAgentsHandlers {
  started(agent: PairingAgent, start: number): void;
  /** It has ended with this code; `failed`: for good, and nobody expected that. */
  ended(agent: PairingAgent, code: number, failed: boolean): void;
  /** These processes cannot be ended. */
  left(pids: readonly number[]): void;
}

export class RoundAgents {
  /** In the order of the file. */
  readonly all: readonly RunAgent[];
  readonly #options: RoundAgentsOptions;
  readonly #mark: string;
  readonly #handlers: RoundAgentsHandlers;
  /** Names of those that have failed. */
  readonly #failed = new Set<string>();

  constructor(options: RoundAgentsOptions, place: RoundPlace, handlers: RoundAgentsHandlers) {
    const { pairing, self, base, env, seed, out, clock, log } = options;
    this.#options = options;
    this.#mark = basename(place.home);
    this.#handlers = handlers;
    const given = {
      ...Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_INHERITED.test(name))),
      ...markedEnv(env, this.#mark),
      XDG_STATE_HOME: place.home,
      AGENT_WRAP_SEED: String(seed),
    };
    this.all = pairing.agents.map(
      (agent) =>
        new RunAgent(
          { agent, self, base, env: given, namespace: place.namespace, out, clock, log },
          {
            started: (start) => handlers.started(agent, start),
            ended: (code, again) => this.#ended(agent, code, again),
          },
        ),
    );
  }

  /** Throws PTY_FAILED, FILE_UNWRITABLE. */
  start(): void {
    for (const agent of this.all) agent.start();
  }

  /** Each has ended for good. */
  get ended(): boolean {
    return this.all.every((agent) => agent.ended);
  }

  /** One has failed. */
  get failed(): boolean {
    return this.#failed.size > 0;
  }

  get ends(): ReadonlyMap<string, AgentEnd> {
    return new Map(this.all.map((agent) => [agent.name, agent.end]));
  }

  /** How each has fared so far. */
  get reports(): AgentReport[] {
    return this.all.map(({ name, command, starts, end }) => {
      return { name, command, starts, end, failed: this.#failed.has(name) };
    });
  }

  /** Asks them to end, and ends what has not in time. */
  async stop(): Promise<void> {
    for (const agent of this.all) agent.stop();
    const over = Promise.all(this.all.map((agent) => agent.over)).then(() => {});
    await within(this.#options.clock, STOP_MS, over);
    await this.sweep();
    // Their wrappers were killed if need be: their ends are on their way.
    await over;
  }

  /** Ends every process that is left of them. */
  async sweep(): Promise<void> {
    const left = await endProcesses(() => this.#processes(), this.#options.clock);
    if (left.length > 0) this.#handlers.left(left);
  }

  /** At once and without asking. */
  kill(): void {
    killProcesses(this.#processes());
  }

  #ended(agent: PairingAgent, code: number, again: boolean): void {
    const expected = this.#options.pairing.expect.some(
      ({ exit }) => exit !== undefined && Object.hasOwn(exit, agent.name),
    );
    const failed = code !== 0 && !again && !expected;
    if (failed) this.#failed.add(agent.name);
    this.#handlers.ended(agent, code, failed);
  }

  #processes(): number[] {
    const roots = this.all.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    return findProcesses(this.#mark, roots);
  }
}
