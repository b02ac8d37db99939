/** Hooks of whoever uses the passthrough: what they throw or hold up must not hurt the agent or the person. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { within } from '../base/within.ts';

/** Milliseconds that a hook may hold up output or a suspend: a bug there must not stop the agent. */
export const HOOK_MS = 1000;
/** Milliseconds that a goodbye may delay the exit: what the agent said last leaves in that time. */
const EXIT_HOOK_MS = 2000;

export class HookGuard {
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Runs a hook; whatever it throws is logged. */
  run<T>(hook: string, fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      this.#log.error('hook.failed', { hook, error });
      return undefined;
    }
  }

  /** Runs a hook and waits for its promise, but not for long. */
  async bounded(hook: string, fn: () => void | Promise<void>): Promise<void> {
    const running = Promise.resolve(this.run(hook, fn)).catch((error: unknown) => {
      this.#log.error('hook.failed', { hook, error });
    });
    const ms = hook === 'onExit' ? EXIT_HOOK_MS : HOOK_MS;
    if (!(await within(this.#clock, ms, running))) this.#log.warn('hook.slow', { hook, ms });
  }
}
