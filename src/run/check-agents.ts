/** What a schema cannot see of a pairing: whether its programs and folders are there. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { RelayError } from '../base/errors.ts';
import { resolveAgent } from '../terminal/resolve.ts';
import { commandOf, textEnv } from './agent-command.ts';
import type { Mistake } from './load-pairing.ts';
import type { Pairing } from './schema.ts';

/** @param base where relative paths of the file begin. */
export function checkAgents(
  { agents }: Pairing,
  base: string,
  env: Readonly<Record<string, string | undefined>>,
): Mistake[] {
  return agents.flatMap((agent, index) => {
    const cwd = resolve(base, agent.cwd ?? '.');
    if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
      return [{ path: ['agents', index, 'cwd'], message: `there is no folder ${cwd}` }];
    }
    try {
      resolveAgent(commandOf(agent)[0] ?? '', cwd, { ...env, ...textEnv(agent.env) }.PATH);
      return [];
    } catch (thrown) {
      const { message, suggestion } = RelayError.from(thrown);
      return [{ path: ['agents', index, 'command'], message: `${message}; ${suggestion}` }];
    }
  });
}
