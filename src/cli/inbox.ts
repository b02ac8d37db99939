/** `agent-wrap inbox <name>`: what waits for an agent. It takes nothing away. */
import { Command } from 'commander';
import { showLog } from './log.ts';
import { type PlaceOptions, placeOptions } from './place.ts';
import { throwUsage } from './usage.ts';

export function command(): Command {
  const inbox = throwUsage(new Command('inbox'))
    .description('shows what waits for an agent, and takes nothing away')
    .argument('<name>', 'the agent')
    .option('-f, --follow', 'go on showing what comes')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', '\nExamples:\n  agent-wrap inbox bob\n  agent-wrap inbox bob --follow');
  for (const option of placeOptions()) inbox.addOption(option);
  return inbox.action((to: string, options: PlaceOptions & { follow?: true; json?: true }) =>
    // Who reads his messages sees them as they are.
    showLog({ ...options, to, waiting: true }, (message) => message),
  );
}
