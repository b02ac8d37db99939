/** `agent-wrap deadletters list|redeliver|drop`: what ended undelivered. */
import { Command } from 'commander';
import * as z from 'zod';
import { messageView } from '../protocol/message-view.ts';
import { renderJsonLine } from './json.ts';
import { renderMessage } from './message-lines.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { callRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

const Listed = z.object({ messages: z.array(messageView) });
const Counted = z.object({ count: z.number() });

export function command(): Command {
  const letters = throwUsage(new Command('deadletters'))
    .description('messages that ended undelivered')
    .addHelpText(
      'after',
      '\nExamples:\n  agent-wrap deadletters list\n  agent-wrap deadletters redeliver 3f2a\n  agent-wrap deadletters drop all',
    );
  letters.addCommand(
    placed(new Command('list').description('show them, each with its id and the reason'))
      .option('--json', 'one JSON object a line')
      .action(async (options: PlaceOptions & { json?: true }) => {
        const { messages } = await callRelay(placeOf(options, process.env), 'relay-dead-letters', {}, Listed);
        for (const message of messages) {
          const id = message.deliveries[0]?.id.slice(0, 8);
          process.stdout.write(options.json ? renderJsonLine(message) : `${id}  ${renderMessage(message)}`);
        }
      }),
  );
  letters.addCommand(acting('redeliver', 'relay-redeliver', 'send once more'));
  letters.addCommand(acting('drop', 'relay-drop', 'throw away'));
  return letters;
}

function acting(name: string, relayCommand: string, what: string): Command {
  return placed(new Command(name).description(`${what} one of them, or all`))
    .argument('<id>', "its id or the beginning of it, or 'all'")
    .option('--json', 'print JSON')
    .action(async (id: string, options: PlaceOptions & { json?: true }) => {
      const counted = await callRelay(placeOf(options, process.env), relayCommand, { id }, Counted);
      process.stdout.write(options.json ? renderJsonLine(counted) : `${counted.count}\n`);
    });
}

function placed(command: Command): Command {
  for (const option of placeOptions()) command.addOption(option);
  return throwUsage(command);
}
