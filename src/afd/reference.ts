/** Commands described for others: as data (help, MCP) and as Markdown (docs/commands.md is generated from it). */
import { ERRORS, isErrorCode } from '../base/errors.ts';
import { type DeclaredCommand, inputJsonSchema, outputJsonSchema } from './command.ts';

export interface CommandDescription {
  name: string;
  description: string;
  category: string;
  tags: readonly string[];
  version: string;
  mutation: boolean;
  destructive: boolean;
  handoff: boolean;
  handoffProtocol?: string;
  errors: readonly string[];
  examples: readonly { title: string; input: unknown }[];
  inputSchema: Record<string, unknown>;
  outputSchema: Record<string, unknown>;
}

/** All that may be told of a command, as JSON. */
export function describeCommand(command: DeclaredCommand): CommandDescription {
  const { name, description, category, tags, version, mutation, destructive, handoff, errors, examples } =
    command;
  return {
    name,
    description,
    category,
    tags,
    version,
    mutation,
    destructive,
    handoff,
    ...(command.handoffProtocol === undefined ? {} : { handoffProtocol: command.handoffProtocol }),
    errors,
    examples,
    inputSchema: inputJsonSchema(command),
    outputSchema: outputJsonSchema(command),
  };
}

/**
 * An overview and one section a command; the same commands give the same text.
 * @param caller What a person types before name and JSON, for the examples.
 */
export function renderReference(commands: readonly DeclaredCommand[], caller: string): string {
  const overview = table(
    ['command', 'what it does', 'tags'],
    commands.map(({ name, description, tags }) => [`[\`${name}\`](#${name})`, description, code(tags)]),
  );
  return `${[overview, ...commands.map((command) => section(command, caller))].join('\n\n')}\n`;
}

function section(command: DeclaredCommand, caller: string): string {
  const { name, description, inputSchema, outputSchema, errors, examples, ...facts } =
    describeCommand(command);
  const tags = facts.tags.length > 0 ? ` Tags: ${code(facts.tags)}.` : '';
  const parts = [`## ${name}`, description, `${kindOf(facts)}${tags}`];
  parts.push('Input:', fields(inputSchema), 'Data of a success:', fields(outputSchema));
  if (errors.length > 0) parts.push('Errors, besides those of every command:', errorTable(errors));
  for (const { title, input } of examples) {
    // One quote inside single quotes, as a shell wants it.
    const json = JSON.stringify(input).replaceAll("'", "'\\''");
    parts.push(`${title}:`, `\`\`\`sh\n${caller} ${name} '${json}'\n\`\`\``);
  }
  return parts.join('\n\n');
}

function kindOf({ version, mutation, destructive, handoff, handoffProtocol }: Partial<CommandDescription>) {
  const change = mutation ? (destructive ? 'changes for good' : 'changes something') : 'changes nothing';
  const hands = handoff ? ` It hands off to \`${handoffProtocol}\`.` : '';
  return `Version ${version}; it ${change}.${hands}`;
}

function errorTable(errors: readonly string[]): string {
  const rows = errors.map((name) => {
    const known = isErrorCode(name) ? ERRORS[name] : undefined;
    return [`\`${name}\``, known?.meaning ?? '', known?.suggestion ?? ''];
  });
  return table(['code', 'meaning', 'way out'], rows);
}

/** The parts of JSON Schema that z.toJSONSchema makes and we print. */
interface JsonSchema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  description?: string;
}

function fields(schema: JsonSchema): string {
  const rows = rowsOf(schema, '');
  return rows.length === 0 ? 'none.' : table(['field', 'type', 'required', 'meaning'], rows);
}

/** A row for each field, those of nested objects and lists too: `credentials.token`, `messages[].id`. */
function rowsOf(schema: JsonSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const name = `${prefix}${key}`;
    const required = schema.required?.includes(key) ? 'yes' : 'no';
    const row = [`\`${name}\``, typeName(field), required, meaning(field)];
    return [row, ...rowsOf(field, `${name}.`), ...rowsOf(field.items ?? {}, `${name}[].`)];
  });
}

function typeName(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(typeName).join(' or ');
  if (schema.type === 'array') return `list of ${typeName(schema.items ?? {})}`;
  return `${[schema.type ?? 'any'].flat().join(' or ')}${range(schema)}`;
}

function range({ minimum, maximum }: JsonSchema): string {
  // zod names the limits of safe integers; nobody wants to read them.
  const low = minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? '' : `${minimum}`;
  const high = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : `${maximum}`;
  return low || high ? ` ${low}…${high}` : '';
}

function meaning({ description = '', default: fallback }: JsonSchema): string {
  if (fallback === undefined) return description;
  return [description, `default ${JSON.stringify(fallback)}`].filter(Boolean).join('; ');
}

const code = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
