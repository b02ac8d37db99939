/** `agent-wrap send <to> [text|-]`: a message from the person, or from the agent we run inside. */
import { text as readAll } from 'node:stream/consumers';
import { Command } from 'commander';
import * as z from 'zod';
import { RelayError } from '../base/errors.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { callRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

const EXAMPLES = `
Examples:
  agent-wrap send codex-1 'the build is green'
  git diff | agent-wrap send bob --kind review -
  agent-wrap send '*' 'lunch at noon'
  agent-wrap send --topic build 'all tests pass'`;

interface SendOptions extends PlaceOptions {
  topic?: string;
  kind?: string;
  thread?: string;
  data?: string;
  ttl?: string;
  json?: true;
}

const Sent = z.object({ messageId: z.string(), recipients: z.array(z.string()) });

export function command(): Command {
  const send = throwUsage(new Command('send'))
    .description('sends a message to an agent, to everybody (*) or to a topic')
    .argument('[to]', 'a name, or * for everybody')
    .argument('[text]', 'the message; - or nothing: read from stdin')
    .option('--topic <topic>', 'on this topic; without <to>, to its subscribers')
    .option('--kind <kind>', 'what kind of message (default: message)')
    .option('--thread <id>', 'the thread it belongs to')
    .option('--data <json>', 'structured data that goes with it')
    .option('--ttl <seconds>', 'give up after so many seconds')
    .option('--json', 'print the id and the recipients as JSON')
    .addHelpText('after', EXAMPLES);
  for (const option of placeOptions()) send.addOption(option);
  return send.action(async (to: string | undefined, text: string | undefined, options: SendOptions) => {
    // With --topic alone, one argument is the text.
    const [target, words] = options.topic !== undefined && text === undefined ? [undefined, to] : [to, text];
    if (target === undefined && options.topic === undefined) {
      throw new RelayError('USAGE', 'send needs a recipient or --topic');
    }
    const body = words === undefined || words === '-' ? await readAll(process.stdin) : words;
    const sent = await callRelay(
      placeOf(options, process.env),
      'relay-send',
      { ...messageOf(options), to: target, body },
      Sent,
    );
    if (options.json) process.stdout.write(`${JSON.stringify(sent)}\n`);
    else if (sent.recipients.length === 0) process.stdout.write('nobody is there to hear it\n');
  });
}

function messageOf({ topic, kind, thread, data, ttl }: SendOptions): Record<string, unknown> {
  const ttlMs = ttl === undefined ? undefined : Number(ttl) * 1000;
  if (ttlMs !== undefined && !(ttlMs > 0)) {
    throw new RelayError('USAGE', `--ttl takes a number of seconds, not '${ttl}'`);
  }
  try {
    return {
      topic,
      kind,
      thread,
      ttlMs,
      ...(data === undefined ? {} : { data: JSON.parse(data) as unknown }),
    };
  } catch (cause) {
    throw new RelayError('USAGE', '--data takes JSON', { cause });
  }
}
