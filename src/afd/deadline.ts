/** Middleware: a call that takes too long is answered TIMEOUT and its handler told to stop. */
import type { CommandContext } from './context.ts';
import type { Middleware } from './middleware.ts';
import { type CommandResult, error } from './result.ts';

/** @param msOf Milliseconds this call may take; undefined: as long as it likes. */
export function deadline(
  msOf: (name: string, input: unknown, ctx: CommandContext) => number | undefined,
): Middleware {
  return (name, input, ctx, next) => {
    const ms = msOf(name, input, ctx);
    if (ms === undefined) return next();
    const late = new AbortController();
    const signal = AbortSignal.any([ctx.signal, late.signal]);
    return new Promise<CommandResult>((resolve, reject) => {
      const timer = ctx.clock.after(ms, () => {
        late.abort();
        resolve(error('TIMEOUT', `${name} took more than ${ms} ms`));
      });
      next({ ...ctx, signal })
        .finally(() => timer.cancel())
        .then(resolve, reject);
    });
  };
}
