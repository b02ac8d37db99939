/** Definition of a command: AFD's `defineCommand`, in zod 4. Conformance §2, checklist 1–4. */
import * as z from 'zod';
import type { CommandContext, CommandInterface } from './context.ts';
import type { CommandResult } from './result.ts';

/** kebab-case `domain-action`. AFD only warns of another name, we refuse it. */
export const COMMAND_NAME = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)+$/;

/** A command without its handler: all that a client needs for a typed call. */
export interface CommandSpec<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> {
  /** kebab-case `domain-action`. */
  name: string;
  /** Begins with a verb; the only thing that a model sees besides name and schema. */
  description: string;
  category: string;
  /** Keys it does not know are accepted and dropped. */
  input: I;
  output: O;
  tags?: readonly string[];
  /** It changes something. Default false. */
  mutation?: boolean;
  /** It answers a HandoffResult. Adds the tag `handoff`. */
  handoff?: boolean;
  /** Adds the tag `handoff:<protocol>`, before all other tags of that kind. */
  handoffProtocol?: string;
  /** Codes it may fail with, besides those of every command. */
  errors?: readonly string[];
  examples?: readonly CommandExample<z.input<I>>[];
  /** What it changes cannot be changed back. Default false. */
  destructive?: boolean;
  executionTime?: 'instant' | 'fast' | 'slow' | 'long-running';
  /** Default `1.0.0`. */
  version?: string;
  /**
   * On which ways in it is offered. What is not named is offered, except `mcp`, which AFD switches
   * off by default, too. (AFD's `cli: false` by default would hide every command from `call`.)
   */
  expose?: Readonly<Partial<Record<CommandInterface, boolean>>>;
}

export interface CommandExample<Input = unknown> {
  title: string;
  input: Input;
}

/** A spec with all defaults filled in. */
export type DeclaredCommand<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodType = z.ZodType,
> = CommandSpec<I, O> &
  Required<Pick<CommandSpec<I, O>, 'tags' | 'mutation' | 'handoff' | 'errors' | 'examples'>> &
  Required<Pick<CommandSpec<I, O>, 'destructive' | 'version' | 'expose'>>;

/** A method on purpose: a command of any schemas is then a `Command`. */
interface Handler<I extends z.ZodObject, O extends z.ZodType> {
  handler(
    input: z.output<I>,
    ctx: CommandContext,
  ): CommandResult<z.input<O>> | Promise<CommandResult<z.input<O>>>;
}

export type Command<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> = DeclaredCommand<
  I,
  O
> &
  Handler<I, O>;

/**
 * A spec checked and completed, for those who call a command but do not serve it.
 * @throws TypeError for a bad name, an empty description or category: a mistake of the programmer.
 */
export function declareCommand<I extends z.ZodObject, O extends z.ZodType>(
  spec: CommandSpec<I, O>,
): DeclaredCommand<I, O> {
  if (!COMMAND_NAME.test(spec.name)) throw new TypeError(`bad command name: ${JSON.stringify(spec.name)}`);
  if (!spec.description.trim()) throw new TypeError(`${spec.name}: a command needs a description`);
  if (!spec.category.trim()) throw new TypeError(`${spec.name}: a command needs a category`);
  if (spec.handoffProtocol !== undefined && !spec.handoff) {
    throw new TypeError(`${spec.name}: handoffProtocol without handoff: true`);
  }
  return {
    mutation: false,
    handoff: false,
    errors: [],
    examples: [],
    destructive: false,
    version: '1.0.0',
    expose: {},
    ...spec,
    tags: withHandoffTags(spec),
  };
}

/** A command ready to be registered. The types of `input` and of the result follow from the schemas. */
export function defineCommand<I extends z.ZodObject, O extends z.ZodType>(
  definition: CommandSpec<I, O> & Handler<I, O>,
): Command<I, O> {
  return { ...declareCommand(definition), handler: definition.handler };
}

type Tagged = Pick<CommandSpec, 'handoff' | 'handoffProtocol' | 'tags'>;

/** True for a command that answers a HandoffResult. */
export const isHandoffCommand = (command: Tagged): boolean =>
  command.handoff === true || command.tags?.includes('handoff') === true;

/** The protocol a handoff command hands off to: as declared, else that of its first `handoff:…` tag. */
export function getHandoffProtocol(command: Tagged): string | undefined {
  if (!isHandoffCommand(command)) return undefined;
  return command.handoffProtocol ?? command.tags?.find((tag) => tag.startsWith('handoff:'))?.slice(8);
}

/** Whether calls that come by `way` may use the command. */
export const isExposed = (command: Pick<CommandSpec, 'expose'>, way: CommandInterface): boolean =>
  command.expose?.[way] ?? way !== 'mcp';

/** The input schema as JSON Schema: what a caller may send. */
export const inputJsonSchema = (command: Pick<CommandSpec, 'input'>): Record<string, unknown> =>
  z.toJSONSchema(command.input, { io: 'input' });

/** The output schema as JSON Schema: what `data` looks like. */
export const outputJsonSchema = (command: Pick<CommandSpec, 'output'>): Record<string, unknown> =>
  z.toJSONSchema(command.output, { io: 'output' });

/**
 * `domain, handoff, handoff:<protocol>, handoff:resumable`: AFD's clients take the first `handoff:…`
 * tag for the protocol.
 */
function withHandoffTags({ tags = [], handoff, handoffProtocol }: Tagged): readonly string[] {
  if (!handoff) return tags;
  const own = handoffProtocol === undefined ? [] : [`handoff:${handoffProtocol}`];
  const rest = tags.filter((tag) => tag !== 'handoff' && !own.includes(tag));
  const plain = rest.filter((tag) => !tag.startsWith('handoff:'));
  const qualified = rest.filter((tag) => tag.startsWith('handoff:'));
  return [...plain, 'handoff', ...own, ...qualified];
}
