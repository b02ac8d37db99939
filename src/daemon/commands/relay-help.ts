/** relay-help: the commands themselves, by tag. Checklist 5. */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { describeCommand } from '../../afd/reference.ts';
import type { CommandRegistry } from '../../afd/registry.ts';
import { success } from '../../afd/result.ts';

const list = z.array(z.string()).optional();

export const relayHelp = (registry: CommandRegistry) =>
  defineCommand({
    name: 'relay-help',
    description: 'List the commands of the relay with their input, filtered by tags',
    category: 'relay',
    tags: ['relay', 'read', 'agent-friendly'],
    input: z.object({
      command: z.string().optional(),
      /** Every one of these tags. */
      tags: list,
      /** At least one of these tags. */
      anyTags: list,
      excludeTags: list,
      /** Handoff protocols the asker can consume; handoffs to others are left out. */
      consume: list,
    }),
    output: z.object({ commands: z.array(z.looseObject({ name: z.string() })) }),
    errors: ['COMMAND_NOT_FOUND'],
    examples: [{ title: 'Those that start a session', input: { tags: ['handoff'] } }],
    handler({ command, tags, anyTags, excludeTags, consume }) {
      const commands = registry
        .list({
          ...(tags ? { all: tags } : {}),
          ...(anyTags ? { any: anyTags } : {}),
          ...(excludeTags ? { exclude: excludeTags } : {}),
          ...(consume ? { consume } : {}),
        })
        .filter(({ name }) => command === undefined || registry.get(command)?.name === name);
      return success({ commands: commands.map((each) => ({ ...describeCommand(each) })) });
    },
  });
