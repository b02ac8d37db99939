/** What a reconnecting handoff is given: callbacks and policy. Conformance §1 "Client (part 03)". */
import type { Clock } from '../base/clock.ts';
import type { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { HandoffConnectionOptions, ProtocolHandlers } from './protocol-handlers.ts';

/** Whoever runs commands for us; the answer is checked. */
export interface CommandClient {
  call(name: string, args: Record<string, unknown>, options?: { signal?: AbortSignal }): Promise<unknown>;
}

export interface ReconnectingOptions extends HandoffConnectionOptions {
  /** Without it the same handoff is connected again, as long as its token is good. */
  reconnectCommand?: string;
  reconnectArgs?: Record<string, unknown>;
  /** Default: that of the handoff's credentials. */
  sessionId?: string;
  /** Attempts for each loss. Default: what the handoff allows, else 5. */
  maxAttempts?: number;
  /** Before the first attempt; doubles with each. Default: what the handoff says, else 1,000. */
  backoffMs?: number;
  maxBackoffMs?: number;
  /** At the beginning of each attempt, counted from 1. */
  onReconnect?(attempt: number): void;
  /** No attempt is left, or none would help. */
  onReconnectFailed?(error: RelayError): void;
  handlers?: ProtocolHandlers;
  clock?: Clock;
  random?: () => number;
  log?: Log;
}
