/** `agent-wrap mcp`: the relay's tools for an agent, over stdin and stdout. */
import { Command } from 'commander';
import * as z from 'zod';
import { parseResult } from '../afd/parse-result.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { askRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

const EXAMPLES = `
It speaks as AGENT_RELAY_NAME with AGENT_RELAY_TOKEN where a wrapper has set them, else as the person.

Examples:
  agent-wrap --mcp claude                     add it to the wrapped agent for this run
  claude mcp add relay -- agent-wrap mcp      add it to Claude Code for good
  codex mcp add relay -- agent-wrap mcp       add it to Codex for good`;

export function command(): Command {
  const mcp = throwUsage(new Command('mcp'))
    .description('serves relay_send, relay_poll, relay_agents and relay_status to an agent as MCP tools')
    .addHelpText('after', EXAMPLES);
  for (const option of placeOptions()) mcp.addOption(option);
  return mcp.action((options: PlaceOptions) => serve(options));
}

/** Until the agent closes our stdin. */
async function serve(options: PlaceOptions): Promise<void> {
  const place = placeOf(options, process.env);
  const gone = new AbortController();
  // Loaded only now: completions and the man page look at every subcommand.
  const [{ mcpServer, StdioServerTransport }, { declaredCommands }] = await Promise.all([
    import('../mcp/server.ts'),
    import('../daemon/commands/relay-commands.ts'),
  ]);
  const server = mcpServer({
    commands: declaredCommands(),
    call: async (name, input, signal) => {
      const either = AbortSignal.any([signal, gone.signal]);
      return parseResult(z.unknown(), await askRelay(place, name, input, either));
    },
  });
  const ended = new Promise<void>((resolve) => {
    process.stdin.on('end', resolve);
    process.stdin.on('close', resolve);
    // The agent has ended without closing stdin: nobody reads our answers.
    process.stdout.on('error', () => resolve());
  });
  await server.connect(new StdioServerTransport());
  await ended;
  gone.abort();
  await server.close();
}
