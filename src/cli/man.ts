/** `agent-wrap man`: the man page, made of the same definitions as --help. */
import { Command, type Option } from 'commander';
import { VERSION } from '../base/version.ts';
import { configKeys } from './config-keys.ts';
import { loadProgram, optionsOf, type Program } from './program.ts';
import type { Subcommands } from './subcommands.ts';
import { throwUsage } from './usage.ts';

const EXAMPLES = `
Examples:
  agent-wrap man | man -l -
  agent-wrap man > ~/.local/share/man/man1/agent-wrap.1`;

export function command(all: Subcommands): Command {
  return throwUsage(new Command('man'))
    .description('Print the man page of agent-wrap and all its commands.')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      process.stdout.write(renderMan(await loadProgram(all)));
    });
}

export function renderMan({ wrap, subcommands }: Program): string {
  return [
    `.TH AGENT\\-WRAP 1 "" "agent\\-wrap ${roff(VERSION)}" "User Commands"`,
    '.SH NAME',
    `agent\\-wrap \\- ${roff(wrap.description().replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    ...synopsis('agent-wrap', wrap),
    '.P',
    '.B agent\\-wrap',
    '.I command',
    '[options] …',
    '.SH DESCRIPTION',
    roff(wrap.description()),
    ...details(wrap),
    '.SH COMMANDS',
    ...subcommands.flatMap(({ name, command: each }) => section(`agent-wrap ${name}`, each)),
    '.SH ENVIRONMENT',
    ...configKeys(wrap).flatMap(({ name, variable }) => [
      '.TP',
      `.B ${roff(variable)}`,
      `as \\-\\-${roff(name)}`,
    ]),
    '.SH FILES',
    '.TP',
    '.B .agent\\-wrap.yaml, .agent\\-wrap.json',
    'settings of a project, see',
    '.B agent\\-wrap config \\-\\-help',
    '.TP',
    '.B $XDG_CONFIG_HOME/agent\\-wrap/config.yaml, config.json',
    'your own settings',
    '.SH EXIT STATUS',
    "The agent's own, 128 + n if signal n ended it. 2: wrong usage or configuration. 126, 127: the agent",
    'cannot be executed, was not found. Commands: 0, or 1 if they failed.',
    '',
  ].join('\n');
}

function section(name: string, command: Command): string[] {
  return [
    `.SS ${roff(name)}`,
    ...synopsis(name, command),
    '.P',
    roff(command.description()),
    ...details(command),
    ...command.commands.flatMap((each) => section(`${name} ${each.name()}`, each)),
  ];
}

const synopsis = (name: string, command: Command): string[] => [`.B ${roff(name)}`, roff(command.usage())];

function details(command: Command): string[] {
  const help = command.createHelp();
  const item = (term: string, text: string) => ['.TP', `.B ${roff(term)}`, roff(text)];
  return [
    ...help
      .visibleArguments(command)
      .flatMap((each) => item(help.argumentTerm(each), help.argumentDescription(each))),
    ...optionsOf(command).flatMap((each: Option) =>
      item(help.optionTerm(each), help.optionDescription(each)),
    ),
    ...notes(command),
  ];
}

/** What help says after the options: examples and the like, as they stand. */
function notes(command: Command): string[] {
  const pieces: string[] = [];
  command.configureOutput({ writeOut: (piece) => pieces.push(piece) }).outputHelp();
  const after = pieces.join('').slice(command.helpInformation().length).trim();
  return after === '' ? [] : ['.P', '.nf', ...after.split('\n').map(roff), '.fi'];
}

/** Text that means itself: no escapes, no requests, hyphens that can be copied. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}
