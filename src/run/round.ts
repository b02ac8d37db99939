/**
 * One round of a pairing: hosts the relay, runs the agents, watches, decides when it is over, and leaves
 * nothing behind. Joins the pure parts of src/run with the agents and the relay. docs/run.md.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { RelayRecord } from '../daemon/record.ts';
import type { WatchedAgent } from '../watch/model.ts';
import type { Signals } from '../wrap/signals.ts';
import type { PairingAgent } from './agent-schema.ts';
import { type AgentView, Conditions } from './conditions.ts';
import { Conversation, type Reception, type RunMessage } from './conversation.ts';
import { Display } from './display.ts';
import { judgeExpectations } from './expectations.ts';
import { DIRECTORY_PREFIX, Guard } from './guard.ts';
import { exitCodeOf, type Outcome } from './outcome.ts';
import type { RoundReport } from './report.ts';
import { renderFate, renderNews, renderSaid } from './report-line.ts';
import { RoundAgents, type RoundAgentsOptions, type RoundPlace } from './round-agents.ts';
import { RoundRelay } from './round-relay.ts';
import type { PairingMessage } from './schema.ts';

/** Milliseconds between two looks at what nobody tells us of: silence, and whether we still lead. */
const LOOK_MS = 100;

export interface RoundOptions extends RoundAgentsOptions {
  /** What reports call the pairing. */
  name: string;
  /** From 1. */
  round: number;
  timeoutSeconds: number;
  /** An agent that fails does not end the round. */
  keepGoing: boolean;
  /** Takes a line for the person, without its line feed. */
  tell: (line: string) => void;
  /** Takes how the agents are, again and again; absent: nobody looks. */
  show?: ((agents: readonly WatchedAgent[]) => void) | undefined;
  signals: Signals;
}

export class Round {
  readonly #options: RoundOptions;
  readonly #place: RoundPlace;
  readonly #startedAt: number;
  readonly #conversation: Conversation;
  readonly #conditions: Conditions;
  readonly #agents: RoundAgents;
  readonly #stopListening: (() => void)[];
  readonly #outcome: Promise<Outcome>;
  #decide: (outcome: Outcome) => void = () => {};
  /** `ready` once every agent has joined and the first messages are on their way. */
  #state: 'starting' | 'ready' | 'over' = 'starting';
  #relay: RoundRelay | undefined;
  #display: Display | undefined;

  private constructor(options: RoundOptions, home: string) {
    const { pairing, clock, signals } = options;
    this.#options = options;
    this.#place = { home, namespace: `run-${randomBytes(4).toString('hex')}` };
    this.#startedAt = clock.now();
    this.#outcome = new Promise((resolve) => {
      this.#decide = resolve;
    });
    this.#conditions = new Conditions(pairing.until);
    this.#conversation = new Conversation(this.#startedAt, {
      said: (message) => this.#said(message),
      changed: (message, reception) => this.#changed(message, reception),
      joined: () => this.#check(),
    });
    this.#agents = new RoundAgents(options, this.#place, {
      started: (agent, start) => this.#started(agent, start),
      ended: ({ name }, code, failed) => this.#ended(name, code, failed),
      left: (pids) => this.#tell(`processes that cannot be ended: ${pids.join(', ')}`),
    });
    this.#stopListening = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) =>
      signals.on(signal, () => this.#interrupted(signal)),
    );
  }

  /**
   * Runs it to its end. Throws what keeps it from starting, such as PTY_FAILED or DIRECTORY_UNSAFE; also
   * then no process and no directory is left.
   */
  static async run(options: RoundOptions): Promise<RoundReport> {
    const { self, clock, log } = options;
    const home = mkdtempSync(join(tmpdir(), DIRECTORY_PREFIX));
    const guard = new Guard(self, home, clock, log);
    const round = new Round(options, home);
    try {
      return await round.#run();
    } finally {
      for (const stop of round.#stopListening) stop();
      await round.#agents.sweep();
      rmSync(home, { recursive: true, force: true });
      await guard.close();
    }
  }

  async #run(): Promise<RoundReport> {
    const { timeoutSeconds, show, clock, log } = this.#options;
    const relay = await RoundRelay.open(this.#options, this.#place, (record) => this.#record(record));
    this.#relay = relay;
    if (show) this.#display = new Display({ rows: () => relay.rows(this.#agents.all), show, log });
    const timers: Timer[] = [
      clock.after(timeoutSeconds * 1000, () => this.#over({ how: 'timed-out', seconds: timeoutSeconds })),
      clock.every(LOOK_MS, () => this.#look()),
    ];
    try {
      this.#agents.start();
      const outcome = await this.#outcome;
      await this.#agents.stop();
      return this.#report(outcome);
    } finally {
      for (const timer of timers) timer.cancel();
      await relay.close();
    }
  }

  #started({ name, prompt }: PairingAgent, start: number): void {
    this.#tell(`${name} starts${start === 1 ? '' : ` again (${start})`}`);
    if (start > 1 && prompt !== undefined) void this.#send({ to: name, body: prompt });
  }

  #record(record: RelayRecord): void {
    try {
      this.#conversation.apply(record);
    } catch (error) {
      // A pattern that takes too long; in any case the relay must not suffer.
      this.#over({ how: 'broken', message: RelayError.from(error).message });
    }
  }

  #said(message: RunMessage): void {
    this.#options.tell(renderSaid(message));
    this.#conditions.message(message);
    this.#check();
  }

  #changed(message: RunMessage, reception: Reception): void {
    const line = renderFate(this.#elapsed, message, reception);
    if (line !== undefined) this.#options.tell(line);
    this.#conditions.message(message);
    this.#check();
  }

  #ended(name: string, code: number, failed: boolean): void {
    this.#tell(`${name} ended with exit code ${code}`);
    if (failed && !this.#options.keepGoing) this.#over({ how: 'agent-failed', agent: name, code });
    else this.#check();
  }

  #check(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'starting') this.#begin();
    const condition = this.#conditions.met(this.#views(), this.#options.clock.monotonic());
    if (condition !== undefined) this.#over({ how: 'met', condition });
    else if (this.#agents.ended) this.#over({ how: 'unmet' });
  }

  #look(): void {
    if (this.#relay?.leading === false) {
      const message = 'another process took the relay over: this one was stopped, or starved, for too long';
      return this.#over({ how: 'broken', message });
    }
    this.#check();
    void this.#display?.refresh();
  }

  /** A broadcast reaches who is there: the first messages wait for everybody. */
  #begin(): void {
    const { agents, messages } = this.#options.pairing;
    const all = this.#agents.all.every(
      (agent, index) => agent.ended || this.#conversation.hasJoined(agent.name, agents[index]?.topics ?? []),
    );
    if (!all) return;
    this.#state = 'ready';
    const prompts = agents.flatMap(({ name, prompt }) =>
      prompt === undefined ? [] : [{ to: name, body: prompt }],
    );
    void (async () => {
      for (const message of [...prompts, ...messages]) await this.#send(message);
    })();
  }

  async #send(message: PairingMessage): Promise<void> {
    try {
      await this.#relay?.send(message);
    } catch (thrown) {
      const { code, message: reason } = RelayError.from(thrown);
      this.#over({ how: 'broken', message: `a message of the file could not be sent: ${reason} [${code}]` });
    }
  }

  #views(): AgentView[] {
    return this.#agents.all.map((agent) => ({
      name: agent.name,
      ended: agent.ended,
      joined: this.#conversation.hasJoined(agent.name, []),
      lastActiveAt: agent.lastOutputAt,
      awaited: this.#state === 'starting' || this.#conversation.waitsFor(agent.name),
    }));
  }

  #interrupted(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
    if (this.#state !== 'over') return this.#over({ how: 'interrupted', signal });
    // The second time there is no more asking. What is left of us is the guard's.
    this.#agents.kill();
    this.#options.signals.raise(signal);
  }

  #over(outcome: Outcome): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#decide(outcome);
  }

  #report(outcome: Outcome): RoundReport {
    const { pairing, name, round, seed, clock } = this.#options;
    const { messages } = this.#conversation;
    const verdicts = judgeExpectations(pairing.expect, messages, this.#agents.ends);
    return {
      pairing: name,
      round,
      seed,
      startedAt: this.#startedAt,
      durationMs: clock.now() - this.#startedAt,
      outcome,
      exitCode: exitCodeOf(outcome, verdicts, this.#agents.failed),
      agents: this.#agents.reports,
      messages,
      verdicts,
    };
  }

  get #elapsed(): number {
    return this.#options.clock.now() - this.#startedAt;
  }

  #tell(text: string): void {
    this.#options.tell(renderNews(this.#elapsed, text));
  }
}
