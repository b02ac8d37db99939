/**
 * A session on the relay that outlives connections and leaders. docs/protocol.md §8, §10 (P7–P9, P21).
 * Its states are those of its ClientSession; what it was given to send waits in its Sender meanwhile.
 */
import type { Clock } from '../base/clock.ts';
import { RelayError, unreachable } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type DeliverEnvelope, type Envelope, type EnvelopeOf, newEnvelope } from '../protocol/envelope.ts';
import type { Payload } from '../protocol/payloads.ts';
import { Answers } from './answers.ts';
import type { Attachment } from './attachment.ts';
import type { RelayChannel } from './channel.ts';
import { ClientSession, type Speaker } from './client-session.ts';
import type { ClientState, Outgoing, RelayClientHandlers, RelayClientOptions } from './contract.ts';
import { Inbox, type Verdict } from './inbox.ts';
import { Sender } from './sender.ts';

export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #handlers: RelayClientHandlers;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #session: ClientSession;
  readonly #sender: Sender;
  readonly #inbox = new Inbox();
  #answers: Answers | undefined;

  constructor(options: RelayClientOptions, handlers: RelayClientHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#session = new ClientSession(options, {
      renewed: () => this.#release(),
      opened: (channel, fresh) => this.#opened(channel, fresh),
      received: (envelope) => this.#received(envelope),
      drained: () => this.#sender.pump(),
      away: () => this.#sender.away(),
      moved: (state) => this.#moved(state),
      goodbye: () => this.#transmit('BYE', { code: 'CLOSING' }),
      stopped: () => this.#sender.stop(),
    });
    this.#sender = new Sender({
      spill: options.spill,
      outbox: options.outbox,
      clock: options.clock,
      channel: () => this.#session.channel,
      state: () => this.#session.state,
      fate: (fate) => handlers.fate?.(fate),
      random: options.random,
    });
  }

  get state(): ClientState {
    return this.#session.state;
  }

  /** Our name on the relay. */
  get name(): string {
    return this.#options.identity.agent;
  }

  get sessionId(): string | undefined {
    return this.#session.id;
  }

  get attachment(): Attachment | undefined {
    return this.#session.attachment;
  }

  /** Messages whose end is not known yet. */
  get unended(): number {
    return this.#sender.unended;
  }

  start(): void {
    this.#session.start();
  }

  /** Resolves when the relay has answered for all that was sent, or will not any more: we are closed. */
  handedOver(): Promise<void> {
    return this.#sender.handedOver();
  }

  /** Puts on disk what no relay has taken over: how many messages that is, and how many no disk has. */
  keepUnsent(): Promise<{ unanswered: number; lost: number }> {
    return this.#sender.keepUnsent();
  }

  /** Sends a message, now or when the relay is back; returns its id. Throws as `Sender.send`. */
  send(message: Outgoing): string {
    return this.#sender.send(message);
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
    return this.state === 'ready' && this.#inbox.isWaiting(envelope.id);
  }

  /** Calls an AFD command at the relay we are attached to. */
  async call(command: string, input: unknown): Promise<unknown> {
    const { attachment } = this.#session;
    if (attachment === undefined) throw new RelayError('DAEMON_UNREACHABLE', 'the relay is not there yet');
    return attachment.call(command, input);
  }

  /** Leaves: BYE, then the hosting process hands over. What waits undelivered stays unACKed. */
  close(): Promise<void> {
    return this.#session.close();
  }

  /** Our process is about to be stopped: a hosting process hands over first. The session is kept. */
  suspend(): Promise<void> {
    return this.#session.suspend();
  }

  /** Our process runs again. */
  resume(): void {
    this.#session.resume();
  }

  #opened(channel: RelayChannel, fresh: boolean): Speaker {
    const { welcome } = channel;
    const answers = new Answers(channel, this.#clock);
    this.#answers = answers;
    const unconfirmed = this.#sender.restart(welcome.server.dedup_since);
    this.#handlers.held?.(welcome.held === true);
    return {
      ready: () => {
        if (fresh) for (const topic of this.#options.topics ?? []) this.#transmit('SUBSCRIBE', { topic });
        for (const fate of unconfirmed) this.#handlers.fate?.(fate);
        this.#sender.pump();
        this.#sender.lookOut();
      },
      leaving: () => answers.send(),
    };
  }

  #moved(state: ClientState): void {
    if (state === 'closed') this.#sender.answered();
    this.#handlers.stateChanged?.(state);
  }

  #received(envelope: Envelope): void {
    switch (envelope.type) {
      case 'DELIVER':
        return this.#delivered(envelope);
      case 'ACK':
        return this.#sender.acknowledged(envelope.payload);
      case 'NACK':
        return this.#sender.nacked(envelope.payload);
      case 'PING':
        return this.#transmit('PONG', envelope.payload);
      case 'ERROR':
        return this.#errored(envelope);
      case 'BYE':
        return this.#session.dismissed(envelope.payload.code ?? '');
      case 'BUSY':
        this.#log.debug('relay.busy', envelope.payload);
        return this.#sender.busy(envelope.payload);
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
    else if (this.state === 'ready') this.#answers?.take(envelope);
  }

  #errored(envelope: EnvelopeOf<'ERROR'>): void {
    const { code, message, ref_id: id } = envelope.payload;
    this.#log.warn('relay.error', { code, message });
    if (id !== undefined) this.#sender.nacked({ ack_id: id, code, message });
    if (code !== 'SESSION_TAKEN_OVER') return;
    // Whoever took it over has the token: coming back by ourselves would only evict each other (P9).
    this.#release();
    this.#session.takenOver();
  }

  #release(): void {
    const ids = this.#inbox.releaseWaiting();
    if (ids.length > 0) this.#handlers.released?.(ids);
  }

  /** What was acknowledged before it is said before it. */
  #transmit<T extends 'NACK' | 'PONG' | 'BYE' | 'SUBSCRIBE'>(type: T, payload: Payload<T>): void {
    if (this.state !== 'ready') return;
    this.#answers?.send();
    this.#session.channel?.send(newEnvelope(type, payload, this.#clock.now()));
  }
}
