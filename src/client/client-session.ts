/**
 * The states of a client (§10): it finds the relay, starts the session by the handoff command, keeps it,
 * and starts it anew if need be. docs/protocol.md §8, §10 (P7–P9, P20, P21).
 */
import type { Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Attachment } from './attachment.ts';
import { backoffMs, MAX_ATTEMPTS } from './backoff.ts';
import type { RelayChannel } from './channel.ts';
import type { ClientState, RelayClientOptions } from './contract.ts';
import { establish, type KeptSession } from './establish.ts';
import { SilenceWatch } from './silence.ts';

/** Milliseconds a leaving client waits for the BYE that says its ACKs are stored (P12). */
const GOODBYE_MS = 1_000;

/** Who speaks over one connection. */
export interface Speaker {
  /** We are ready. */
  ready(): void;
  /** The end of a turn that was asked for. */
  leaving(): void;
}

/** What happens to a session, for who speaks over it. */
export interface ClientSessionEvents {
  /** The session there was is over: what was delivered to it is the daemon's again. */
  renewed(): void;
  /** A connection is there, of a new session if `fresh`. */
  opened(channel: RelayChannel, fresh: boolean): Speaker;
  received(envelope: Envelope): void;
  /** The connection takes more. */
  drained(): void;
  /** We are about to be ready no more. */
  away(): void;
  moved(state: ClientState): void;
  /** We leave: the time to say BYE. */
  goodbye(): void;
  /** No timer may be left. */
  stopped(): void;
}

export class ClientSession {
  readonly #options: RelayClientOptions;
  readonly #events: ClientSessionEvents;
  readonly #log: Log;
  #state: ClientState = 'disconnected';
  #introduced: unknown;
  #attachment: Attachment | undefined;
  #channel: RelayChannel | undefined;
  #kept: KeptSession | undefined;
  #attempt = 0;
  /** Counts the connects begun: one that was overtaken by suspend() and resume() must not go on. */
  #connects = 0;
  #silence: SilenceWatch | undefined;
  #backoff: Timer | undefined;
  #goodbye: (() => void) | undefined;

  constructor(options: RelayClientOptions, events: ClientSessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#log = options.log;
    this.#introduced = options.answer;
  }

  get state(): ClientState {
    return this.#state;
  }

  get id(): string | undefined {
    return this.#kept?.id;
  }

  get attachment(): Attachment | undefined {
    return this.#attachment;
  }

  get channel(): RelayChannel | undefined {
    return this.#channel;
  }

  start(): void {
    if (this.#state === 'disconnected') void this.#connect();
  }

  /** BYE, if there is somebody to hear it; then it is over. Twice is fine. */
  async close(): Promise<void> {
    if (this.#over()) return;
    const channel = this.#state === 'ready' ? this.#channel : undefined;
    if (channel !== undefined) {
      const answered = new Promise<void>((resolve) => {
        this.#goodbye = resolve;
      });
      this.#events.goodbye();
      this.#move('closed');
      const timer = this.#options.clock.after(GOODBYE_MS, () => this.#goodbye?.());
      await answered;
      timer.cancel();
      channel.close();
    }
    this.#move('closed');
    this.#cancelTimers();
    await this.#attachment?.close();
  }

  /** Leaves the relay, a hosting process too; the session is kept. */
  async suspend(): Promise<void> {
    if (this.#over()) return;
    const channel = this.#channel;
    this.#channel = undefined;
    this.#cancelTimers();
    this.#move('suspended');
    channel?.close();
    await this.#attachment?.close();
  }

  resume(): void {
    if (this.#state === 'suspended') void this.#connect();
  }

  /** Another has the session now: it is over, and does not come back by itself. */
  takenOver(): void {
    this.#move('closed');
  }

  /** The daemon said BYE. */
  dismissed(code: string): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#lost(channel, `the daemon said BYE ${code}`);
    channel.close();
  }

  async #connect(): Promise<void> {
    if (this.#over()) return;
    const connect = ++this.#connects;
    this.#move('connecting');
    try {
      const attachment = await this.#attached();
      if (this.#state !== 'connecting' || connect !== this.#connects) return void attachment.close();
      const answer = this.#introduced;
      this.#introduced = undefined; // A token is good once.
      const channel = await establish({
        attachment,
        agent: this.#options.identity.agent,
        answer,
        session: this.#kept,
        capabilities: { ack_lists: true, ...this.#options.capabilities },
        scopedTokenHash: this.#options.scopedTokenHash,
        clock: this.#options.clock,
        log: this.#log,
        handshaking: () => {
          if (this.#state === 'connecting' && connect === this.#connects) this.#move('handshaking');
        },
      });
      if (this.#handshaken() && connect === this.#connects) this.#ready(channel);
      else channel.destroy();
    } catch (thrown) {
      if (connect === this.#connects) this.#failed(RelayError.from(thrown));
    }
  }

  /** Asked anew after each await: close() or suspend() may have come in between. */
  #handshaken(): boolean {
    return this.#state === 'handshaking';
  }

  #over(): boolean {
    return this.#state === 'closed';
  }

  /** A leader stays attached to itself; everybody else looks anew, because the leader may be another. */
  async #attached(): Promise<Attachment> {
    if (this.#attachment?.leading === true) return this.#attachment;
    await this.#attachment?.close();
    this.#attachment = undefined;
    this.#attachment = await this.#options.attach();
    return this.#attachment;
  }

  #ready(channel: RelayChannel): void {
    const { welcome, resumed } = channel;
    const known = resumed && this.#kept?.id === welcome.session_id ? this.#kept : undefined;
    if (known === undefined) this.#events.renewed();
    const fresh = welcome.resume_token === undefined ? [] : [welcome.resume_token];
    this.#kept = { id: welcome.session_id, tokens: [...fresh, ...(known?.tokens.slice(0, 1) ?? [])] };
    this.#channel = channel;
    this.#attempt = 0;
    const silence = new SilenceWatch(this.#options.clock, welcome.server.heartbeat_ms, () => {
      this.#lost(channel, 'the leader is silent');
      channel.destroy();
    });
    this.#silence = silence;
    const speaker = this.#events.opened(channel, known === undefined);
    this.#move('ready');
    channel.start({
      envelope: (envelope) => this.#events.received(envelope),
      invalid: (error) => this.#log.warn('relay.invalid', { code: error.code, message: error.message }),
      drain: () => this.#events.drained(),
      leaving: () => speaker.leaving(),
      heard: () => silence.heard(),
      closed: () => this.#lost(channel, 'the connection ended'),
    });
    speaker.ready();
  }

  #lost(channel: RelayChannel, reason: string): void {
    this.#goodbye?.();
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    if (this.#over()) return;
    this.#log.info('relay.lost', { reason });
    this.#cancelTimers();
    this.#move('disconnected');
    // One attempt at once, election included (P21); the waits of §10 come after its failure.
    void this.#connect();
  }

  #failed(error: RelayError): void {
    if (this.#state !== 'connecting' && this.#state !== 'handshaking') return;
    this.#attempt++;
    if (error.code.startsWith('TOKEN_') && this.#kept !== undefined) this.#kept.tokens = [];
    const waitMs = Math.round(backoffMs(this.#attempt, this.#options.random));
    const fields = { code: error.code, message: error.message, attempt: this.#attempt, waitMs };
    if (this.#attempt === MAX_ATTEMPTS) this.#log.error('relay.unreachable', fields);
    else this.#log.info('relay.retry', fields);
    this.#move('backoff');
    this.#backoff = this.#options.clock.after(waitMs, () => void this.#connect());
  }

  #move(state: ClientState): void {
    if (this.#state === state || this.#over()) return;
    this.#log.debug('relay.state', { from: this.#state, to: state });
    if (this.#state === 'ready') this.#events.away();
    this.#state = state;
    this.#events.moved(state);
  }

  #cancelTimers(): void {
    this.#backoff?.cancel();
    this.#silence?.close();
    this.#events.stopped();
  }
}
