/**
 * `agent-wrap complete -- word…`: what could stand in place of the last word. Called by the scripts of
 * completions.ts, so that there is one set of rules and not one in each shell's language.
 */
import { Command, type Option } from 'commander';
import { loadProgram, optionsOf, type Program, takesValue } from './program.ts';
import type { Subcommands } from './subcommands.ts';

export interface Candidate {
  word: string;
  description: string;
}

export interface Completion {
  candidates: Candidate[];
  /** The shell adds its own: names of files, of programs. */
  and?: 'files' | 'programs';
}

export function command(all: Subcommands): Command {
  return new Command('complete')
    .description('Print what could stand in place of the last word; used by the scripts of completions.')
    .argument('[words...]', 'the command line after agent-wrap, up to the cursor')
    .action(async (words: string[]) => {
      const { candidates, and } = complete(await loadProgram(all), words);
      const lines = candidates.map(({ word, description }) => `${word}\t${description}`);
      process.stdout.write(
        [...lines, ...(and === undefined ? [] : [`:${and}`])].map((line) => `${line}\n`).join(''),
      );
    });
}

export function complete({ wrap, subcommands }: Program, words: readonly string[]): Completion {
  const last = words.at(-1) ?? '';
  const only = (candidates: readonly Candidate[]) => candidates.filter(({ word }) => word.startsWith(last));
  let context = wrap;
  let argumentsGiven = 0;
  let optionsEnded = false;
  let pending: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (pending !== undefined) pending = undefined;
    else if (optionsEnded || !word.startsWith('-')) {
      const next =
        context === wrap && !optionsEnded
          ? subcommands.find(({ name }) => name === word)?.command
          : context.commands.find((each) => each.name() === word);
      // From here on it is the agent's command line, of which we know nothing.
      if (next === undefined && context === wrap) return { candidates: [], and: 'files' };
      if (next === undefined) argumentsGiven++;
      context = next ?? context;
    } else if (word === '--') optionsEnded = true;
    else {
      const option = optionsOf(context).find(({ long, short }) => word === long || word === short);
      if (option !== undefined && takesValue(option)) pending = option;
    }
  }
  if (pending !== undefined) return completeValue(pending, only);
  if (last.startsWith('-') && !optionsEnded) {
    const flags = optionsOf(context).map(({ long, short, description }) => ({
      word: long ?? short ?? '',
      description,
    }));
    return { candidates: only(flags) };
  }
  if (context === wrap) {
    const names = subcommands.map(({ name, summary }) => ({ word: name, description: summary }));
    return { candidates: optionsEnded ? [] : only(names), and: 'programs' };
  }
  const nested = context.commands.map((each) => ({ word: each.name(), description: each.description() }));
  const choices = context.registeredArguments.flatMap(({ argChoices, description }) =>
    (argChoices ?? []).map((word) => ({ word, description })),
  );
  const known = subcommands.find(({ command }) => command === context)?.words ?? [];
  const candidates = [...nested, ...choices, ...(argumentsGiven === 0 ? known : [])];
  return candidates.length > 0 ? { candidates: only(candidates) } : { candidates: [], and: 'files' };
}

function completeValue(option: Option, only: (all: readonly Candidate[]) => Candidate[]): Completion {
  if (option.argChoices !== undefined) {
    return { candidates: only(option.argChoices.map((word) => ({ word, description: option.description }))) };
  }
  return /[<[](path|file|dir)/i.test(option.flags) ? { candidates: [], and: 'files' } : { candidates: [] };
}
