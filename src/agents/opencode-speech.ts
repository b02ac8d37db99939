/** opencode's speech and state from its server's events, with what was missed while the stream was broken. */
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SpeechSink, SpeechSource } from './adapter.ts';
import { isRecord, recordIn } from './json-record.ts';
import {
  type OpencodeEvent,
  orderOf,
  parseOpencodeEvent,
  parseSession,
  parseStored,
} from './opencode-event.ts';
import type { ServerPlan } from './opencode-launch.ts';
import { OpencodeServer } from './opencode-server.ts';
import { OpencodeSessions } from './opencode-sessions.ts';
import type { OpencodeState } from './opencode-state.ts';
import type { Kept, Positions } from './positions.ts';
import { Recognition } from './recognition.ts';

/** Milliseconds in which opencode must have opened its port; seen: 2–10 s. */
const START_MS = 120_000;

/** Milliseconds by which a message may be older than the break that hid it. */
const EARLIER_MS = 1_000;

/** Milliseconds after the end of a turn in which its events must have come. */
const RECORD_MS = 1_500;

/** Messages asked for after a break; after a crash of ours more and more, until all that was missed is there. */
const MISSED_MESSAGES = 50;
const MORE_MESSAGES = 4;

export interface OpencodeSpeechOptions {
  plan: ServerPlan;
  state: OpencodeState;
  positions: Positions;
  clock: Clock;
  log: Log;
}

/** How the position in a session is named: its server ends with us, and the next one goes on with it. */
const keyOf = (session: string): string => `opencode ${session}`;

export class OpencodeSpeech implements SpeechSource {
  readonly kind = 'api';
  readonly server: OpencodeServer;
  readonly sessions: OpencodeSessions;
  readonly #options: OpencodeSpeechOptions;
  readonly #deadline: Timer;
  #sink: SpeechSink | undefined;
  #onPrompt: ((text: string) => void) | undefined;
  readonly #started: number;
  readonly #recognition = new Recognition();
  #turn: Timer | undefined;
  #failed: string | undefined;
  /** Since when we may have missed something (wall clock), at first since the start; undefined if nothing. */
  #broke: number | undefined;
  /** Events that came while we asked for what we had missed. */
  #waiting: OpencodeEvent[] | undefined;

  /** Connects at once, and again whenever the stream breaks. */
  constructor(options: OpencodeSpeechOptions) {
    this.#options = options;
    const { plan, state, clock, log } = options;
    this.#started = clock.now();
    this.#broke = this.#started;
    this.sessions = new OpencodeSessions({
      started: this.#started,
      entered: (session, message) => this.#entered(session, message),
      told: (session, part) => this.#keep(session, orderOf(part)),
      sink: {
        text: (...said) => {
          this.#recognition.speech();
          this.#sink?.text(...said);
        },
        end: (message) => this.#sink?.end(message),
        prompt: (text) => {
          this.#onPrompt?.(text);
          this.#sink?.prompt?.(text);
        },
      },
      lookUp: (session) => void this.#lookUp(session),
      changed: () => this.server.open && state.signal(this.sessions.state),
    });
    this.server = new OpencodeServer({
      port: plan.port,
      user: plan.user,
      password: plan.password,
      clock,
      log,
      opened: () => void this.#opened(),
      event: (data) => this.#event(data),
      lost: () => this.#lost(),
      refused: (reason) => this.#fail(reason),
    });
    this.#deadline = clock.after(START_MS, () => this.#fail('its server did not start'), { unref: true });
  }

  start(sink: SpeechSink): void {
    this.#sink = sink;
    if (this.#failed !== undefined) sink.failed(this.#failed);
  }

  /** Called with each prompt that stands in a session. */
  onPrompt(listener: (text: string) => void): void {
    this.#onPrompt = listener;
  }

  /** The agent's signals say that it has answered: what it said has been told, or soon will be. */
  turnEnded(): void {
    this.#turn?.cancel();
    this.#turn = this.#options.clock.after(RECORD_MS, () => this.#check(), { unref: true });
  }

  async close(): Promise<void> {
    this.#deadline.cancel();
    this.#turn?.cancel();
    await this.server.close();
  }

  async #opened(): Promise<void> {
    this.#deadline.cancel();
    this.#options.log.info('opencode-events-open', { port: this.#options.plan.port });
    this.#options.state.signal(this.sessions.state);
    if (this.#broke === undefined) return;
    const waiting: OpencodeEvent[] = [];
    this.#waiting = waiting;
    // What is older than our start was said in another run.
    const caughtUp = await this.#catchUp(Math.max(this.#started, this.#broke - EARLIER_MS));
    // Broken again meanwhile: the next time begins at the same moment.
    if (this.#waiting !== waiting) return;
    this.#waiting = undefined;
    if (caughtUp) this.#broke = undefined;
    for (const event of waiting) this.sessions.push(event);
  }

  #event(data: string): void {
    const event = parseOpencodeEvent(data);
    if (!event) return;
    if (event.kind === 'strange') this.#recognition.strange(event.reason);
    else if (event.kind === 'message') this.#recognition.known();
    if (this.#waiting) this.#waiting.push(event);
    else this.sessions.push(event);
  }

  #lost(): void {
    this.#options.log.warn('opencode-events-lost');
    this.#broke ??= this.#options.clock.now();
    this.#waiting = undefined;
    this.#options.state.signal(undefined);
  }

  /** Asks for what was said and for the states; false if the server did not answer. */
  async #catchUp(since: number): Promise<boolean> {
    try {
      const sessions = await this.server.get('/session');
      for (const info of Array.isArray(sessions) ? sessions.filter(isRecord) : []) {
        const event = parseSession(info);
        const { updated } = recordIn(info, 'time');
        if (event?.kind !== 'session' || typeof updated !== 'number' || updated < since) continue;
        this.sessions.push(event);
        const stored = await this.server.get(`/session/${event.session.id}/message?limit=${MISSED_MESSAGES}`);
        const messages = Array.isArray(stored) ? stored.filter(isRecord) : [];
        this.sessions.catchUp(messages.flatMap(parseStored), since);
      }
      const states = await this.server.get('/session/status');
      this.sessions.setBusy(isRecord(states) ? Object.keys(states) : []);
      return true;
    } catch (error) {
      this.#options.log.warn('opencode-missed', { error });
      return false;
    }
  }

  /** Is there anything that a wrapper before us did not live to hear? Then it is told first. */
  #entered(session: string, message: string): boolean {
    const kept = this.#sink && this.#options.positions.get(keyOf(session));
    this.#keep(session, kept?.offset ?? orderOf(message));
    if (kept === undefined) return false;
    void this.#tellMissed(session, kept);
    return true;
  }

  #keep(session: string, order: number): void {
    if (this.#sink && !Number.isNaN(order)) this.#options.positions.set(keyOf(session), order);
  }

  async #tellMissed(session: string, kept: Kept): Promise<void> {
    try {
      let stored: OpencodeEvent[] = [];
      for (let limit = MISSED_MESSAGES; ; limit *= MORE_MESSAGES) {
        const answer = await this.server.get(`/session/${session}/message?limit=${limit}`);
        const messages = Array.isArray(answer) ? answer.filter(isRecord) : [];
        stored = messages.flatMap(parseStored);
        const first = stored.find((event) => event.kind === 'message');
        if (messages.length < limit || first === undefined || orderOf(first.id) <= kept.offset) break;
      }
      this.sessions.tellMissed(session, stored, kept);
    } catch (error) {
      this.#options.log.warn('opencode-missed', { session, error });
    }
    this.sessions.goOn(session);
  }

  async #lookUp(session: string): Promise<void> {
    try {
      const info = await this.server.get(`/session/${session}`);
      const event = isRecord(info) ? parseSession(info) : undefined;
      if (event) this.sessions.push(event);
      else this.sessions.unknown(session);
    } catch (error) {
      this.#options.log.warn('opencode-session-unknown', { session, error });
      this.sessions.unknown(session);
    }
  }

  #check(): void {
    // While the stream is broken, nobody can tell.
    const strange = this.#broke === undefined ? this.#recognition.turnEnded() : undefined;
    if (strange !== undefined) this.#fail(`its events are not as we know them: ${strange}`);
  }

  #fail(reason: string): void {
    if (this.#failed !== undefined) return;
    this.#failed = reason;
    void this.close();
    this.#options.state.signal(undefined);
    this.#options.log.warn('opencode-events-failed', { reason });
    this.#sink?.failed(reason);
  }
}
