/** `agent-wrap commands`: the commands of the relay, by tag. Needs no daemon. Checklist 5. */
import { Chalk } from 'chalk';
import { Command } from 'commander';
import type { DeclaredCommand } from '../afd/command.ts';
import { matches } from '../afd/command-filter.ts';
import { describeCommand } from '../afd/reference.ts';
import { throwUsage } from './usage.ts';

const EXAMPLES = `
Examples:
  agent-wrap commands
  agent-wrap commands --tag agent-friendly
  agent-wrap commands --exclude write --exclude handoff
  agent-wrap commands --tag handoff:agent-relay --json`;

interface CommandsOptions {
  tag: string[];
  anyTag: string[];
  exclude: string[];
  consume: string[];
  json?: true;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

export function command(): Command {
  return throwUsage(new Command('commands'))
    .description('lists the commands of the relay, for agent-wrap call, HTTP and MCP')
    .option('--tag <tag>', 'with this tag (repeatable: with all of them)', collect, [])
    .option('--any-tag <tag>', 'with this tag (repeatable: with one of them)', collect, [])
    .option('--exclude <tag>', 'without this tag (repeatable)', collect, [])
    .option('--consume <protocol>', 'handoffs only to this protocol (repeatable)', collect, [])
    .option('--json', 'print JSON, with schemas, errors and examples')
    .addHelpText('after', EXAMPLES)
    .action(async ({ tag, anyTag, exclude, consume, json }: CommandsOptions) => {
      const { declaredCommands } = await import('../daemon/commands/relay-commands.ts');
      const filter = {
        all: tag,
        exclude,
        ...(anyTag.length > 0 ? { any: anyTag } : {}),
        ...(consume.length > 0 ? { consume } : {}),
      };
      const found = declaredCommands().filter((each) => matches(each, filter));
      process.stdout.write(json ? `${JSON.stringify(found.map(describeCommand))}\n` : render(found));
    });
}

function render(commands: readonly DeclaredCommand[]): string {
  const paint = new Chalk(process.stdout.isTTY ? {} : { level: 0 });
  const width = Math.max(0, ...commands.map(({ name }) => name.length));
  return commands
    .map(
      ({ name, description, tags }) =>
        `${paint.bold(name.padEnd(width))}  ${description}\n${' '.repeat(width)}  ${paint.dim(tags.join(' '))}\n`,
    )
    .join('');
}
