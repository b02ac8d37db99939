/**
 * `agent-wrap call <command> [json | key=value …]`: one AFD command at the running daemon. In JSON mode
 * stdout is exactly one CommandResult, whatever happens; the exit code is 0 with success. Checklist 11.
 */
import { Command, Option } from 'commander';
import * as z from 'zod';
import { parseResult } from '../afd/parse-result.ts';
import { type CommandResult, failureFrom } from '../afd/result.ts';
import { RelayError } from '../base/errors.ts';
import { sanitize } from '../base/sanitize.ts';
import { renderJson, renderJsonLine } from './json.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { askRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

const EXAMPLES = `
Examples:
  agent-wrap call relay-connect '{"agent":"codex-1"}'
  agent-wrap call relay-send to=codex-1 body='Your turn'
  agent-wrap call relay-poll limit=10 --format text

A value is JSON where it can be read as such, else text: to=7 is a number, to='"7"' a string.
The commands: agent-wrap commands`;

interface CallOptions extends PlaceOptions {
  format: 'json' | 'text';
}

export function command(): Command {
  const call = throwUsage(new Command('call'))
    .description('calls a command of the relay and prints its CommandResult')
    .argument('<command>', 'its name, as listed by: agent-wrap commands')
    .argument('[input...]', 'one JSON object, or key=value pairs')
    .addOption(new Option('--format <format>', 'what to print').choices(['json', 'text']).default('json'))
    .addHelpText('after', EXAMPLES);
  for (const option of placeOptions()) call.addOption(option);
  return call.action(async (name: string, words: string[], options: CallOptions) => {
    const result = await ask(name, words, options).catch((thrown: unknown) =>
      failureFrom(RelayError.from(thrown)),
    );
    process.stdout.write(options.format === 'json' ? renderJsonLine(result) : render(result));
    process.exitCode = result.success ? 0 : 1;
  });
}

/** What may stand in place of `<command>`, for completions. */
export async function words(): Promise<{ word: string; description: string }[]> {
  const { declaredCommands } = await import('../daemon/commands/relay-commands.ts');
  return declaredCommands().map(({ name, description }) => ({ word: name, description }));
}

async function ask(name: string, words: readonly string[], options: CallOptions): Promise<CommandResult> {
  const answer = await askRelay(placeOf(options, process.env), name, parseInput(words));
  return parseResult(z.unknown(), answer);
}

/** `{"a":1}`, or `a=1 b=text`: values are JSON where they can be read as such. Throws USAGE. */
export function parseInput(words: readonly string[]): Record<string, unknown> {
  const [first] = words;
  if (first === undefined) return {};
  if (first.trimStart().startsWith('{')) return parseObject(words);
  const input: Record<string, unknown> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1) throw new RelayError('USAGE', `not key=value: ${JSON.stringify(word)}`);
    // A plain assignment to `__proto__` would set no field.
    Object.defineProperty(input, word.slice(0, at), {
      value: parseValue(word.slice(at + 1)),
      enumerable: true,
      configurable: true,
    });
  }
  return input;
}

function parseObject(words: readonly string[]): Record<string, unknown> {
  if (words.length > 1) throw new RelayError('USAGE', 'after one JSON object nothing else may come');
  try {
    return JSON.parse(words[0] as string);
  } catch (cause) {
    throw new RelayError('USAGE', 'the input is not a JSON object', { cause });
  }
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function render(result: CommandResult): string {
  if (result.success)
    return `${sanitize(result.reasoning ?? 'done')}\n${renderJson(result.data ?? null, 2)}\n`;
  const { code, message, suggestion } = result.error;
  return sanitize(`${message} [${code}]\n  ${suggestion}\n`);
}
