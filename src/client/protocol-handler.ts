/**
 * The protocol handler of `agent-relay`, for embedders: HandoffResult → HELLO with its token → a live
 * connection of envelopes. It answers PING by itself; whether a DELIVER is acknowledged is the embedder's
 * to say. docs/protocol.md §4 (conformance §1 "Client").
 */
import { parseEndpoint } from '../afd/endpoint.ts';
import type { HandoffResult } from '../afd/handoff.ts';
import type {
  HandoffConnection,
  HandoffConnectionOptions,
  HandoffConnectionState,
  ProtocolHandler,
} from '../afd/protocol-handlers.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { type DeliverEnvelope, type Envelope, newEnvelope, parseEnvelope } from '../protocol/envelope.ts';
import { socketLink } from '../transport/socket.ts';
import { connectUnix } from '../transport/unix.ts';
import { AGENT_RELAY, type HelloPayload, RelayChannel } from './channel.ts';

/** Close codes of AFD's clients: they decide whether to come back. */
const GOING_AWAY = 1001;
const LOST = 1006;
const TAKEN_OVER = 4004;

export interface RelayProtocolOptions {
  /** What HELLO declares besides `ack` and `resume`. */
  capabilities?: HelloPayload['capabilities'];
  clock?: Clock;
}

/** Makes the handler to register for `agent-relay`. */
export function relayProtocol({
  capabilities = {},
  clock = systemClock,
}: RelayProtocolOptions = {}): ProtocolHandler<RelayConnection> {
  return async (handoff, options) => {
    const agent = handoff.credentials?.headers?.['agent-name'];
    if (agent === undefined) throw new RelayError('BAD_HANDOFF', 'the handoff names no agent');
    const path = parseEndpoint(handoff.endpoint);
    const socket = await connectUnix(path, options.signal).catch((cause: unknown) => {
      if (options.signal?.aborted) throw new RelayError('COMMAND_CANCELLED', 'cancelled while connecting');
      throw new RelayError('DAEMON_UNREACHABLE', `nobody answers at ${path}`, { cause });
    });
    const token = handoff.credentials?.token;
    const hello: HelloPayload = {
      agent,
      capabilities: { ack: true, resume: true, ...capabilities },
      session: token === undefined ? {} : { resume_token: token },
    };
    const channel = await RelayChannel.open(socketLink(socket), handoff.endpoint, hello, clock);
    return new RelayConnection(handoff, channel, options, clock);
  };
}

export class RelayConnection implements HandoffConnection {
  readonly protocol = AGENT_RELAY;
  readonly endpoint: string;
  readonly #channel: RelayChannel;
  readonly #options: HandoffConnectionOptions;
  readonly #clock: Clock;
  #state: HandoffConnectionState = 'connected';
  /** What the daemon said before it ended the connection. */
  #farewell: { code: number; reason: string } = { code: LOST, reason: 'the connection ended' };

  constructor(
    { endpoint }: HandoffResult,
    channel: RelayChannel,
    options: HandoffConnectionOptions,
    clock: Clock,
  ) {
    this.endpoint = endpoint;
    this.#channel = channel;
    this.#options = options;
    this.#clock = clock;
    options.signal?.addEventListener('abort', () => this.close(), { once: true });
    options.onStateChange?.('connected');
    options.onConnect?.();
    channel.start({
      envelope: (envelope) => this.#received(envelope),
      invalid: (error) => options.onError?.(error),
      closed: () => this.#closed(),
    });
    // Any frame after WELCOME says that we have it: the token is used up from now on (P7).
    channel.send(newEnvelope('PING', { nonce: 'hello' }, clock.now()));
  }

  get state(): HandoffConnectionState {
    return this.#state;
  }

  get sessionId(): string {
    return this.#channel.welcome.session_id;
  }

  /**
   * Sends an envelope. What is missing is filled in: `{ to, payload: { body } }` is a whole SEND.
   * @throws RelayError CONNECTION_LOST, or BAD_REQUEST for what is no envelope.
   */
  send(data: unknown): void {
    if (this.#state !== 'connected')
      throw new RelayError('CONNECTION_LOST', `cannot send while ${this.#state}`);
    if (typeof data !== 'object' || data === null) {
      throw new RelayError('BAD_REQUEST', 'what is sent must be an object');
    }
    const envelope = { ...newEnvelope('SEND', { body: '' }, this.#clock.now()), ...data };
    this.#channel.send(parseEnvelope(Buffer.from(JSON.stringify(envelope))));
  }

  /** Takes a message over: its sender is told `delivered`, and it does not come again. */
  ack({ id, delivery }: DeliverEnvelope): void {
    this.send({ type: 'ACK', payload: { ack_id: id, seq: delivery.seq } });
  }

  /** BYE: the session ends. Twice is fine. */
  close(): void {
    if (this.#state !== 'connected') return;
    this.#become('disconnected');
    this.#channel.send(newEnvelope('BYE', {}, this.#clock.now()));
    this.#channel.close();
  }

  #received(envelope: Envelope): void {
    if (this.#state !== 'connected') return;
    if (envelope.type === 'PING') {
      this.#channel.send(newEnvelope('PONG', envelope.payload, this.#clock.now()));
      return;
    }
    if (envelope.type === 'ERROR' && envelope.payload.code === 'SESSION_TAKEN_OVER') {
      this.#farewell = { code: TAKEN_OVER, reason: envelope.payload.message };
    } else if (envelope.type === 'BYE' && this.#farewell.code === LOST) {
      this.#farewell = { code: GOING_AWAY, reason: envelope.payload.code ?? 'BYE' };
      this.#channel.close();
    }
    this.#options.onMessage?.(envelope);
  }

  #closed(): void {
    if (this.#state !== 'connected') return;
    this.#become('disconnected');
    this.#options.onDisconnect?.(this.#farewell.code, this.#farewell.reason);
  }

  #become(state: HandoffConnectionState): void {
    this.#state = state;
    this.#options.onStateChange?.(state);
  }
}
