/** `agent-wrap watch`: the agents of a relay and their messages as they flow, on one screen. docs/people.md. */
import { Chalk } from 'chalk';
import { Command } from 'commander';
import * as z from 'zod';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { watchEvents } from '../client/events.ts';
import { messageView } from '../protocol/message-view.ts';
import { PersonTty } from '../terminal/tty.ts';
import { screenSocketPath } from '../transport/screen-sockets.ts';
import { KeyReader } from '../watch/keys.ts';
import { type Action, type Happening, happen, initialState, type WatchState } from '../watch/model.ts';
import { renderWatch } from '../watch/render.ts';
import { OwnScreen } from '../watch/screen.ts';
import { ScreenFollower } from '../watch/screen-follower.ts';
import { attach } from '../wrap/attach.ts';
import { agentsOf } from './known-agents.ts';
import { type Place, type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { callRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

const EXAMPLES = `
Keys: up and down choose an agent, f follows its screen (Esc: back), s writes to it and b to everybody,
h holds it and r releases it, q or Ctrl-C ends. In a terminal of any size; 80×24 is enough.

Examples:
  agent-wrap watch
  agent-wrap watch --namespace shop`;

/** Messages whose texts are asked for at once. */
const LOG_LIMIT = 500;
const Log = z.object({ messages: z.array(messageView) });

/** How often the list of agents is asked for, and how soon after something has happened, milliseconds. */
const LOOK_MS = 1_000;
const SOON_MS = 60;
/** Between two tries to find a relay that is not there (yet), milliseconds. */
const RETRY_MS = 500;

export function command(): Command {
  const watch = throwUsage(new Command('watch'))
    .description('shows the agents of the relay and their messages as they flow')
    .addHelpText('after', EXAMPLES);
  for (const option of placeOptions()) watch.addOption(option);
  return watch.action(async (options: PlaceOptions) => {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new RelayError('USAGE', 'watch needs a terminal', {
        suggestion: 'in scripts: agent-wrap log --follow --json, agent-wrap agents --json',
      });
    }
    await new Watch(placeOf(options, process.env)).run();
  });
}

class Watch {
  readonly #place: Place;
  readonly #screen = new OwnScreen(new PersonTty(systemClock));
  readonly #stop = new AbortController();
  readonly #keys = new KeyReader();
  readonly #paint = new Chalk();
  #state: WatchState;
  /** Messages whose text was asked for. */
  #read: ReadonlySet<string> = new Set();
  /** Where the relay lives; undefined: we have not found it yet. */
  #directory: string | undefined;
  #follower: ScreenFollower | undefined;
  /** Wakes the loop that asks for the list of agents. */
  #wake: () => void = () => {};

  constructor(place: Place) {
    this.#place = place;
    this.#state = initialState(place.namespace);
  }

  /** Until the person ends it, or a signal does. */
  async run(): Promise<void> {
    const stop = () => this.#stop.abort();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
    process.on('SIGCONT', () => {
      this.#screen.resume();
      this.#show();
    });
    this.#screen.open({
      onInput: (chunk) => {
        for (const key of this.#keys.push(chunk)) this.#happened({ type: 'key', key });
      },
      onStale: () => this.#show(),
      onGone: stop,
    });
    try {
      this.#show();
      await Promise.all([this.#followAgents(), this.#followEvents()]);
    } finally {
      this.#follower?.close();
      await this.#screen.close();
    }
  }

  #happened(happening: Happening): void {
    const { state, action } = happen(this.#state, happening);
    this.#state = state;
    if (action !== undefined) this.#do(action);
    this.#followScreen();
    this.#show();
  }

  /** Sees to the frames of the screen that is looked at. */
  #followScreen(): void {
    const agent = this.#state.followed?.agent;
    if (this.#follower?.agent === agent) return;
    this.#follower?.close();
    this.#follower = undefined;
    if (agent === undefined || this.#directory === undefined) return;
    const path = screenSocketPath(this.#directory, agent);
    this.#follower = new ScreenFollower(agent, path, systemClock, (frame) =>
      this.#happened({ type: 'screen', agent, frame }),
    );
  }

  #show(): void {
    this.#screen.paint((size) => renderWatch(this.#state, size, this.#paint));
  }

  #do(action: Action): void {
    switch (action.type) {
      case 'quit':
        return this.#stop.abort();
      case 'suspend':
        return void this.#screen.suspend().then(() => process.kill(process.pid, 'SIGSTOP'));
      case 'redraw':
        return this.#screen.forget();
      case 'send':
        return void this.#tell('relay-send', { to: action.to, body: action.body }, `sent to ${action.to}`);
      case 'hold':
        return void this.#tell('relay-hold', { agent: action.agent }, `${action.agent} is held`);
      case 'release':
        return void this.#tell('relay-release', { agent: action.agent }, `${action.agent} is released`);
    }
  }

  /** Calls a command of the relay and says what became of it. */
  async #tell(command: string, input: Record<string, unknown>, done: string): Promise<void> {
    try {
      await callRelay(this.#place, command, input, z.looseObject({}));
      this.#happened({ type: 'notice', text: done });
    } catch (error) {
      const { code, message, suggestion } = RelayError.from(error);
      this.#happened({ type: 'notice', text: `${message} [${code}]: ${suggestion}` });
    }
    this.#wake();
  }

  /** What is in the messages: the events do not say it, and the log says it to the person only. */
  async #readBodies(): Promise<void> {
    const { messages } = this.#state;
    const unread = messages.filter(({ id }) => !this.#read.has(id));
    this.#read = new Set(messages.map(({ id }) => id));
    const since = unread[0]?.at;
    if (since === undefined) return;
    try {
      const log = await callRelay(this.#place, 'relay-log', { since, limit: LOG_LIMIT }, Log);
      for (const { id, body } of log.messages) {
        if (body !== undefined) this.#happened({ type: 'body', id, body });
      }
    } catch (error) {
      if (RelayError.from(error).code !== 'FORBIDDEN') throw error; // An agent watches: sizes must do.
    }
  }

  async #followAgents(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#readBodies();
        const agents = await agentsOf(this.#place);
        this.#happened(agents === undefined ? { type: 'unreachable' } : { type: 'agents', agents });
      } catch (error) {
        if (!RelayError.from(error).retryable) throw error;
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if ((await Promise.race([woken, this.#pause(LOOK_MS)])) !== 'paused') await this.#pause(SOON_MS);
    }
  }

  async #followEvents(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const attachment = await attach({
          ...this.#place,
          env: process.env,
          mayLead: false,
          clock: systemClock,
          log: silentLog,
        });
        this.#directory = attachment.directory;
        for await (const event of watchEvents(attachment, { signal })) {
          this.#happened({ type: 'event', event });
          this.#wake();
        }
      } catch (error) {
        if (!RelayError.from(error).retryable) throw error;
      }
      await this.#pause(RETRY_MS);
    }
  }

  /** Ends early when we end. */
  #pause(ms: number): Promise<'paused'> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve('paused');
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}
