/** Middleware: so many calls in a window and key, then RATE_LIMITED. Checklist 26. */
import type { CommandContext } from './context.ts';
import type { Middleware } from './middleware.ts';
import { type CommandResult, error } from './result.ts';

/** Keys remembered at once. Full: the key that was quiet longest is forgotten, so memory stays bounded. */
const MAX_KEYS = 10_000;

export interface RateLimit {
  /** Calls allowed within any span of `windowMs`, at least 1; refused ones do not count. */
  limit: number;
  windowMs: number;
  /** Whose budget a call uses up; undefined: not limited. */
  keyOf(name: string, input: unknown, ctx: CommandContext): string | undefined;
  /** Whether a call that ended so uses up budget. Default: every one does. While it runs it counts in any case. */
  counts?(name: string, result: CommandResult): boolean;
  maxKeys?: number;
}

/** A sliding window, exact: the times of the last `limit` calls of each key are kept. */
export function rateLimit({
  limit,
  windowMs,
  keyOf,
  counts = () => true,
  maxKeys = MAX_KEYS,
}: RateLimit): Middleware {
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
    const result = await next();
    if (!counts(name, result)) giveBack(calls, key, now);
    return result;
  };
}

/** Takes the call that began `at` out of the key's budget. */
function giveBack(calls: Map<string, number[]>, key: string, at: number): void {
  const times = calls.get(key) ?? [];
  const place = times.indexOf(at);
  if (place >= 0) times.splice(place, 1);
  if (times.length === 0) calls.delete(key);
}
