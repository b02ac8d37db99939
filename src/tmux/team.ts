/** Which agents a team in tmux has: from words such as `claude`, `bob=codex -m o4`, or from a pairing file. docs/people.md. */
import { basename } from 'node:path';
import { RelayError } from '../base/errors.ts';
import { isAgentName, namePrefix } from '../protocol/address.ts';
import { commandOf, textEnv, wrapperOptions } from '../run/agent-command.ts';
import type { PairingAgent } from '../run/agent-schema.ts';
import { COMMAND_WAY_OUT, splitCommand } from '../run/command-line.ts';

export interface TeamMember {
  /** Its name on the relay. */
  name: string;
  /** Program and arguments. */
  command: readonly string[];
  cwd: string;
  /** Set for it; undefined: taken away. */
  env: Readonly<Record<string, string | undefined>>;
  /** Options of the wrapper. */
  options: readonly string[];
}

/** A name, then the command. A path before a `=` is a program's: names have no slash. */
const NAMED = /^([A-Za-z0-9_.-]{1,64})=(.*)$/s;

/** One argument of the command line: `command args`, or `name=command args`. Throws USAGE. */
export function parseMember(word: string): { name?: string; command: string[] } {
  const [, name, rest] = NAMED.exec(word) ?? [];
  if (name !== undefined && !isAgentName(name))
    throw new RelayError('USAGE', `no agent may be called ${name}`);
  const command = splitCommand(rest ?? word);
  if (command === undefined) {
    throw new RelayError('USAGE', `${JSON.stringify(word)} is not a command`, {
      suggestion: COMMAND_WAY_OUT,
    });
  }
  if (command[0] === undefined || command[0] === '') {
    throw new RelayError('USAGE', `${JSON.stringify(word)} names no program`);
  }
  return { ...(name === undefined ? {} : { name }), command };
}

/**
 * The team of a command line, everybody with a name: the one given, or the first `<agent>-<n>` that neither
 * the others nor `taken` have. Throws USAGE.
 */
export function teamOfWords(words: readonly string[], cwd: string, taken: ReadonlySet<string>): TeamMember[] {
  const parsed = words.map(parseMember);
  const used = new Set(taken);
  for (const { name } of parsed) {
    if (name === undefined) continue;
    if (used.has(name)) {
      throw new RelayError('USAGE', `there is an agent called ${name} already`, {
        suggestion: 'choose another name; see: agent-wrap agents',
      });
    }
    used.add(name);
  }
  return parsed.map(({ name, command }) => {
    const own = name ?? firstFree(namePrefix(basename(command[0] as string)), used);
    used.add(own);
    return { name: own, command, cwd, env: {}, options: [] };
  });
}

function firstFree(prefix: string, used: ReadonlySet<string>): string {
  let n = 1;
  while (used.has(`${prefix}-${n}`)) n++;
  return `${prefix}-${n}`;
}

/** The member that an agent of a pairing file is; `cwd` is already resolved. */
export const teamMember = (agent: PairingAgent, cwd: string): TeamMember => ({
  name: agent.name,
  command: commandOf(agent),
  cwd,
  env: textEnv(agent.env),
  options: wrapperOptions(agent),
});
