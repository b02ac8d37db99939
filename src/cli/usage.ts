/** Wrong usage is an error like others: our form, our code, exit 2; not commander's exit 1. */
import type { Command } from 'commander';
import { RelayError } from '../base/errors.ts';

/** Makes the command throw `RelayError('USAGE')` where commander would print and exit. */
export function throwUsage(command: Command): Command {
  return command.configureOutput({ outputError: () => {} }).exitOverride((error) => {
    if (error.exitCode === 0) return; // --help and --version: commander exits by itself.
    const missing = `name one of: ${command.commands.map((each) => each.name()).join(', ')}`;
    const message = error.code === 'commander.help' ? missing : error.message.replace(/^error: /, '');
    throw new RelayError('USAGE', message, { suggestion: `see: ${wordsOf(command)} --help` });
  });
}

const wordsOf = (command: Command): string =>
  command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
