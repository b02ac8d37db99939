/** relay-help: the commands themselves, by tag. Checklist 5. */
import * as z from 'zod';
import { type DeclaredCommand, defineCommand } from '../../afd/command.ts';
import { describeCommand } from '../../afd/reference.ts';
import type { CommandRegistry } from '../../afd/registry.ts';
import { success } from '../../afd/result.ts';
import { RelayError } from '../../base/errors.ts';

const list = z.array(z.string()).optional();

const input = z.object({
  command: z.string().optional().describe('only this one'),
  tags: list.describe('every one of these tags'),
  anyTags: list.describe('at least one of these tags'),
  excludeTags: list,
  consume: list.describe('handoff protocols the asker can consume; handoffs to others are left out'),
  format: z.enum(['brief', 'full']).default('brief').describe('full: with schemas, errors and examples'),
});
const output = z.object({
  commands: z.array(z.looseObject({ name: z.string(), description: z.string(), tags: z.array(z.string()) })),
});

export const relayHelp = (registry: CommandRegistry) =>
  defineCommand({
    name: 'relay-help',
    description:
      'List the commands of the relay, filtered by tags: their names, or all that is known of them',
    category: 'relay',
    tags: ['relay', 'read', 'agent-friendly'],
    input,
    output,
    errors: ['COMMAND_NOT_FOUND'],
    examples: [
      { title: 'Those that start a session', input: { tags: ['handoff'] } },
      { title: 'All about one', input: { command: 'relay-poll', format: 'full' } },
    ],
    handler({ command, tags, anyTags, excludeTags, consume, format }) {
      if (command !== undefined && registry.get(command) === undefined) {
        throw new RelayError('COMMAND_NOT_FOUND', `there is no command ${JSON.stringify(command)}`);
      }
      const commands = registry
        .list({
          ...(tags ? { all: tags } : {}),
          ...(anyTags ? { any: anyTags } : {}),
          ...(excludeTags ? { exclude: excludeTags } : {}),
          ...(consume ? { consume } : {}),
        })
        .filter(({ name }) => command === undefined || registry.get(command)?.name === name);
      const brief = ({ name, description, tags }: DeclaredCommand) => ({
        name,
        description,
        tags: [...tags],
      });
      const full = (each: DeclaredCommand) => ({ ...describeCommand(each), tags: [...each.tags] });
      return success({ commands: commands.map(format === 'brief' ? brief : full) });
    },
  });
