/** `--mcp` of the wrapper: how the agent starts `agent-wrap mcp` for this run. */
import { resolve } from 'node:path';
import type { McpLaunch, Profile } from '../agents/adapter.ts';
import { RelayError } from '../base/errors.ts';
import { WRAPPER_VARIABLES } from '../base/wrapper-variables.ts';
import type { Place } from './place.ts';
import { selfCommand } from './self.ts';

/** Kinds of agents that take an MCP server for one run, without a file of the person being touched. */
const TAKE_MCP: ReadonlySet<Profile> = new Set(['claude', 'codex']);

/** Throws USAGE for an agent that cannot be given it for one run. */
export function mcpLaunch(profile: Profile, { socketPath }: Pick<Place, 'socketPath'>): McpLaunch {
  if (!TAKE_MCP.has(profile)) {
    throw new RelayError('USAGE', `--mcp is for ${[...TAKE_MCP].join(' and ')}, not for this agent`, {
      suggestion: 'add it to the configuration of the agent: agent-wrap mcp',
    });
  }
  const { file, args } = selfCommand();
  return {
    command: file,
    args: [...args, 'mcp', ...(socketPath === undefined ? [] : ['--socket', resolve(socketPath)])],
    envVars: [
      ...WRAPPER_VARIABLES,
      // Where the relay's directory is looked for.
      ...['XDG_STATE_HOME', 'XDG_RUNTIME_DIR'],
    ],
  };
}
