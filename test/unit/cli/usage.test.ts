import { beforeAll, describe, expect, it, vi } from 'vitest';
import { loadProgram, type Program } from '../../../src/cli/program.ts';
import { SUBCOMMANDS } from '../../../src/cli/subcommands.ts';

let program: Program;
beforeAll(async () => {
  program = await loadProgram(SUBCOMMANDS);
});

const NAMES = Object.entries(SUBCOMMANDS).flatMap(([name, { summary }]) =>
  summary === undefined ? [] : [name],
);

describe('wrong usage', () => {
  it.each(NAMES)('agent-wrap %s --no-such-option is an error of ours, with where to look', async (name) => {
    const command = program.subcommands.find((each) => each.name === name)?.command;
    for (const [words, each] of [
      [['--no-such-option'], `agent-wrap ${name}`],
      ...(command?.commands ?? [])
        .filter((sub) => sub.name() !== 'help')
        .map((sub) => [[sub.name(), '--no-such-option'], `agent-wrap ${name} ${sub.name()}`] as const),
    ] as const) {
      await expect(command?.parseAsync([...words], { from: 'user' })).rejects.toMatchObject({
        code: 'USAGE',
        suggestion: `see: ${each} --help`,
      });
    }
  });

  it('a command that is only a group names what it has', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const letters = program.subcommands.find(({ name }) => name === 'deadletters')?.command;
    await expect(letters?.parseAsync([], { from: 'user' })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'name one of: list, redeliver, drop',
    });
    vi.restoreAllMocks();
  });
});
