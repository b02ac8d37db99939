/**
 * All of it put together: the agent in its PTY, the ears (speech → directives → SEND) and the voice
 * (DELIVER → keystrokes → ACK). Nothing here may delay or hurt the person's terminal. architecture.md
 * "The flow of one message".
 */
import type { Prepared, Profile } from '../agents/adapter.ts';
import { directoryEnvironment, wrapperDirectory } from '../base/paths.ts';
import { within } from '../base/within.ts';
import type { RelayClient } from '../client/relay-client.ts';
import { SettledLines } from '../terminal/settled-lines.ts';
import { TypedLines } from '../terminal/typed-lines.ts';
import { accountFor } from './account.ts';
import { screenView, WrappedTerminal } from './agent-terminal.ts';
import { Hearing, type Said } from './hearing.ts';
import { type Introduced, introduce, joinRelay } from './join-relay.ts';
import { prepareLaunch } from './launch.ts';
import { Notices } from './notices.ts';
import { Passthrough } from './passthrough.ts';
import { PersonHold } from './person-hold.ts';
import { PositionStore } from './position-store.ts';
import { Reporter } from './reporter.ts';
import { RunDirectory } from './run-directory.ts';
import { ScreenShare } from './screen-share.ts';
import { StatusTitle } from './status-title.ts';
import { Utterance } from './utterance.ts';
import { Voice } from './voice.ts';
import type { WrapperOptions } from './wrapper-options.ts';

/** TUIs whose screens show other words than the model wrote. */
const RENDERS_MARKDOWN: ReadonlySet<Profile> = new Set(['claude', 'codex', 'opencode']);
const BELL = Buffer.of(0x07);
/** How long an agent that prints nothing keeps us from loading the client. */
const FIRST_OUTPUT_MS = 30;
/** How long saying goodbye may delay the person's prompt. */
const GOODBYE_MS = 1_500;
/** How much of it may be spent on a relay that is not there yet, or takes nothing. */
const UNSENT_MS = 1_000;

export class Wrapper {
  readonly #options: WrapperOptions;
  readonly #introduced: Introduced;
  readonly #runDirectory = new RunDirectory();
  readonly #notices: Notices;
  readonly #positions: PositionStore;
  readonly #utterance: Utterance;
  readonly #voice: Voice;
  readonly #share: ScreenShare;
  #reporter: Reporter | undefined;
  /** Loaded while the agent runs already: the person waits for the agent, and nobody yet for the client. */
  readonly #client: Promise<RelayClient>;
  #agentRuns: () => void = () => {};
  #hold: PersonHold | undefined;
  #passthrough: Passthrough | undefined;

  private constructor(options: WrapperOptions, introduced: Introduced) {
    this.#options = options;
    this.#introduced = introduced;
    const { namespace, env, clock, log } = options;
    this.#positions = new PositionStore({
      directory: () => wrapperDirectory(namespace, directoryEnvironment(env), 'heard'),
      settled: () => this.#utterance.settled,
      clock,
      log,
    });
    this.#notices = new Notices(clock, (envelope) => this.#voice.injector?.add(envelope));
    this.#utterance = new Utterance(this.#notices, log);
    this.#share = new ScreenShare({ name: introduced.name, clock, log });
    this.#voice = new Voice({
      options,
      notices: this.#notices,
      changed: () => {
        this.#reporter?.changed();
        this.#hold?.changed();
      },
      ring: () => this.#passthrough?.tell(BELL),
    });
    const running = new Promise<void>((resolve) => {
      this.#agentRuns = resolve;
    });
    this.#client = running.then(() => this.#join(introduced));
  }

  /** Starts the agent, joined to the relay as soon as that is there; resolves with its exit code. */
  static async run(options: WrapperOptions): Promise<number> {
    return new Wrapper(options, await introduce(options)).#run();
  }

  async #join(introduced: Introduced): Promise<RelayClient> {
    const { clock, log } = this.#options;
    const client = await joinRelay(this.#options, introduced, {
      delivery: (envelope) => this.#voice.deliver(envelope),
      released: (ids) => this.#voice.release(ids),
      fate: (fate) => this.#utterance.fate(fate),
      held: (held) => {
        this.#voice.hold(held);
        this.#reporter?.changed();
      },
      stateChanged: (state) => {
        log.info('relay.state', { state });
        if (state !== 'ready') return;
        this.#reporter?.renew();
        this.#share.show(client.attachment);
      },
    });
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
    const { adapter, tty, sizeFor, clock, log, signals } = options;
    const { prepared, program, briefing } = await prepareLaunch(options, this.#introduced, {
      runDirectory: this.#runDirectory,
      positions: this.#positions,
    });
    const hearing = new Hearing(
      options.speech === 'screen' ? [] : prepared.speech,
      { readScreen: options.speech === 'screen' || !RENDERS_MARKDOWN.has(adapter.profile), log },
      {
        said: (said) => this.#said(said),
        prompted: (text) => this.#voice.injector?.prompted(text),
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
      agent: program,
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
    this.#passthrough = passthrough;
    terminal.attach(passthrough);
    this.#share.begin(terminal);
    this.#withClient((client) => {
      const echoed = hearing.kind === 'screen';
      this.#voice.start({ client, terminal, prepared, echoed, preface: briefing });
      const { injector } = this.#voice;
      this.#reporter?.start(() => ({
        status: prepared.state.state,
        waitsFor: hold?.held || this.#voice.held ? 'held' : injector?.waiting ? injector.reason : undefined,
        speech: hearing.kind,
      }));
    });
    clock.after(FIRST_OUTPUT_MS, this.#agentRuns, { unref: true });
    const { code } = await passthrough.exited;
    await accountFor(this.#introduced.name, this.#client, { ...options, refused: this.#utterance.refused });
    return code;
  }

  #holdFor(title: StatusTitle): PersonHold | undefined {
    const { chord: character, inject, clock } = this.#options;
    if (character === undefined || inject === 'off') return undefined;
    return new PersonHold({
      name: this.#introduced.name,
      character,
      injector: () => this.#voice.injector,
      title,
      changed: () => this.#reporter?.changed(),
      clock,
    });
  }

  #said(said: Said): void {
    this.#utterance.begin(said);
    this.#withClient((client) => this.#utterance.send(client, said));
  }

  /** The agent has ended: what it said last still leaves; what it was not given stays with the daemon. */
  async #goodbye(hearing: Hearing, lines: SettledLines, prepared: Prepared): Promise<void> {
    const { clock, log } = this.#options;
    this.#hold?.close();
    this.#share.hide();
    this.#agentRuns(); // It never printed anything.
    const leave = async () => {
      const client = await this.#client;
      this.#voice.close();
      this.#notices.close();
      this.#reporter?.close();
      await lines.flush();
      await hearing.close();
      lines.close();
      await prepared.close();
      // An agent that speaks and ends at once is faster than our handshake.
      await within(clock, UNSENT_MS, client.handedOver());
      await client.close();
      this.#positions.close();
    };
    const left = leave().catch((error: unknown) => log.error('goodbye.failed', { error }));
    await within(clock, GOODBYE_MS, left);
    this.#runDirectory.remove();
  }
}
