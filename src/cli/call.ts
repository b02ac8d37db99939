/**
 * `agent-wrap call <command> [json | key=value …]`: one AFD command at the running daemon, its
 * CommandResult on stdout. Checklist 11. It never hosts a daemon: what it started would end with it.
 */
import { Command, Option } from 'commander';
import { type CommandResult, failureFrom } from '../afd/result.ts';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { attach } from '../wrap/attach.ts';

interface Options {
  namespace: string;
  socket?: string;
  format: 'json' | 'text';
}

export function command(): Command {
  return new Command('call')
    .description('Call a command of the relay; prints one CommandResult.')
    .argument('<command>', 'relay-connect, relay-send, relay-poll, … (see: agent-wrap call relay-help)')
    .argument('[input...]', 'one JSON object, or key=value pairs')
    .option('--namespace <name>', 'the relay to ask', process.env.AGENT_RELAY_NAMESPACE ?? 'default')
    .option('--socket <path>', 'the socket of a daemon elsewhere')
    .addOption(new Option('--format <format>', 'what to print').choices(['json', 'text']).default('json'))
    .addHelpText(
      'after',
      '\nExamples:\n  agent-wrap call relay-connect \'{"agent":"codex-1"}\'\n' +
        '  agent-wrap call relay-send to=codex-1 body="Your turn"\n  agent-wrap call relay-poll limit=10 --format text',
    )
    .action(run);
}

async function run(name: string, words: string[], { namespace, socket, format }: Options): Promise<void> {
  const result = await ask(name, words, namespace, socket).catch((error: unknown) =>
    failureFrom(RelayError.from(error)),
  );
  process.stdout.write(format === 'json' ? `${JSON.stringify(result)}\n` : render(result));
  process.exitCode = result.success ? 0 : 1;
}

async function ask(
  name: string,
  words: readonly string[],
  namespace: string,
  socketPath: string | undefined,
): Promise<CommandResult> {
  const input = parseInput(words);
  const { env } = process;
  // P10: inside an agent a call is the agent's, never the person's.
  const token = env.AGENT_RELAY_TOKEN;
  if (env.AGENT_RELAY_NAME !== undefined && token === undefined) {
    throw new RelayError('TOKEN_REQUIRED', `AGENT_RELAY_NAME is set, AGENT_RELAY_TOKEN is not`);
  }
  const attachment = await attach({
    namespace,
    socketPath,
    env,
    mayLead: false,
    clock: systemClock,
    log: silentLog,
  });
  return (await attachment.call(name, input, token === undefined ? {} : { token })) as CommandResult;
}

/** `{"a":1}`, or `a=1 b=text`: values are JSON where they can be read as such. */
export function parseInput(words: readonly string[]): Record<string, unknown> {
  const [first] = words;
  if (first === undefined) return {};
  if (first.startsWith('{')) return parseObject(words);
  const input: Record<string, unknown> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1) throw new RelayError('USAGE', `not key=value: ${JSON.stringify(word)}`);
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
  if (result.success) return `${result.reasoning ?? 'done'}\n${JSON.stringify(result.data, null, 2)}\n`;
  const { code, message, suggestion } = result.error;
  return `${message} [${code}]\n  ${suggestion}\n`;
}
