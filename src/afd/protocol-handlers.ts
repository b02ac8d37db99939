/** From a HandoffResult to a live connection: handlers by protocol. Conformance §1 "Client (part 03)". */
import { type Clock, systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { type HandoffResult, HandoffResultSchema, isHandoffExpired } from './handoff.ts';

/** Of the client's connection; the session has states of its own. */
export type HandoffConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'disconnected' | 'failed';

export interface HandoffConnection {
  /** @throws when the connection is not up. */
  send(data: unknown): void;
  /** Twice is fine. */
  close(): void | Promise<void>;
  readonly state: HandoffConnectionState;
  readonly protocol: string;
  readonly endpoint: string;
}

export interface HandoffConnectionOptions {
  onConnect?(): void;
  onMessage?(data: unknown): void;
  /** Once for each connection that ends without `close()`. */
  onDisconnect?(code?: number, reason?: string): void;
  onError?(error: Error): void;
  onStateChange?(state: HandoffConnectionState): void;
  /** Aborted: stop connecting, or close. */
  signal?: AbortSignal;
}

/** Resolves when the connection is up and its token accepted; rejects otherwise. */
export type ProtocolHandler<C extends HandoffConnection = HandoffConnection> = (
  handoff: HandoffResult,
  options: HandoffConnectionOptions,
) => Promise<C>;

/** @typeParam C What the handlers make; a host with one protocol gets its own type back. */
export class ProtocolHandlers<C extends HandoffConnection = HandoffConnection> {
  readonly #handlers = new Map<string, ProtocolHandler<C>>();
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'> = systemClock) {
    this.#clock = clock;
  }

  /** The last one registered for a protocol counts. */
  register(protocol: string, handler: ProtocolHandler<C>): this {
    this.#handlers.set(protocol, handler);
    return this;
  }

  /** The protocols that can be connected: what an agent declares as `consume`. */
  get protocols(): string[] {
    return [...this.#handlers.keys()];
  }

  /**
   * Connects by the handler of the handoff's protocol.
   * @throws RelayError BAD_HANDOFF, TOKEN_EXPIRED, PROTOCOL_UNKNOWN, COMMAND_CANCELLED, or what the
   * handler throws.
   */
  async connect(handoff: HandoffResult, options: HandoffConnectionOptions = {}): Promise<C> {
    const parsed = HandoffResultSchema.safeParse(handoff);
    if (!parsed.success) {
      const path = parsed.error.issues[0]?.path.map(String).join('.');
      throw new RelayError('BAD_HANDOFF', `the handoff is malformed${path ? ` at ${path}` : ''}`);
    }
    const { protocol, metadata } = parsed.data;
    const handler = this.#handlers.get(protocol);
    if (!handler) {
      const known = this.protocols.join(', ') || 'none';
      throw new RelayError(
        'PROTOCOL_UNKNOWN',
        `no protocol handler registered for '${protocol}'; known: ${known}`,
      );
    }
    if (isHandoffExpired(parsed.data, this.#clock)) {
      throw new RelayError('TOKEN_EXPIRED', `the handoff expired at ${metadata?.expiresAt}`);
    }
    if (options.signal?.aborted) throw new RelayError('COMMAND_CANCELLED', 'cancelled before connecting');
    return handler(parsed.data, options);
  }
}

/** The handlers of this process, for those who want AFD's plain functions. */
export const protocolHandlers = new ProtocolHandlers();

/** AFD's `registerProtocolHandler`: for the whole process. */
export const registerProtocolHandler = (protocol: string, handler: ProtocolHandler): void =>
  void protocolHandlers.register(protocol, handler);

/** AFD's `connectHandoff`: by the handlers of the whole process. */
export const connectHandoff = (
  handoff: HandoffResult,
  options?: HandoffConnectionOptions,
): Promise<HandoffConnection> => protocolHandlers.connect(handoff, options);
