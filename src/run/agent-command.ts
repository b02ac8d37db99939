/** An agent of a pairing file as a command: its words, its variables, and the options of its wrapper. */
import { RelayError } from '../base/errors.ts';
import type { PairingAgent } from './agent-schema.ts';
import { splitCommand } from './command-line.ts';

/** Program and arguments. */
export function commandOf({ command }: Pick<PairingAgent, 'command'>): string[] {
  const words = Array.isArray(command) ? command : splitCommand(command);
  if (words === undefined) throw new RelayError('INTERNAL', 'a command that the schema took cannot be split');
  return words;
}

/** YAML writes numbers and truth values; an environment holds text. null takes the variable away. */
export const textEnv = (env: PairingAgent['env'] = {}): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value === null ? undefined : String(value)]),
  );

/** What the file says of it that is its wrapper's business. */
export const wrapperOptions = ({
  topics = [],
  profile,
}: Pick<PairingAgent, 'topics' | 'profile'>): string[] => [
  ...topics.flatMap((topic) => ['--topic', topic]),
  ...(profile === undefined ? [] : ['--profile', profile]),
];
