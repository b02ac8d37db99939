/** Wrong usage is an error like others: our form, our code, exit 2; not commander's exit 1. */
import type { Command } from 'commander';
import { RelayError } from '../base/errors.ts';

/** Makes the command throw `RelayError('USAGE')` where commander would print and exit. */
export function throwUsage(command: Command): Command {
  return command.configureOutput({ outputError: () => {} }).exitOverride((error) => {
    if (error.exitCode === 0) return; // --help and --version: commander exits by itself.
    throw new RelayError('USAGE', error.message.replace(/^error: /, ''));
  });
}
