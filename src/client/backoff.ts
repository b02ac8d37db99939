/** How long to wait before the next attempt. docs/protocol.md §10 (spec §10, P21). */

const INITIAL_MS = 100;
const FACTOR = 2;
const MAX_MS = 30_000;
const JITTER = 0.15;

/** Attempts of §10; after them we say so and go on at the longest wait while the agent lives (P21). */
export const MAX_ATTEMPTS = 10;

/** Milliseconds before attempt `attempt` (1 is the first after a failure). `random` is in [0, 1). */
export function backoffMs(attempt: number, random: () => number): number {
  const base = attempt > MAX_ATTEMPTS ? MAX_MS : Math.min(MAX_MS, INITIAL_MS * FACTOR ** (attempt - 1));
  return base * (1 - JITTER + 2 * JITTER * random());
}
