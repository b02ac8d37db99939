/**
 * A session on the relay that outlives connections and leaders. docs/protocol.md §8, §10 (P7–P9, P21).
 * It finds the relay, starts the session by the handoff command, keeps it, and starts it anew if need be;
 * what it was given to send waits in its outbox meanwhile.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { RelayError, unreachable } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import {
  type DeliverEnvelope,
  type Envelope,
  type EnvelopeOf,
  encodeEnvelope,
  newEnvelope,
} from '../protocol/envelope.ts';
import { newId } from '../protocol/ids.ts';
import { OUTBOX_LATE_MS } from '../protocol/limits.ts';
import type { Payload } from '../protocol/payloads.ts';
import { Answers } from './answers.ts';
import type { Attachment } from './attachment.ts';
import { backoffMs, MAX_ATTEMPTS } from './backoff.ts';
import type { RelayChannel } from './channel.ts';
import type { ClientState, Outgoing, RelayClientHandlers, RelayClientOptions } from './contract.ts';
import { establish, type KeptSession } from './establish.ts';
import type { Fate } from './fate.ts';
import { Inbox, type Verdict } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { SilenceWatch } from './silence.ts';

/** Bytes in our memory beyond which the outbox waits for the socket. */
const PUMP_MARK_BYTES = 1024 * 1024;
/** Milliseconds before a SEND that was refused for now is sent again. */
const RETRY_MS = 500;
/** Milliseconds a leaving client waits for the BYE that says its ACKs are stored (P12). */
const GOODBYE_MS = 1_000;

export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #handlers: RelayClientHandlers;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #outbox: Outbox;
  readonly #inbox = new Inbox();
  #state: ClientState = 'disconnected';
  #introduced: unknown;
  #attachment: Attachment | undefined;
  #channel: RelayChannel | undefined;
  #answers: Answers | undefined;
  #session: KeptSession | undefined;
  #attempt = 0;
  /** Counts the connects begun: one that was overtaken by suspend() and resume() must not go on. */
  #connects = 0;
  #silence: SilenceWatch | undefined;
  #timers = new Set<Timer>();
  #retry: Timer | undefined;
  /** Looks for SENDs that stay unanswered. */
  #look: Timer | undefined;
  #goodbye: (() => void) | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: RelayClientOptions, handlers: RelayClientHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#introduced = options.answer;
    this.#outbox = new Outbox({
      spill: options.spill,
      now: () => options.clock.now(),
      wake: () => this.#pump(),
      fate: (fate) => this.#fate(fate),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Our name on the relay. */
  get name(): string {
    return this.#options.identity.agent;
  }

  get sessionId(): string | undefined {
    return this.#session?.id;
  }

  get attachment(): Attachment | undefined {
    return this.#attachment;
  }

  /** Messages whose end is not known yet. */
  get unended(): number {
    return this.#outbox.size;
  }

  start(): void {
    if (this.#state === 'disconnected') void this.#connect();
  }

  /** Resolves when the relay has answered for all that was sent, or will not any more: we are closed. */
  async handedOver(): Promise<void> {
    if (this.#outbox.unanswered === 0 || this.#state === 'closed') return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Puts on disk what no relay has taken over: how many messages that is, and how many no disk has. */
  keepUnsent(): Promise<{ unanswered: number; lost: number }> {
    return this.#outbox.flush();
  }

  /** Sends a message, now or when the relay is back; returns its id. Throws QUEUE_FULL. */
  send(message: Outgoing): string {
    const id = message.id ?? newId();
    const meta = { requires_ack: true, ...(message.ttlMs === undefined ? {} : { ttl_ms: message.ttlMs }) };
    const envelope = newEnvelope('SEND', message.payload, this.#clock.now(), {
      id,
      ...(message.to === undefined ? {} : { to: message.to }),
      ...(message.topic === undefined ? {} : { topic: message.topic }),
      payload_meta: meta,
    });
    this.#outbox.add(id, message.to ?? '*', encodeEnvelope(envelope));
    this.#pump();
    this.#lookOut();
    return id;
  }

  /** The message was submitted. Before this call nobody was told so (P12). */
  ack(envelope: DeliverEnvelope): void {
    this.#inbox.ended(envelope.id, 'taken');
    this.#answer(envelope, 'taken');
  }

  /** The message was not submitted and will not be: its sender is told (P4). */
  refuse(envelope: DeliverEnvelope, code: string, message: string): void {
    this.#inbox.ended(envelope.id, { code, message });
    this.#answer(envelope, { code, message });
  }

  /** Gives the message back to its name's queue, where a poll may read it (P4, P27). */
  defer(envelope: DeliverEnvelope, message: string): void {
    const verdict = { code: 'DEFERRED', message };
    this.#inbox.deferred(envelope.id, verdict);
    this.#answer(envelope, verdict);
  }

  /** May this delivery still be typed? Only while we are READY and it is ours (P9). */
  mayType(envelope: DeliverEnvelope): boolean {
    return this.#state === 'ready' && this.#inbox.isWaiting(envelope.id);
  }

  /** Calls an AFD command at the relay we are attached to. */
  async call(command: string, input: unknown): Promise<unknown> {
    if (this.#attachment === undefined)
      throw new RelayError('DAEMON_UNREACHABLE', 'the relay is not there yet');
    return this.#attachment.call(command, input);
  }

  /** Leaves: BYE, then the hosting process hands over. What waits undelivered stays unACKed. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const channel = this.#state === 'ready' ? this.#channel : undefined;
    if (channel !== undefined) {
      const answered = new Promise<void>((resolve) => {
        this.#goodbye = resolve;
      });
      this.#transmit('BYE', { code: 'CLOSING' });
      this.#move('closed');
      const timer = this.#clock.after(GOODBYE_MS, () => this.#goodbye?.());
      await answered;
      timer.cancel();
      channel.close();
    }
    this.#move('closed');
    this.#cancelTimers();
    await this.#attachment?.close();
  }

  /** Our process is about to be stopped: a hosting process hands over first. The session is kept. */
  async suspend(): Promise<void> {
    if (this.#over()) return;
    const channel = this.#channel;
    this.#channel = undefined;
    this.#cancelTimers();
    this.#move('suspended');
    channel?.close();
    await this.#attachment?.close();
  }

  /** Our process runs again. */
  resume(): void {
    if (this.#state === 'suspended') void this.#connect();
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
        agent: this.name,
        answer,
        session: this.#session,
        capabilities: { ack_lists: true, ...this.#options.capabilities },
        scopedTokenHash: this.#options.scopedTokenHash,
        clock: this.#clock,
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
    const known = resumed && this.#session?.id === welcome.session_id ? this.#session : undefined;
    if (known === undefined) this.#release();
    const fresh = welcome.resume_token === undefined ? [] : [welcome.resume_token];
    this.#session = { id: welcome.session_id, tokens: [...fresh, ...(known?.tokens.slice(0, 1) ?? [])] };
    this.#channel = channel;
    const answers = new Answers(channel, this.#clock);
    this.#answers = answers;
    this.#attempt = 0;
    const unconfirmed = this.#outbox.restart(welcome.server.dedup_since);
    const silence = new SilenceWatch(this.#clock, welcome.server.heartbeat_ms, () => {
      this.#lost(channel, 'the leader is silent');
      channel.destroy();
    });
    this.#silence = silence;
    this.#handlers.held?.(welcome.held === true);
    this.#move('ready');
    channel.start({
      envelope: (envelope) => this.#received(envelope),
      invalid: (error) => this.#log.warn('relay.invalid', { code: error.code, message: error.message }),
      drain: () => this.#pump(),
      leaving: () => answers.send(),
      heard: () => silence.heard(),
      closed: () => this.#lost(channel, 'the connection ended'),
    });
    if (known === undefined)
      for (const topic of this.#options.topics ?? []) this.#transmit('SUBSCRIBE', { topic });
    for (const fate of unconfirmed) this.#fate(fate);
    this.#pump();
    this.#lookOut();
  }

  #answered(): void {
    if (this.#waiting.length === 0 || (this.#outbox.unanswered > 0 && !this.#over())) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** A relay that leaves a SEND unanswered for long is no relay for it: the disk has it then, too. */
  #lookOut(): void {
    if (this.#options.spill === undefined || this.#state !== 'ready') return;
    this.#look ??= this.#timer(OUTBOX_LATE_MS, () => {
      this.#look = undefined;
      this.#outbox.look();
      if (this.#outbox.unanswered > 0) this.#lookOut();
    });
  }

  #received(envelope: Envelope): void {
    switch (envelope.type) {
      case 'DELIVER':
        return this.#delivered(envelope);
      case 'ACK':
        return this.#acknowledged(envelope.payload);
      case 'NACK':
        return this.#nacked(envelope);
      case 'PING':
        return this.#transmit('PONG', envelope.payload);
      case 'ERROR':
        return this.#errored(envelope);
      case 'BYE':
        return this.#farewell(envelope);
      case 'BUSY':
        this.#log.debug('relay.busy', envelope.payload);
        return;
      case 'SYNC':
        if (envelope.payload.held !== undefined) this.#handlers.held?.(envelope.payload.held);
        return;
      case 'WELCOME':
      case 'PONG':
      case 'HELLO':
      case 'SEND':
      case 'RESUME':
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return;
      default:
        return unreachable(envelope);
    }
  }

  #delivered(envelope: DeliverEnvelope): void {
    const standing = this.#inbox.arrived(envelope);
    if (standing === 'new') this.#handlers.delivery(envelope);
    else if (standing !== 'waiting') this.#answer(envelope, standing);
  }

  #answer(envelope: DeliverEnvelope, verdict: Verdict): void {
    if (verdict !== 'taken') this.#transmit('NACK', { ack_id: envelope.id, ...verdict });
    else if (this.#state === 'ready') this.#answers?.take(envelope);
  }

  #acknowledged({ ack_ids: ids, ...payload }: Payload<'ACK'>): void {
    if (ids === undefined) this.#fate(this.#outbox.acknowledged(payload));
    else for (payload.ack_id of ids) this.#fate(this.#outbox.acknowledged(payload));
    this.#answered();
  }

  #nacked(envelope: EnvelopeOf<'NACK'>): void {
    const outcome = this.#outbox.refused(envelope.payload);
    if (outcome !== 'retry') {
      this.#fate(outcome);
      return this.#answered();
    }
    this.#retry ??= this.#timer(RETRY_MS, () => {
      this.#retry = undefined;
      this.#outbox.retry();
      this.#pump();
    });
  }

  #fate(fate: Fate | undefined): void {
    if (fate !== undefined) this.#handlers.fate?.(fate);
  }

  #errored(envelope: EnvelopeOf<'ERROR'>): void {
    const { code, message } = envelope.payload;
    this.#log.warn('relay.error', { code, message });
    if (code !== 'SESSION_TAKEN_OVER') return;
    // Whoever took it over has the token: coming back by ourselves would only evict each other (P9).
    this.#release();
    this.#move('closed');
  }

  #farewell(envelope: EnvelopeOf<'BYE'>): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#lost(channel, `the daemon said BYE ${envelope.payload.code ?? ''}`);
    channel.close();
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
    if (error.code.startsWith('TOKEN_') && this.#session !== undefined) this.#session.tokens = [];
    const waitMs = Math.round(backoffMs(this.#attempt, this.#options.random));
    const fields = { code: error.code, message: error.message, attempt: this.#attempt, waitMs };
    if (this.#attempt === MAX_ATTEMPTS) this.#log.error('relay.unreachable', fields);
    else this.#log.info('relay.retry', fields);
    this.#move('backoff');
    this.#timer(waitMs, () => void this.#connect());
  }

  #release(): void {
    const ids = this.#inbox.releaseWaiting();
    if (ids.length > 0) this.#handlers.released?.(ids);
  }

  #pump(): void {
    const channel = this.#channel;
    while (channel !== undefined && channel === this.#channel && channel.bufferedBytes < PUMP_MARK_BYTES) {
      const frame = this.#outbox.next();
      if (frame === undefined) return;
      channel.sendFrame(frame);
    }
  }

  /** What was acknowledged before it is said before it. */
  #transmit<T extends 'NACK' | 'PONG' | 'BYE' | 'SUBSCRIBE'>(type: T, payload: Payload<T>): void {
    if (this.#state !== 'ready') return;
    this.#answers?.send();
    this.#channel?.send(newEnvelope(type, payload, this.#clock.now()));
  }

  #move(state: ClientState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#log.debug('relay.state', { from: this.#state, to: state });
    if (this.#state === 'ready') this.#outbox.away();
    this.#state = state;
    if (state === 'closed') this.#answered();
    this.#handlers.stateChanged?.(state);
  }

  #timer(ms: number, fn: () => void): Timer {
    const timer = this.#clock.after(ms, () => {
      this.#timers.delete(timer);
      fn();
    });
    this.#timers.add(timer);
    return timer;
  }

  #cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#retry = undefined;
    this.#look = undefined;
    this.#silence?.close();
  }
}
