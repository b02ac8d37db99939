/** Middleware in the form of an onion: each layer may answer, or ask the next one. Conformance §2. */
import type { CommandContext } from './context.ts';
import type { CommandResult } from './result.ts';

/** @param next Asks the inner layers, with another context where one is given. */
export type Middleware = (
  name: string,
  input: unknown,
  ctx: CommandContext,
  next: (ctx?: CommandContext) => Promise<CommandResult>,
) => Promise<CommandResult>;

/** One middleware made of several, the first outermost. */
export function compose(layers: readonly Middleware[]): Middleware {
  return (name, input, ctx, core) => {
    // Async, so that a layer that throws at once rejects like one that throws later.
    const run = async (index: number, current: CommandContext): Promise<CommandResult> => {
      const layer = layers[index];
      if (!layer) return core(current);
      return layer(name, input, current, (inner = current) => run(index + 1, inner));
    };
    return run(0, ctx);
  };
}
