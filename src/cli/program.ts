/** The whole command line as commander knows it: what completions and the man page are made of. */
import type { Command, Option } from 'commander';
import type { Subcommands } from './subcommands.ts';
import { command as wrapCommand } from './wrap.ts';

export interface Program {
  /** `agent-wrap` itself. */
  wrap: Command;
  /** Those that are for people, and what general help says of them. */
  subcommands: readonly {
    name: string;
    summary: string;
    command: Command;
    /** What may stand in place of its first argument. */
    words: readonly { word: string; description: string }[];
  }[];
}

export async function loadProgram(all: Subcommands): Promise<Program> {
  const loaded = Object.entries(all).map(async ([name, { summary, load }]) => {
    if (summary === undefined) return [];
    const { command, words } = await load();
    return [
      { name, summary, command: command(all).name(`agent-wrap ${name}`), words: (await words?.()) ?? [] },
    ];
  });
  return { wrap: wrapCommand(), subcommands: (await Promise.all(loaded)).flat() };
}

/** The options that help shows, --help among them. */
export const optionsOf = (command: Command): Option[] => command.createHelp().visibleOptions(command);

export const takesValue = (option: Option): boolean => option.required || option.optional;
