/**
 * One round of a pairing: hosts the relay, runs the agents, watches, decides when it is over, and leaves
 * nothing behind. The one file of src/run that joins the pure parts with processes and sockets. docs/run.md.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { parseResult, unwrap } from '../afd/parse-result.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Attachment } from '../client/attachment.ts';
import type { RelayRecord } from '../daemon/record.ts';
import type { WatchedAgent } from '../watch/model.ts';
import { attach } from '../wrap/attach.ts';
import type { Signals } from '../wrap/signals.ts';
import { agentRows } from './agent-rows.ts';
import { type AgentView, Conditions } from './conditions.ts';
import { Conversation, type Reception, type RunMessage } from './conversation.ts';
import { judgeExpectations } from './expectations.ts';
import { DIRECTORY_PREFIX, Guard } from './guard.ts';
import { exitCodeOf, type Outcome } from './outcome.ts';
import { endProcesses, findProcesses, killProcesses, markedEnv } from './processes.ts';
import { TappedStore } from './relay-tap.ts';
import type { RoundReport } from './report.ts';
import { renderFate, renderNews, renderSaid } from './report-line.ts';
import { RunAgent } from './run-agent.ts';
import type { Pairing, PairingMessage } from './schema.ts';

/** Milliseconds between two looks at what nobody tells us of: silence, and whether we still lead. */
const LOOK_MS = 100;
/** Milliseconds the wrappers have to end their agents and say goodbye: what they need is a bit over 4 s. */
const STOP_MS = 6_000;
/** What an agent of ours must not inherit: it may run in an agent's shell, or in a terminal of another size. */
const NOT_INHERITED = /^(AGENT_RELAY_|COLUMNS$|LINES$|TERM$)/;

export interface RoundOptions {
  pairing: Pairing;
  /** What reports call the pairing. */
  name: string;
  /** Where relative paths of the file begin. */
  base: string;
  /** How to run this CLI. */
  self: { file: string; args: readonly string[] };
  env: Readonly<Record<string, string | undefined>>;
  /** From 1. */
  round: number;
  seed: number;
  timeoutSeconds: number;
  /** An agent that fails does not end the round. */
  keepGoing: boolean;
  /** Directory of recordings and logs, if they are kept. */
  out: string | undefined;
  /** Takes a line for the person, without its line feed. */
  tell: (line: string) => void;
  /** Takes how the agents are, again and again; absent: nobody looks. */
  show?: ((agents: readonly WatchedAgent[]) => void) | undefined;
  clock: Clock;
  log: Log;
  signals: Signals;
}

export class Round {
  readonly #options: RoundOptions;
  readonly #home: string;
  readonly #namespace = `run-${randomBytes(4).toString('hex')}`;
  readonly #startedAt: number;
  readonly #conversation: Conversation;
  readonly #conditions: Conditions;
  readonly #agents: RunAgent[];
  readonly #failed = new Set<string>();
  readonly #stopListening: (() => void)[];
  readonly #outcome: Promise<Outcome>;
  #decide: (outcome: Outcome) => void = () => {};
  /** `ready` once every agent has joined and the first messages are on their way. */
  #state: 'starting' | 'ready' | 'over' = 'starting';
  #attachment: Attachment | undefined;
  /** `showing` while the relay is asked for the agents. */
  #display: 'current' | 'showing' = 'current';

  private constructor(options: RoundOptions, home: string) {
    const { pairing, clock, signals } = options;
    this.#options = options;
    this.#home = home;
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
    this.#agents = pairing.agents.map((agent) => this.#agentOf(agent));
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
      await round.#sweep();
      rmSync(home, { recursive: true, force: true });
      await guard.close();
    }
  }

  async #run(): Promise<RoundReport> {
    const { pairing, timeoutSeconds, clock, log } = this.#options;
    this.#attachment = await attach({
      namespace: this.#namespace,
      env: { ...this.#options.env, XDG_STATE_HOME: this.#home },
      mayLead: true,
      clock,
      log,
      settings: { brake: pairing.brake },
      openStore: ({ fence }) => new TappedStore(fence, (record) => this.#record(record)),
    });
    const timers: Timer[] = [
      clock.after(timeoutSeconds * 1000, () => this.#over({ how: 'timed-out', seconds: timeoutSeconds })),
      clock.every(LOOK_MS, () => this.#look()),
    ];
    try {
      if (!this.#attachment.directory.startsWith(this.#home)) {
        throw new RelayError('DIRECTORY_UNSAFE', `the relay of the run cannot live in ${this.#home}`);
      }
      for (const agent of this.#agents) agent.start();
      const outcome = await this.#outcome;
      await this.#stopAgents();
      return this.#report(outcome);
    } finally {
      for (const timer of timers) timer.cancel();
      await this.#attachment.close();
    }
  }

  #agentOf(agent: Pairing['agents'][number]): RunAgent {
    const { self, base, out, clock, log, seed } = this.#options;
    const inherited = Object.entries(this.#options.env).filter(([name]) => !NOT_INHERITED.test(name));
    const env = {
      ...Object.fromEntries(inherited),
      ...markedEnv(this.#options.env, basename(this.#home)),
      XDG_STATE_HOME: this.#home,
      AGENT_WRAP_SEED: String(seed),
    };
    return new RunAgent(
      { agent, self, base, env, namespace: this.#namespace, out, clock, log },
      {
        started: (start) => {
          this.#tell(`${agent.name} starts${start === 1 ? '' : ` again (${start})`}`);
          if (start > 1 && agent.prompt !== undefined)
            void this.#send({ to: agent.name, body: agent.prompt });
        },
        ended: (code, again) => this.#ended(agent.name, code, again),
      },
    );
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

  #ended(name: string, code: number, again: boolean): void {
    this.#tell(`${name} ended with exit code ${code}`);
    const expected = this.#options.pairing.expect.some(
      ({ exit }) => exit !== undefined && Object.hasOwn(exit, name),
    );
    if (code !== 0 && !again && !expected) {
      this.#failed.add(name);
      if (!this.#options.keepGoing) return this.#over({ how: 'agent-failed', agent: name, code });
    }
    this.#check();
  }

  #check(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'starting') this.#begin();
    const condition = this.#conditions.met(this.#views(), this.#options.clock.monotonic());
    if (condition !== undefined) this.#over({ how: 'met', condition });
    else if (this.#agents.every((agent) => agent.ended)) this.#over({ how: 'unmet' });
  }

  #look(): void {
    if (this.#attachment?.leading === false) {
      const message = 'another process took the relay over: this one was stopped, or starved, for too long';
      return this.#over({ how: 'broken', message });
    }
    this.#check();
    if (this.#display === 'current') void this.#showAgents();
  }

  async #showAgents(): Promise<void> {
    const { show, log } = this.#options;
    if (show === undefined || this.#attachment === undefined) return;
    this.#display = 'showing';
    try {
      const rows = await agentRows(this.#attachment, this.#agents);
      show(rows);
    } catch (error) {
      log.warn('run.agents-unknown', { error });
    }
    this.#display = 'current';
  }

  /** A broadcast reaches who is there: the first messages wait for everybody. */
  #begin(): void {
    const { agents, messages } = this.#options.pairing;
    const all = this.#agents.every(
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
      unwrap(parseResult(z.unknown(), await this.#attachment?.call('relay-send', message)));
    } catch (thrown) {
      const { code, message: reason } = RelayError.from(thrown);
      this.#over({ how: 'broken', message: `a message of the file could not be sent: ${reason} [${code}]` });
    }
  }

  #views(): AgentView[] {
    return this.#agents.map((agent) => ({
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
    killProcesses(this.#processes());
    this.#options.signals.raise(signal);
  }

  #over(outcome: Outcome): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#decide(outcome);
  }

  async #stopAgents(): Promise<void> {
    const { clock } = this.#options;
    for (const agent of this.#agents) agent.stop();
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.after(STOP_MS, resolve);
    });
    await Promise.race([Promise.all(this.#agents.map((agent) => agent.over)), late]);
    timer?.cancel();
    await this.#sweep();
    // Their wrappers were killed if need be: their ends are on their way.
    await Promise.all(this.#agents.map((agent) => agent.over));
  }

  #processes(): number[] {
    const roots = this.#agents.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    return findProcesses(basename(this.#home), roots);
  }

  async #sweep(): Promise<void> {
    const left = await endProcesses(() => this.#processes(), this.#options.clock);
    if (left.length > 0) this.#tell(`processes that cannot be ended: ${left.join(', ')}`);
  }

  #report(outcome: Outcome): RoundReport {
    const { pairing, name, round, seed, clock } = this.#options;
    const { messages } = this.#conversation;
    const ends = new Map(this.#agents.map((agent) => [agent.name, agent.end]));
    const verdicts = judgeExpectations(pairing.expect, messages, ends);
    return {
      pairing: name,
      round,
      seed,
      startedAt: this.#startedAt,
      durationMs: clock.now() - this.#startedAt,
      outcome,
      exitCode: exitCodeOf(outcome, verdicts, this.#failed.size > 0),
      agents: this.#agents.map((agent) => ({
        name: agent.name,
        command: agent.command,
        starts: agent.starts,
        end: agent.end,
        failed: this.#failed.has(agent.name),
      })),
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
