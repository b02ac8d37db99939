/** All commands by name: finding them, and running one with everything that surrounds a call. Checklist 5–10. */
import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { type Clock, systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { type Log, silentLog } from '../base/log.ts';
import { type Command, type DeclaredCommand, isExposed } from './command.ts';
import { type CommandFilter, matches } from './command-filter.ts';
import type { CallOptions, CommandContext } from './context.ts';
import { compose, type Middleware } from './middleware.ts';
import { nearNames } from './near-name.ts';
import { type CommandResult, error, failureFrom, isSuccess } from './result.ts';
import { internalFailure, seal } from './seal.ts';
import { describeIssue, validateInput } from './validation.ts';

/** Characters of a caller's trace id or command name that we repeat. */
const MAX_ECHOED = 128;

export interface RegistryOptions {
  clock?: Clock;
  log?: Log;
  /** Outermost first; they run before the input is validated. */
  middleware?: readonly Middleware[];
  newTraceId?: () => string;
}

export class CommandRegistry {
  readonly #commands = new Map<string, Command>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #middleware: Middleware;
  readonly #newTraceId: () => string;

  constructor(options: RegistryOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#middleware = compose(options.middleware ?? []);
    this.#newTraceId = options.newTraceId ?? randomUUID;
  }

  /** @throws TypeError when the name is taken: a mistake of the programmer. */
  register(...commands: Command[]): this {
    for (const command of commands) {
      if (this.#commands.has(command.name)) throw new TypeError(`command registered twice: ${command.name}`);
      this.#commands.set(command.name, command);
    }
    return this;
  }

  /** By its name; `relay.connect` and `relay_connect` find `relay-connect` (checklist 1). */
  get(name: string): Command | undefined {
    return this.#commands.get(name.replace(/[._]/g, '-'));
  }

  /** In order of registration. */
  list(filter: CommandFilter = {}): Command[] {
    return [...this.#commands.values()].filter((command) => matches(command, filter));
  }

  /** A typed call of a registered command: the result's type follows from the command. */
  call<I extends z.ZodObject, O extends z.ZodType>(
    command: DeclaredCommand<I, O>,
    input: z.input<I>,
    options?: CallOptions,
  ): Promise<CommandResult<z.output<O>>> {
    // `#run` has put `data` through the output schema of the command of this name.
    return this.execute(command.name, input, options) as Promise<CommandResult<z.output<O>>>;
  }

  /**
   * Runs a command. Never rejects: every outcome is a complete CommandResult. A name that is not ours
   * is answered before any middleware.
   */
  async execute(name: string, input: unknown, options: CallOptions = {}): Promise<CommandResult> {
    const started = this.#clock.monotonic();
    const traceId = this.#traceId(options.traceId);
    const stamp = () => ({ traceId, executionTimeMs: this.#clock.monotonic() - started });
    const command = this.get(name);
    if (!command) return { ...this.#notFound(name, options), metadata: stamp() };
    const ctx: CommandContext = {
      traceId,
      signal: options.signal ?? new AbortController().signal,
      interface: options.interface ?? 'rpc',
      caller: options.caller ?? {},
      clock: this.#clock,
      facts: {},
    };
    const metadata = () => ({ ...stamp(), commandVersion: command.version });
    try {
      const result = await this.#middleware(command.name, input, ctx, (inner = ctx) =>
        this.#guarded(command, input, inner),
      );
      return seal(result, command, metadata());
    } catch (thrown) {
      return seal(this.#refusal(command, ctx, thrown), command, metadata());
    }
  }

  /** What middleware sees of the core: a result, also where the handler threw. */
  async #guarded(command: Command, input: unknown, ctx: CommandContext): Promise<CommandResult> {
    try {
      return seal(await this.#run(command, input, ctx), command, {});
    } catch (thrown) {
      return this.#refusal(command, ctx, thrown);
    }
  }

  async #run(command: Command, input: unknown, ctx: CommandContext): Promise<CommandResult> {
    if (!isExposed(command, ctx.interface)) {
      return error('COMMAND_NOT_EXPOSED', `${command.name} is not offered by ${ctx.interface}`);
    }
    if (ctx.signal.aborted) return error('COMMAND_CANCELLED', `${command.name} was cancelled at once`);
    const validated = validateInput(command.name, command.input, input);
    if (!validated.ok) return validated.failure;
    const result = await command.handler(validated.input, ctx);
    if (!isSuccess(result)) return result;
    const parsed = command.output.safeParse(result.data);
    if (parsed.success) return { ...result, data: parsed.data };
    this.#log.error('afd.output_invalid', {
      command: command.name,
      traceId: ctx.traceId,
      issues: parsed.error.issues.map((issue) => describeIssue(issue, result.data)),
    });
    return internalFailure();
  }

  #refusal(command: Command, ctx: CommandContext, thrown: unknown): CommandResult {
    if (thrown instanceof RelayError && thrown.code !== 'INTERNAL') return failureFrom(thrown);
    if (ctx.signal.aborted) return error('COMMAND_CANCELLED', `${command.name} was cancelled`);
    this.#log.error('afd.handler_threw', { command: command.name, traceId: ctx.traceId, error: thrown });
    return internalFailure();
  }

  #notFound(name: string, { interface: way = 'rpc' }: CallOptions): CommandResult {
    const offered = this.list({ interface: way }).map((command) => command.name);
    const near = nearNames(name.replace(/[._]/g, '-'), offered);
    return error('COMMAND_NOT_FOUND', `there is no command ${JSON.stringify(name.slice(0, MAX_ECHOED))}`, {
      ...(near.length > 0 ? { suggestion: `did you mean ${near.join(' or ')}?` } : {}),
      details: { nearNames: near },
    });
  }

  /** The caller's own, as far as it is printable: it stands in logs and answers. */
  #traceId(supplied: string | undefined): string {
    return supplied?.replace(/[^\x21-\x7e]/g, '').slice(0, MAX_ECHOED) || this.#newTraceId();
  }
}
