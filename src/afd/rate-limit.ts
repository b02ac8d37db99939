/** Middleware: so many calls in a window and key, then RATE_LIMITED. Checklist 26. */
import type { CommandContext } from './context.ts';
import type { Middleware } from './middleware.ts';
import { error } from './result.ts';

/** Keys remembered at once. Full: the key that was quiet longest is forgotten, so memory stays bounded. */
const MAX_KEYS = 10_000;

export interface RateLimit {
  /** Calls allowed within any span of `windowMs`, at least 1; refused ones do not count. */
  limit: number;
  windowMs: number;
  /** Whose budget a call uses up; undefined: not limited. */
  keyOf(name: string, input: unknown, ctx: CommandContext): string | undefined;
  maxKeys?: number;
}

/** A sliding window, exact: the times of the last `limit` calls of each key are kept. */
export function rateLimit({ limit, windowMs, keyOf, maxKeys = MAX_KEYS }: RateLimit): Middleware {
  /** Oldest call first; keys in order of their last call. */
  const calls = new Map<string, number[]>();
  return async (name, input, ctx, next) => {
    const key = keyOf(name, input, ctx);
    if (key === undefined) return next();
    const now = ctx.clock.monotonic();
    const recent = (calls.get(key) ?? []).filter((at) => now - at < windowMs);
    const [oldest] = recent;
    if (oldest !== undefined && recent.length >= limit) {
      const retryAfterSeconds = Math.ceil((oldest + windowMs - now) / 1000);
      return error('RATE_LIMITED', `more than ${limit} calls of ${name} within ${windowMs / 1000} s`, {
        suggestion: `wait ${retryAfterSeconds} s, then try again`,
        details: { retryAfterSeconds },
      });
    }
    calls.delete(key);
    calls.set(key, [...recent, now]);
    if (calls.size > maxKeys) calls.delete(calls.keys().next().value ?? key);
    return next();
  };
}
