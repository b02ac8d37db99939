/**
 * All of it put together: the agent in its PTY, the ears (speech → directives → SEND) and the voice
 * (DELIVER → keystrokes → ACK). Nothing here may delay or hurt the person's terminal. architecture.md
 * "The flow of one message".
 */
import { createHash, randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Adapter, McpLaunch, Prepared, Profile, SpeechKind } from '../agents/adapter.ts';
import type { Clock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Attachment } from '../client/attachment.ts';
import type { Fate } from '../client/outbox.ts';
import { RelayClient } from '../client/relay-client.ts';
import { Injector } from '../inject/injector.ts';
import type { Obstacle } from '../inject/readiness.ts';
import { namePrefix } from '../protocol/address.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import { WRAPPER_MAX_INFLIGHT } from '../protocol/limits.ts';
import { SettledLines } from '../terminal/settled-lines.ts';
import type { Tty, TtySize } from '../terminal/tty.ts';
import { TypedLines } from '../terminal/typed-lines.ts';
import { screenView, WrappedTerminal } from './agent-terminal.ts';
import { Hearing, type Said } from './hearing.ts';
import { Notices } from './notices.ts';
import { Passthrough } from './passthrough.ts';
import { PersonHold } from './person-hold.ts';
import type { Recorder } from './recorder.ts';
import { Reporter } from './reporter.ts';
import { RunDirectory } from './run-directory.ts';
import type { Signals } from './signals.ts';
import { StatusTitle } from './status-title.ts';

/** `auto`: by keys when that is safe at once, else by the agent's native channel if it has one. */
export type InjectMode = 'auto' | 'keys' | 'native' | 'off';

export interface WrapperOptions {
  adapter: Adapter;
  /** The agent as it was typed, its resolved path, and the person's arguments to it. */
  agent: { typed: string; file: string; args: readonly string[] };
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  tty: Tty;
  sizeFor: (terminal: TtySize) => TtySize;
  /** A fixed name; else the first free `<agent>-<n>`. */
  name: string | undefined;
  namespace: string;
  topics: readonly string[];
  inject: InjectMode;
  speech: SpeechKind | 'auto';
  briefing: ((name: string) => string) | undefined;
  /** `--mcp`: the relay's tools for the agent. */
  mcp?: McpLaunch | undefined;
  recorder?: Recorder | undefined;
  /** The character that begins our key chord, with Ctrl; undefined: there is none. */
  chord: string | undefined;
  /** Ring the bell when a message begins to wait for the person. */
  bell: boolean;
  attach: () => Promise<Attachment>;
  clock: Clock;
  log: Log;
  signals: Signals;
}

/** TUIs whose screens show other words than the model wrote. */
const RENDERS_MARKDOWN: ReadonlySet<Profile> = new Set(['claude', 'codex', 'opencode']);
/** What only the person can clear. */
const OF_THE_PERSON: ReadonlySet<Obstacle> = new Set(['held', 'draft', 'dialog']);
const BELL = Buffer.of(0x07);
/** How long the agent's start may wait for the relay to name it (P10). */
const NAME_MS = 100;
/** How long saying goodbye may delay the person's prompt. */
const GOODBYE_MS = 1_500;

export class Wrapper {
  readonly #options: WrapperOptions;
  readonly #client: RelayClient;
  readonly #runDirectory = new RunDirectory();
  readonly #notices: Notices;
  readonly #reporter: Reporter;
  #injector: Injector | undefined;
  #hold: PersonHold | undefined;
  #early: DeliverEnvelope[] = [];
  #briefing: string | undefined;

  constructor(options: WrapperOptions, scopedToken: string) {
    this.#options = options;
    const { name, agent, topics, clock, log, attach } = options;
    this.#notices = new Notices(clock, (envelope) => this.#injector?.add(envelope));
    this.#client = new RelayClient(
      {
        attach,
        identity: name === undefined ? { agentPrefix: namePrefix(basename(agent.typed)) } : { agent: name },
        capabilities: {
          ack: true,
          resume: true,
          supports_topics: true,
          max_inflight: WRAPPER_MAX_INFLIGHT,
          injects: true,
        },
        topics,
        scopedTokenHash: createHash('sha256').update(scopedToken).digest('hex'),
        clock,
        log,
        random: Math.random,
      },
      {
        delivery: (envelope) => this.#delivered(envelope),
        released: (ids) => this.#injector?.release(ids),
        fate: (fate) => this.#fate(fate),
        stateChanged: (state) => {
          log.info('relay.state', { state });
          if (state === 'ready') this.#reporter.renew();
        },
      },
    );
    this.#reporter = new Reporter(this.#client, clock, log);
  }

  /** Starts the agent, joined to the relay as soon as that is there; resolves with its exit code. */
  static async run(options: WrapperOptions): Promise<number> {
    const scopedToken = `as_${randomBytes(32).toString('base64url')}`;
    return new Wrapper(options, scopedToken).#run(scopedToken);
  }

  async #run(scopedToken: string): Promise<number> {
    const options = this.#options;
    const { adapter, agent, cwd, tty, sizeFor, clock, log, signals } = options;
    this.#client.start();
    const name = await this.#named();
    const env: Record<string, string | undefined> = {
      ...options.env,
      AGENT_RELAY_NAME: name,
      AGENT_RELAY_NAMESPACE: options.namespace,
      AGENT_RELAY_TOKEN: scopedToken,
    };
    this.#briefing = options.briefing?.(name);
    const prepared = await adapter.prepare({
      name,
      file: agent.file,
      args: agent.args,
      env: Object.fromEntries(
        Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined),
      ),
      cwd,
      runDirectory: () => this.#runDirectory.path(),
      briefing: this.#briefing,
      mcp: options.mcp,
      speech: options.speech,
      clock,
      log,
      secret: (bytes) => randomBytes(bytes).toString('base64url'),
    });
    const hearing = new Hearing(
      options.speech === 'screen' ? [] : prepared.speech,
      { readScreen: options.speech === 'screen' || !RENDERS_MARKDOWN.has(adapter.profile), log },
      { said: (said) => this.#said(said), prompted: (text) => this.#injector?.prompted(text) },
    );
    const typed = new TypedLines({ redrawn: adapter.profile !== 'generic' });
    let resumeOutput: (() => void) | undefined;
    const lines = new SettledLines({
      ...sizeFor(tty.size),
      clock,
      profile: adapter.profile,
      onLines: (text) => hearing.screen(typed.withoutEcho(text)),
      onDrained: () => resumeOutput?.(),
    });
    const terminal = new WrappedTerminal(lines, typed, clock);
    lines.screen.onSettled(() => prepared.state.screen(screenView(lines)));
    hearing.start();
    const title = new StatusTitle((bytes) => passthrough.tell(bytes));
    const hold = this.#holdFor(name, title);
    this.#hold = hold;
    this.#reporter.start(() => ({
      status: prepared.state.state,
      waitsFor: hold?.held ? 'held' : this.#injector?.waiting ? this.#injector.reason : undefined,
      speech: hearing.kind,
    }));
    prepared.state.onChange(() => this.#reporter.changed());
    const passthrough: Passthrough = new Passthrough({
      tty,
      // The name as it was typed, as a shell does: some programs look at it (busybox, sh).
      agent: { file: agent.typed, args: prepared.args, env: { ...env, ...prepared.env }, cwd },
      sizeFor,
      clock,
      log,
      signals,
      recorder: options.recorder,
      filterInput: hold && ((pass) => hold.listen(pass)),
      hooks: {
        onOutput: (chunk) => {
          title.output(chunk);
          prepared.state.output(chunk, (reply) => void passthrough.write(reply));
          const full = !lines.push(chunk);
          terminal.output(chunk);
          if (!full) return;
          return new Promise<void>((resolve) => {
            resumeOutput = resolve;
          });
        },
        onInput: (chunk) => terminal.input(chunk),
        onResize: ({ cols, rows }) => lines.resize(cols, rows),
        onSuspend: () => {
          hold?.close();
          return this.#client.suspend();
        },
        onContinue: () => {
          hold?.changed();
          return this.#client.resume();
        },
        onExit: () => this.#goodbye(hearing, lines, prepared),
      },
    });
    terminal.attach(passthrough);
    this.#startInjector(terminal, prepared, hearing, () => passthrough.tell(BELL));
    return (await passthrough.exited).code;
  }

  async #named(): Promise<string> {
    const { agent, clock } = this.#options;
    const fallback = `${namePrefix(basename(agent.typed))}-${randomBytes(2).toString('hex')}`;
    // Not unref'd: nothing else may keep the process alive before there is an agent.
    const late = new Promise<void>((resolve) => void clock.after(NAME_MS, resolve));
    await Promise.race([this.#client.named(), late]);
    return this.#client.fixName(fallback);
  }

  #holdFor(name: string, title: StatusTitle): PersonHold | undefined {
    const { chord: character, inject, clock } = this.#options;
    if (character === undefined || inject === 'off') return undefined;
    return new PersonHold({
      name,
      character,
      injector: () => this.#injector,
      title,
      changed: () => this.#reporter.changed(),
      clock,
    });
  }

  #startInjector(terminal: WrappedTerminal, prepared: Prepared, hearing: Hearing, ring: () => void): void {
    const { adapter, inject, bell, clock, log } = this.#options;
    if (inject !== 'off') {
      this.#injector = new Injector(
        {
          terminal,
          agent: prepared,
          known: adapter.profile !== 'generic',
          echoed: hearing.kind === 'screen',
          mode: inject,
          preface: prepared.briefByMessage ? this.#briefing : undefined,
          mayType: (envelope) => this.#notices.owns(envelope) || this.#client.mayType(envelope),
          clock,
          log,
        },
        {
          submitted: (envelope) => {
            if (!this.#notices.owns(envelope)) this.#client.ack(envelope);
          },
          refused: (envelope, code, message) => {
            log.warn('inject.refused', { id: envelope.id, from: envelope.from, code, message });
            if (!this.#notices.owns(envelope)) this.#client.refuse(envelope, code, message);
          },
          waiting: (reason) => {
            log.info('inject.waiting', { reason: reason ?? 'none' });
            this.#reporter.changed();
            this.#hold?.changed();
            if (bell && reason !== undefined && OF_THE_PERSON.has(reason)) ring();
          },
        },
      );
    }
    for (const envelope of this.#early.splice(0)) this.#delivered(envelope);
  }

  #delivered(envelope: DeliverEnvelope): void {
    if (this.#options.inject === 'off') {
      // Nobody types: the agent reads its messages itself, by relay-poll (P27).
      return this.#client.defer(envelope, 'this wrapper does not type: --inject off');
    }
    if (this.#injector === undefined) this.#early.push(envelope);
    else this.#injector.add(envelope);
    this.#hold?.changed();
  }

  #said({ directive, id }: Said): void {
    const { to, kind, body, topic, thread, data } = directive;
    try {
      this.#client.send({
        id,
        to,
        topic,
        payload: {
          kind,
          body,
          ...(thread === undefined ? {} : { thread }),
          ...(data === undefined ? {} : { data }),
        },
      });
      this.#options.log.info('said', { id, to, kind, topic });
    } catch (thrown) {
      const { code, message } = RelayError.from(thrown);
      this.#fate({ id, to, outcome: 'failed', code, message });
    }
  }

  #fate(fate: Fate): void {
    this.#options.log.info('fate', { ...fate });
    if (fate.outcome === 'failed') this.#notices.failed(fate);
  }

  /** The agent has ended: what it said last still leaves; what it was not given stays with the daemon. */
  async #goodbye(hearing: Hearing, lines: SettledLines, prepared: Prepared): Promise<void> {
    const { clock, log } = this.#options;
    this.#hold?.close();
    const leave = async () => {
      this.#injector?.close();
      this.#notices.close();
      this.#reporter.close();
      await lines.flush();
      await hearing.close();
      lines.close();
      await prepared.close();
      await this.#client.close();
    };
    const late = new Promise<void>((resolve) => void clock.after(GOODBYE_MS, resolve, { unref: true }));
    await Promise.race([leave().catch((error: unknown) => log.error('goodbye.failed', { error })), late]);
    this.#runDirectory.remove();
  }
}
