/** The subcommands, each in `src/cli/<name>.ts` and loaded only when it is used. */
import type { Command } from 'commander';

export interface Subcommand {
  /** One line for the general help; absent: not for people. */
  summary?: string;
  load: () => Promise<{ command: () => Command }>;
}

export const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  demo: {
    summary: 'two scripted agents talk to each other',
    load: () => import('./demo.ts'),
  },
  'demo-agent': { load: () => import('./demo-agent.ts') },
  send: {
    summary: 'send a message to an agent, to everybody or to a topic',
    load: () => import('./send.ts'),
  },
  call: { summary: 'call a command of the relay', load: () => import('./call.ts') },
  commands: { summary: 'list the commands of the relay', load: () => import('./commands.ts') },
  mcp: { summary: 'serve the relay to an agent as MCP tools', load: () => import('./mcp.ts') },
  daemon: { summary: 'host the relay without an agent', load: () => import('./daemon.ts') },
  extract: {
    summary: 'print the directives in a text or a recording',
    load: () => import('./extract.ts'),
  },
  agents: { summary: 'list the agents of the relay', load: () => import('./agents.ts') },
};

/** Which subcommand the arguments name; `undefined` means: wrap an agent (or general help). */
export function pickSubcommand(argv: readonly string[]): string | undefined {
  const first = argv[0];
  return first !== undefined && Object.hasOwn(SUBCOMMANDS, first) ? first : undefined;
}
