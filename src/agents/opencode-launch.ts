/**
 * How this start of opencode can be given a server of our own: a loopback port and a password for this run,
 * unless the person arranged for a server themselves. Seen in 1.18.33. real-agents.md §5.
 */
import { hasOption, optionsOf, optionValue } from './arguments.ts';
import { parseRecord } from './json-record.ts';

/** Words that begin another kind of run: without its own terminal interface, or attached to a server elsewhere. */
const SUBCOMMANDS = new Set([
  ...['completion', 'acp', 'mcp', 'attach', 'run', 'debug', 'providers', 'auth', 'agent', 'upgrade'],
  ...['uninstall', 'serve', 'web', 'models', 'stats', 'export', 'import', 'github', 'pr', 'session'],
  ...['plugin', 'plug', 'db'],
]);

/** Options after which nothing starts. */
const INFORMATION = ['-h', '--help', '-v', '--version'];

const NETWORK = ['--port', '--hostname', '--mdns', '--mdns-domain', '--cors'];

const TAKE_VALUE = new Set([
  ...['--port', '--hostname', '--mdns-domain', '--cors', '--log-level', '-m', '--model', '-s', '--session'],
  ...['--prompt', '--agent', '--replay-limit'],
]);

export interface ServerPlan {
  /** Before the person's own arguments. */
  args: string[];
  /** Added to the environment. */
  env: Record<string, string>;
  port: number;
  user: string;
  password: string;
}

/** Is this the terminal interface, with a conversation in it? */
export function isConversation(args: readonly string[]): boolean {
  const own = optionsOf(args);
  if (hasOption(args, ...INFORMATION)) return false;
  const first = own.find((arg, i) => !arg.startsWith('-') && !TAKE_VALUE.has(own[i - 1] ?? ''));
  return first === undefined || !SUBCOMMANDS.has(first);
}

/** The server to use, or why there is none. `port` is free, `password` is this run's. */
export function planServer(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  port: number | undefined,
  password: string,
): ServerPlan | string {
  const user = env.OPENCODE_SERVER_USERNAME || 'opencode';
  const theirs = env.OPENCODE_SERVER_PASSWORD || undefined;
  if (hasOption(args, '--mini')) return 'opencode --mini has no server';
  if (!hasOption(args, ...NETWORK)) {
    if (port === undefined) return 'no free port for its server';
    return {
      args: ['--port', String(port), '--hostname', '127.0.0.1'],
      env: theirs === undefined ? { OPENCODE_SERVER_PASSWORD: password } : {},
      port,
      user,
      password: theirs ?? password,
    };
  }
  // Their server is for their clients: a password of ours would lock those out.
  if (theirs === undefined) return 'its server has no password: set OPENCODE_SERVER_PASSWORD';
  const number = Number(optionValue(args, '--port'));
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    return 'the port of its server is not known';
  if (!['127.0.0.1', 'localhost', '0.0.0.0', undefined].includes(optionValue(args, '--hostname'))) {
    return 'its server does not listen on 127.0.0.1';
  }
  return { args: [], env: {}, port: number, user, password: theirs };
}

/**
 * The environment that adds `file` to the instructions of this run: opencode merges OPENCODE_CONFIG_CONTENT
 * into the person's configuration and joins the lists of instructions. Undefined if theirs cannot be read.
 */
export function withInstructions(
  env: Readonly<Record<string, string>>,
  file: string,
): Record<string, string> | undefined {
  // JSON with comments, which opencode reads and we do not, is undefined here.
  const theirs = parseRecord(env.OPENCODE_CONFIG_CONTENT || '{}');
  if (theirs === undefined) return undefined;
  const instructions = Array.isArray(theirs.instructions) ? theirs.instructions : [];
  const config = { ...theirs, instructions: [...instructions, file] };
  return { OPENCODE_CONFIG_CONTENT: JSON.stringify(config) };
}
