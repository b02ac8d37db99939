/**
 * All of it put together: the agent in its PTY, the ears (speech → directives → SEND) and the voice
 * (DELIVER → keystrokes → ACK). Nothing here may delay or hurt the person's terminal. architecture.md
 * "The flow of one message".
 */
import { createHash, randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Adapter, McpLaunch, Prepared, Profile, SpeechKind } from '../agents/adapter.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { directoryEnvironment, wrapperDirectory } from '../base/paths.ts';
import type { Attachment } from '../client/attachment.ts';
import type { Fate } from '../client/outbox.ts';
import type { RelayClient } from '../client/relay-client.ts';
import { Injector } from '../inject/injector.ts';
import type { Obstacle } from '../inject/readiness.ts';
import { BROADCAST, namePrefix } from '../protocol/address.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import { WRAPPER_MAX_INFLIGHT } from '../protocol/limits.ts';
import { SettledLines } from '../terminal/settled-lines.ts';
import type { Tty, TtySize } from '../terminal/tty.ts';
import { TypedLines } from '../terminal/typed-lines.ts';
import { screenView, WrappedTerminal } from './agent-terminal.ts';
import { Hearing, type Said } from './hearing.ts';
import { Introduction } from './introduction.ts';
import { Notices } from './notices.ts';
import { Passthrough } from './passthrough.ts';
import { PersonHold } from './person-hold.ts';
import { PositionStore } from './position-store.ts';
import type { Recorder } from './recorder.ts';
import { Reporter } from './reporter.ts';
import { RunDirectory } from './run-directory.ts';
import type { ScreenServer, ScreenSource } from './screen-server.ts';
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
  /** Tells the person, after the agent's exit, what of its words has not left. */
  unsent: (error: RelayError) => void;
  clock: Clock;
  log: Log;
  signals: Signals;
}

/** What is settled before the agent starts (P10). */
interface Introduced {
  name: string;
  /** The relay that gave the name; without, the person did. */
  introduction?: Introduction;
  scopedToken: string;
  scopedTokenHash: string;
}

/** TUIs whose screens show other words than the model wrote. */
const RENDERS_MARKDOWN: ReadonlySet<Profile> = new Set(['claude', 'codex', 'opencode']);
/** What only the person can clear. */
const OF_THE_PERSON: ReadonlySet<Obstacle> = new Set(['held', 'draft', 'dialog']);
const BELL = Buffer.of(0x07);
/** How long an agent that prints nothing keeps us from loading the client. */
const FIRST_OUTPUT_MS = 30;
/** How long saying goodbye may delay the person's prompt. */
const GOODBYE_MS = 1_500;
/** How much of it may be spent on a relay that is not there yet, or takes nothing. */
const UNSENT_MS = 1_000;
/** And how much more on a disk, which keeps what the relay did not take. */
const KEEP_MS = 1_000;

export class Wrapper {
  readonly #options: WrapperOptions;
  readonly #name: string;
  readonly #scopedToken: string;
  readonly #runDirectory = new RunDirectory();
  readonly #notices: Notices;
  readonly #positions: PositionStore;
  /** Ids of what was said and is not with the relay yet. */
  readonly #unstored = new Set<string>();
  /** Messages that the outbox had no room for. */
  #refused = 0;
  #reporter: Reporter | undefined;
  /** Loaded while the agent runs already: the person waits for the agent, and nobody yet for the client. */
  readonly #client: Promise<RelayClient>;
  #agentRuns: () => void = () => {};
  #injector: Injector | undefined;
  #hold: PersonHold | undefined;
  /** The person holds the agent at the relay. */
  #heldByRelay = false;
  /** Shows the agent's screen to others; undefined: not yet, or the agent has ended. */
  #screen: { source: ScreenSource; server?: Promise<ScreenServer | undefined> } | undefined;
  #early: DeliverEnvelope[] = [];
  #briefing: string | undefined;

  private constructor(options: WrapperOptions, introduced: Introduced) {
    this.#options = options;
    this.#name = introduced.name;
    this.#scopedToken = introduced.scopedToken;
    const { namespace, env, clock, log } = options;
    this.#positions = new PositionStore({
      directory: () => wrapperDirectory(namespace, directoryEnvironment(env), 'heard'),
      settled: () => this.#unstored.size === 0,
      clock,
      log,
    });
    this.#notices = new Notices(options.clock, (envelope) => this.#injector?.add(envelope));
    const running = new Promise<void>((resolve) => {
      this.#agentRuns = resolve;
    });
    this.#client = running.then(() => this.#join(introduced));
  }

  /** Starts the agent, joined to the relay as soon as that is there; resolves with its exit code. */
  static async run(options: WrapperOptions): Promise<number> {
    const { agent, attach, clock, log } = options;
    const scopedToken = `as_${randomBytes(32).toString('base64url')}`;
    const scopedTokenHash = createHash('sha256').update(scopedToken).digest('hex');
    const token = { scopedToken, scopedTokenHash };
    if (options.name !== undefined) return new Wrapper(options, { name: options.name, ...token }).#run();
    const agentPrefix = namePrefix(basename(agent.typed));
    const introduction = new Introduction({ attach, agentPrefix, scopedTokenHash, clock, log });
    return new Wrapper(options, { name: await introduction.name(), introduction, ...token }).#run();
  }

  async #join({ name, introduction, scopedTokenHash }: Introduced): Promise<RelayClient> {
    const { topics, namespace, env, clock, log, attach } = this.#options;
    const [{ RelayClient }, { OutboxFiles }] = await Promise.all([
      import('../client/relay-client.ts'),
      import('./outbox-files.ts'),
    ]);
    const spill = new OutboxFiles({
      directory: () => wrapperDirectory(namespace, directoryEnvironment(env), 'outbox'),
      name,
      uid: process.getuid?.() ?? 0,
      now: () => clock.now(),
      damaged: (messages, path) => {
        const message = `${messages} kept in ${path} cannot be read any more`;
        this.#fate({ id: '', to: BROADCAST, outcome: 'failed', code: 'FILE_UNREADABLE', message });
      },
      log,
    });
    let first = introduction?.attachment;
    const client = new RelayClient(
      {
        attach: () => {
          const found = first ?? attach();
          first = undefined;
          return found;
        },
        identity: { agent: name },
        answer: introduction?.answer,
        capabilities: {
          ack: true,
          resume: true,
          supports_topics: true,
          max_inflight: WRAPPER_MAX_INFLIGHT,
          injects: true,
        },
        topics,
        scopedTokenHash,
        spill,
        clock,
        log,
        random: Math.random,
      },
      {
        delivery: (envelope) => this.#delivered(envelope),
        released: (ids) => this.#injector?.release(ids),
        fate: (fate) => this.#fate(fate),
        held: (held) => {
          this.#heldByRelay = held;
          this.#injector?.hold('relay', held);
          this.#reporter?.changed();
        },
        stateChanged: (state) => {
          log.info('relay.state', { state });
          if (state !== 'ready') return;
          this.#reporter?.renew();
          this.#showScreen(client.attachment);
        },
      },
    );
    this.#reporter = new Reporter(client, clock, log);
    client.start();
    return client;
  }

  /** Does it with the client as soon as there is one, in the order of the calls. */
  #withClient(use: (client: RelayClient) => void): void {
    this.#client.then(use).catch((error: unknown) => this.#options.log.error('client.failed', { error }));
  }

  async #run(): Promise<number> {
    const options = this.#options;
    const name = this.#name;
    const { adapter, agent, cwd, tty, sizeFor, clock, log, signals } = options;
    const env: Record<string, string | undefined> = {
      ...options.env,
      AGENT_RELAY_NAME: name,
      AGENT_RELAY_NAMESPACE: options.namespace,
      AGENT_RELAY_TOKEN: this.#scopedToken,
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
      positions: this.#positions,
      clock,
      log,
      secret: (bytes) => randomBytes(bytes).toString('base64url'),
    });
    const hearing = new Hearing(
      options.speech === 'screen' ? [] : prepared.speech,
      { readScreen: options.speech === 'screen' || !RENDERS_MARKDOWN.has(adapter.profile), log },
      {
        said: (said) => this.#said(said),
        prompted: (text) => this.#injector?.prompted(text),
        sourceChanged: () => this.#reporter?.changed(),
      },
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
    const hold = this.#holdFor(title);
    this.#hold = hold;
    prepared.state.onChange(() => this.#reporter?.changed());
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
          this.#agentRuns();
          if (!full) return;
          return new Promise<void>((resolve) => {
            resumeOutput = resolve;
          });
        },
        onInput: (chunk) => terminal.input(chunk),
        onResize: ({ cols, rows }) => lines.resize(cols, rows),
        onSuspend: async () => {
          terminal.suspended();
          hold?.close();
          await (await this.#client).suspend();
        },
        onContinue: () => {
          hold?.changed();
          this.#withClient((client) => client.resume());
        },
        onExit: () => this.#goodbye(hearing, lines, prepared),
      },
    });
    terminal.attach(passthrough);
    this.#screen = { source: terminal };
    this.#withClient((client) => {
      this.#startInjector(client, terminal, prepared, hearing, () => passthrough.tell(BELL));
      this.#reporter?.start(() => ({
        status: prepared.state.state,
        waitsFor:
          hold?.held || this.#heldByRelay
            ? 'held'
            : this.#injector?.waiting
              ? this.#injector.reason
              : undefined,
        speech: hearing.kind,
      }));
    });
    clock.after(FIRST_OUTPUT_MS, this.#agentRuns, { unref: true });
    const { code } = await passthrough.exited;
    await this.#account();
    return code;
  }

  /** Once the name is ours: before, another wrapper's socket may lie there. */
  #showScreen(attachment: Attachment | undefined): void {
    const screen = this.#screen;
    if (screen === undefined || screen.server !== undefined || attachment === undefined) return;
    const { clock, log } = this.#options;
    const { directory: relayDirectory } = attachment;
    screen.server = import('./screen-server.ts')
      .then(({ ScreenServer }) =>
        ScreenServer.open({ relayDirectory, name: this.#name, source: screen.source, clock, log }),
      )
      .catch((error: unknown) => {
        log.warn('screen.not-shown', { error });
        delete screen.server; // The next time we are ready.
        return undefined;
      });
  }

  #hideScreen(): void {
    const server = this.#screen?.server;
    this.#screen = undefined;
    void server?.then((opened) => opened?.close());
  }

  #holdFor(title: StatusTitle): PersonHold | undefined {
    const { chord: character, inject, clock } = this.#options;
    if (character === undefined || inject === 'off') return undefined;
    return new PersonHold({
      name: this.#name,
      character,
      injector: () => this.#injector,
      title,
      changed: () => this.#reporter?.changed(),
      clock,
    });
  }

  #startInjector(
    client: RelayClient,
    terminal: WrappedTerminal,
    prepared: Prepared,
    hearing: Hearing,
    ring: () => void,
  ): void {
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
          mayType: (envelope) => this.#notices.owns(envelope) || client.mayType(envelope),
          clock,
          log,
        },
        {
          submitted: (envelope) => {
            if (!this.#notices.owns(envelope)) client.ack(envelope);
          },
          refused: (envelope, code, message) => {
            log.warn('inject.refused', { id: envelope.id, from: envelope.from, code, message });
            if (!this.#notices.owns(envelope)) client.refuse(envelope, code, message);
          },
          waiting: (reason) => {
            log.info('inject.waiting', { reason: reason ?? 'none' });
            this.#reporter?.changed();
            this.#hold?.changed();
            if (bell && reason !== undefined && OF_THE_PERSON.has(reason)) ring();
          },
        },
      );
    }
    this.#injector?.hold('relay', this.#heldByRelay);
    for (const envelope of this.#early.splice(0)) this.#delivered(envelope);
  }

  #delivered(envelope: DeliverEnvelope): void {
    if (this.#options.inject === 'off') {
      // Nobody types: the agent reads its messages itself, by relay-poll (P27).
      return this.#withClient((client) => client.defer(envelope, 'this wrapper does not type: --inject off'));
    }
    if (this.#injector === undefined) this.#early.push(envelope);
    else this.#injector.add(envelope);
    this.#hold?.changed();
  }

  #said(said: Said): void {
    this.#unstored.add(said.id);
    this.#withClient((client) => this.#send(client, said));
  }

  #send(client: RelayClient, { directive, id }: Said): void {
    const { to, kind, body, topic, thread, data } = directive;
    try {
      client.send({
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
      if (code === 'QUEUE_FULL') this.#refused++;
      this.#fate({ id, to, outcome: 'failed', code, message });
    }
  }

  #fate(fate: Fate): void {
    this.#options.log.info('fate', { ...fate });
    this.#unstored.delete(fate.id);
    if (fate.outcome === 'failed') this.#notices.failed(fate);
  }

  /** The agent has ended: what it said last still leaves; what it was not given stays with the daemon. */
  async #goodbye(hearing: Hearing, lines: SettledLines, prepared: Prepared): Promise<void> {
    const { clock, log } = this.#options;
    this.#hold?.close();
    this.#hideScreen();
    this.#agentRuns(); // It never printed anything.
    const leave = async () => {
      const client = await this.#client;
      this.#injector?.close();
      this.#notices.close();
      this.#reporter?.close();
      await lines.flush();
      await hearing.close();
      lines.close();
      await prepared.close();
      // An agent that speaks and ends at once is faster than our handshake.
      let timer: Timer | undefined;
      const unsent = new Promise<void>((resolve) => {
        timer = clock.after(UNSENT_MS, resolve);
      });
      await Promise.race([client.handedOver(), unsent]);
      timer?.cancel();
      await client.close();
      this.#positions.close();
    };
    const late = new Promise<void>((resolve) => void clock.after(GOODBYE_MS, resolve, { unref: true }));
    await Promise.race([leave().catch((error: unknown) => log.error('goodbye.failed', { error })), late]);
    this.#runDirectory.remove();
  }

  /** What the agent said and no relay has taken over is kept on disk, and its person hears of it. */
  async #account(): Promise<void> {
    const { clock, log, unsent } = this.#options;
    const name = this.#name;
    if (this.#refused > 0) {
      unsent(
        new RelayError('QUEUE_FULL', `${this.#refused} messages of ${name} found no room in its outbox`),
      );
    }
    const late = new Promise<undefined>((resolve) => {
      clock.after(KEEP_MS, () => resolve(undefined), { unref: true });
    });
    const kept = await Promise.race([this.#client.then((client) => client.keepUnsent()), late]).catch(
      (error: unknown) => log.error('outbox.failed', { error }),
    );
    if (!kept || kept.unanswered === 0) return;
    log.warn('outbox.unsent', kept);
    if (kept.lost > 0) {
      const message = `${kept.lost} messages of ${name} are lost: no relay took them, and no disk`;
      unsent(new RelayError('UNSENT', message, { suggestion: 'see: agent-wrap doctor' }));
      return;
    }
    unsent(
      new RelayError('UNSENT', `${kept.unanswered} messages of ${name} have not left: no relay took them`, {
        suggestion: `they are kept, and leave with its next session: agent-wrap --name ${name} …`,
      }),
    );
  }
}
