/**
 * The commands of the relay as an MCP client sees them. A model reads name, description and schema and
 * nothing else, so the description says when to use a tool and what to use instead. Conformance §6.
 */
import { type DeclaredCommand, inputJsonSchema, isExposed } from '../afd/command.ts';

/** What a model must know beyond the command's own description. */
const GUIDANCE: Readonly<Record<string, string>> = {
  'relay-send':
    'It returns at once and does not wait for an answer: an answer is a message of its own. ' +
    'If messages do not appear in your conversation by themselves, fetch it with relay_poll. ' +
    'The names of the other agents: relay_agents.',
  'relay-poll':
    'Use it when messages from other agents do not appear in your conversation by themselves: it is the ' +
    'fallback for an agent that cannot hold a connection of its own. To confirm what you have read, pass the ' +
    'lastMessageId of the answer as since in the next call; what you do not confirm comes again. ' +
    'An empty list means that nothing waits: do other work before you ask again, or pass waitMs to wait.',
  'relay-agents': 'Use it to find out to whom you can write with relay_send, and who is busy.',
  'relay-status': 'Without sessionId it tells your own name and state. Messages: relay_poll and relay_send.',
};

export interface Tool {
  name: string;
  description: string;
  inputSchema: { type: 'object'; [key: string]: unknown };
  annotations: {
    title: string;
    readOnlyHint: boolean;
    destructiveHint: boolean;
    idempotentHint: boolean;
    openWorldHint: boolean;
  };
}

/** Underscores: Codex would rewrite hyphens, and one name in all places is easier to talk about. */
export const toolName = (command: string): string => command.replaceAll('-', '_');

/** The command that a tool stands for; undefined for a name that is none of ours. */
export const commandOf = (tool: string, commands: readonly DeclaredCommand[]): DeclaredCommand | undefined =>
  commands.find((command) => isExposed(command, 'mcp') && toolName(command.name) === toolName(tool));

/** Those of `commands` that are offered by MCP. */
export function toolsOf(commands: readonly DeclaredCommand[]): Tool[] {
  return commands.filter((command) => isExposed(command, 'mcp')).map(toolOf);
}

function toolOf(command: DeclaredCommand): Tool {
  const { name, description, mutation, destructive } = command;
  return {
    name: toolName(name),
    description: [`${description}.`, GUIDANCE[name]].filter(Boolean).join(' '),
    inputSchema: { ...inputJsonSchema(command), type: 'object' },
    annotations: {
      title: name,
      readOnlyHint: !mutation,
      destructiveHint: destructive,
      idempotentHint: !mutation,
      openWorldHint: false,
    },
  };
}
