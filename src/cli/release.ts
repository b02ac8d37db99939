/** `agent-wrap release <agent>`: what was held for it goes on. */
import { Command } from 'commander';
import * as z from 'zod';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { callRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

export function command(): Command {
  const release = throwUsage(new Command('release'))
    .description('let held messages for an agent go on')
    .argument('<agent>', 'its name')
    .addHelpText('after', '\nExamples:\n  agent-wrap release bob');
  for (const option of placeOptions()) release.addOption(option);
  return release.action(async (agent: string, options: PlaceOptions) => {
    await callRelay(placeOf(options, process.env), 'relay-release', { agent }, z.looseObject({}));
  });
}
