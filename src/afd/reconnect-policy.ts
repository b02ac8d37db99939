/**
 * How often a lost connection is tried again, and how long we wait before each attempt: as the caller says,
 * else as the handoff does. Conformance §1 "Client (part 03)".
 */
import type { HandoffResult } from './handoff.ts';
import type { ReconnectingOptions } from './reconnecting-options.ts';

const MAX_ATTEMPTS = 5;
const BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 30_000;

export interface ReconnectPolicy {
  /** Attempts for one loss; 0 if the handoff allows none. */
  readonly attempts: number;
  /**
   * Milliseconds before attempt `attempt`, counted from 1. Exponential; the upper half is random, so that the
   * clients of one server do not come all at once.
   */
  waitMs(attempt: number): number;
}

/** The policy for the loss of a connection that this handoff made. */
export function reconnectPolicy({ metadata }: HandoffResult, options: ReconnectingOptions): ReconnectPolicy {
  const policy = metadata?.reconnect;
  const firstMs = options.backoffMs ?? policy?.backoffMs ?? BACKOFF_MS;
  return {
    attempts: policy?.allowed === false ? 0 : (options.maxAttempts ?? policy?.maxAttempts ?? MAX_ATTEMPTS),
    waitMs: (attempt) => {
      const ms = Math.min(firstMs * 2 ** (attempt - 1), options.maxBackoffMs ?? MAX_BACKOFF_MS);
      const random = (options.random ?? Math.random)();
      return Math.max(0, ms * (0.5 + random / 2)) || 0;
    },
  };
}
