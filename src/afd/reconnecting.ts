/**
 * A connection that comes back by itself: after a loss it calls the reconnect command and connects with
 * the new handoff. Unlike AFD's own, it goes on to the next attempt when one fails and says so when the
 * last one has. Conformance §1 "Client (part 03)", "Defect".
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { type Log, silentLog } from '../base/log.ts';
import { type HandoffResult, HandoffResultSchema } from './handoff.ts';
import { errorFrom, parseResult, unwrap } from './parse-result.ts';
import {
  type HandoffConnection,
  type HandoffConnectionState,
  type ProtocolHandlers,
  protocolHandlers,
} from './protocol-handlers.ts';
import { reconnectPolicy } from './reconnect-policy.ts';
import type { CommandClient, ReconnectingOptions } from './reconnecting-options.ts';
import { unlessAborted } from './unless-aborted.ts';

/** For command and connection together: one that never answers is a failed attempt, too. */
const ATTEMPT_TIMEOUT_MS = 30_000;
/** AFD's close code for a session taken over: coming back would take it away from the other again. */
const TAKEN_OVER = 4004;

/**
 * Connects, and stays connected until `close()`, an abort of `signal` or the last failed attempt.
 * @throws RelayError what the first connection throws; nothing goes on behind it then.
 */
export async function createReconnectingHandoff(
  client: CommandClient,
  handoff: HandoffResult,
  options: ReconnectingOptions = {},
): Promise<ReconnectingHandoff> {
  const connection = new ReconnectingHandoff(client, handoff, options);
  await connection.open();
  return connection;
}

/** One connection of a handler, as long as it is ours. */
interface Link {
  state: 'opening' | 'open' | 'lost';
}

/** An answer that further attempts would not change. */
class GiveUp extends Error {
  readonly reason: RelayError;

  constructor(reason: RelayError) {
    super(reason.message);
    this.reason = reason;
  }
}

export class ReconnectingHandoff implements HandoffConnection {
  readonly #client: CommandClient;
  readonly #options: ReconnectingOptions;
  readonly #handlers: ProtocolHandlers;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #closing = new AbortController();
  #state: HandoffConnectionState = 'connecting';
  #handoff: HandoffResult;
  #connection: HandoffConnection | undefined;

  constructor(client: CommandClient, handoff: HandoffResult, options: ReconnectingOptions) {
    this.#client = client;
    this.#handoff = handoff;
    this.#options = options;
    this.#handlers = options.handlers ?? protocolHandlers;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
  }

  get state(): HandoffConnectionState {
    return this.#state;
  }

  get protocol(): string {
    return this.#handoff.protocol;
  }

  get endpoint(): string {
    return this.#handoff.endpoint;
  }

  /** The first connection; called by `createReconnectingHandoff`. */
  async open(): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) this.#closing.abort(cancelled());
    signal?.addEventListener('abort', () => void this.close(), { once: true, signal: this.#closing.signal });
    try {
      await this.#attempt(async () => this.#handoff);
    } catch (thrown) {
      this.#become(this.#closing.signal.aborted ? 'disconnected' : 'failed');
      this.#closing.abort(cancelled());
      throw thrown;
    }
  }

  /** @throws RelayError CONNECTION_LOST while there is no connection: nothing is kept back. */
  send(data: unknown): void {
    if (this.#state !== 'connected' || !this.#connection) {
      throw new RelayError('CONNECTION_LOST', `cannot send while ${this.#state}`);
    }
    this.#connection.send(data);
  }

  /** Ends the connection and any attempt under way. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#become('disconnected');
    this.#closing.abort(cancelled());
    await this.#connection?.close();
  }

  /** Gets a handoff and connects with it, within the time for one attempt. */
  async #attempt(handoffOf: (signal: AbortSignal) => Promise<HandoffResult>): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const late = new AbortController();
    const timer = this.#clock.after(ATTEMPT_TIMEOUT_MS, () =>
      late.abort(new RelayError('TIMEOUT', `no connection within ${ATTEMPT_TIMEOUT_MS} ms`)),
    );
    const signal = AbortSignal.any([this.#closing.signal, late.signal]);
    try {
      this.#handoff = await unlessAborted(signal, handoffOf(signal));
      await this.#connect(signal);
    } finally {
      timer.cancel();
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const link: Link = { state: 'opening' };
    const { onMessage, onError } = this.#options;
    const pending = this.#handlers.connect(this.#handoff, {
      signal,
      onMessage: (data) => this.#tell(() => onMessage?.(data)),
      onError: (error) => this.#tell(() => onError?.(error)),
      onDisconnect: (code, reason) => this.#lost(link, code, reason),
    });
    let connection: HandoffConnection;
    try {
      connection = await unlessAborted(signal, pending);
    } catch (thrown) {
      // It may still come up after we stopped waiting: then nobody would close it.
      pending.then((stray) => stray.close()).catch(() => {});
      throw thrown;
    }
    if (link.state === 'lost') throw new RelayError('CONNECTION_LOST', 'the connection was lost at once');
    link.state = 'open';
    this.#connection = connection;
    this.#become('connected');
    this.#tell(() => this.#options.onConnect?.());
  }

  #lost(link: Link, code: number | undefined, reason: string | undefined): void {
    const before = link.state;
    link.state = 'lost';
    // While opening, the attempt itself reports it.
    if (before !== 'open' || this.#closing.signal.aborted) return;
    this.#connection = undefined;
    this.#tell(() => this.#options.onDisconnect?.(code, reason));
    if (this.#closing.signal.aborted) return;
    if (code === TAKEN_OVER) {
      this.#fail(new RelayError('SESSION_TAKEN_OVER', 'another connection took this session over'));
    } else {
      this.#become('reconnecting');
      void this.#reconnect();
    }
  }

  #fail(error: RelayError): void {
    this.#become('failed');
    this.#closing.abort(cancelled());
    this.#tell(() => this.#options.onReconnectFailed?.(error));
  }

  /** Never rejects: it ends connected, closed, or failed with `onReconnectFailed`. */
  async #reconnect(): Promise<void> {
    const { attempts, waitMs } = reconnectPolicy(this.#handoff, this.#options);
    let last = new RelayError('MAX_RECONNECTS', 'the handoff allows no reconnect');
    for (let attempt = 1; attempt <= attempts; attempt++) {
      await this.#wait(waitMs(attempt));
      if (this.#closing.signal.aborted) return;
      this.#tell(() => this.#options.onReconnect?.(attempt));
      try {
        await this.#attempt((signal) => this.#renew(signal));
        return;
      } catch (thrown) {
        if (this.#closing.signal.aborted) return;
        last = RelayError.from(thrown instanceof GiveUp ? thrown.reason : thrown);
        this.#tell(() => this.#options.onError?.(last));
        if (thrown instanceof GiveUp) break;
      }
    }
    this.#fail(last);
  }

  /** A new handoff for the same session: exactly `{...reconnectArgs, sessionId}`. */
  async #renew(signal: AbortSignal): Promise<HandoffResult> {
    const { reconnectCommand, reconnectArgs } = this.#options;
    if (reconnectCommand === undefined) return this.#handoff;
    const sessionId = this.#options.sessionId ?? this.#handoff.credentials?.sessionId;
    const answer = await this.#client.call(reconnectCommand, { ...reconnectArgs, sessionId }, { signal });
    const result = parseResult(HandoffResultSchema, answer);
    if (!result.success && !result.error.retryable) throw new GiveUp(errorFrom(result));
    return unwrap(result);
  }

  /** Ends early when the connection is closed. */
  async #wait(ms: number): Promise<void> {
    const signal = this.#closing.signal;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      const stop = () => {
        timer.cancel();
        resolve();
      };
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  #become(state: HandoffConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#log.debug('afd.handoff_state', { protocol: this.protocol, state });
    this.#tell(() => this.#options.onStateChange?.(state));
  }

  /** A callback that throws harms neither the connection nor the process. */
  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#log.error('afd.callback_threw', { error });
    }
  }
}

const cancelled = (): RelayError => new RelayError('COMMAND_CANCELLED', 'the connection was closed');
