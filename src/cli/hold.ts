/** `agent-wrap hold <agent>`: nothing more is handed to it until it is released. */
import { Command } from 'commander';
import * as z from 'zod';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { callRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

export function command(): Command {
  const hold = throwUsage(new Command('hold'))
    .description('hold all messages for an agent')
    .argument('<agent>', 'its name')
    .addHelpText('after', '\nExamples:\n  agent-wrap hold bob');
  for (const option of placeOptions()) hold.addOption(option);
  return hold.action(async (agent: string, options: PlaceOptions) => {
    await callRelay(placeOf(options, process.env), 'relay-hold', { agent }, z.looseObject({}));
  });
}
