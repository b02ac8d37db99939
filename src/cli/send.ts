/** `agent-wrap send <to> [text|-]`: a message from the person, or from the agent we run inside. */
import { text as readAll } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import * as z from 'zod';
import { RelayError } from '../base/errors.ts';
import { sanitize } from '../base/sanitize.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { callRelay } from './relay-call.ts';
import { reportError } from './report.ts';
import { throwUsage } from './usage.ts';
import { takeReply } from './wait-reply.ts';

const EXAMPLES = `
Examples:
  agent-wrap send codex-1 'the build is green'
  git diff | agent-wrap send bob --kind review -
  agent-wrap send '*' 'lunch at noon'
  agent-wrap send --topic build 'all tests pass'
  agent-wrap send bob --wait-reply --timeout 60 'is the build green?'

--wait-reply prints the first answer; exit code 3: none came in time.`;

interface SendOptions extends PlaceOptions {
  topic?: string;
  kind?: string;
  thread?: string;
  data?: string;
  ttl?: string;
  waitReply?: true;
  timeout: number;
  json?: true;
}

const Sent = z.object({
  messageId: z.string(),
  timestamp: z.iso.datetime(),
  recipients: z.array(z.string()),
});

/** Seconds to wait for an answer: a model may think for minutes. */
const TIMEOUT_SECONDS = 300;
const EXIT_TIMEOUT = 3;

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
    .option('--wait-reply', 'wait for the answer of that agent, and print it')
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait for it')
        .default(TIMEOUT_SECONDS)
        .argParser((value: string) => {
          if (Number(value) > 0) return Number(value);
          throw new RelayError('USAGE', `--timeout takes a number of seconds, not '${value}'`);
        }),
    )
    .option('--json', 'print the id and the recipients (with --wait-reply: the answer) as JSON')
    .addHelpText('after', EXAMPLES);
  for (const option of placeOptions()) send.addOption(option);
  return send.action(async (to: string | undefined, text: string | undefined, options: SendOptions) => {
    // With --topic alone, one argument is the text.
    const [target, words] = options.topic !== undefined && text === undefined ? [undefined, to] : [to, text];
    if (target === undefined && options.topic === undefined) {
      throw new RelayError('USAGE', 'send needs a recipient or --topic');
    }
    if (options.waitReply) requireAnswerable(target, process.env);
    const body = words === undefined || words === '-' ? await readAll(process.stdin) : words;
    const message = { ...messageOf(options), to: target, body };
    const send = () => callRelay(placeOf(options, process.env), 'relay-send', message, Sent);
    if (options.waitReply && target !== undefined) return printReply(target, send, options);
    const sent = await send();
    if (options.json) process.stdout.write(`${JSON.stringify(sent)}\n`);
    else if (sent.recipients.length === 0) process.stdout.write('nobody is there to hear it\n');
  });
}

/** Throws USAGE where no answer could come here. */
function requireAnswerable(target: string | undefined, env: NodeJS.ProcessEnv): void {
  if (target === undefined || target === '*') {
    throw new RelayError('USAGE', '--wait-reply needs one agent to wait for');
  }
  if (env.AGENT_RELAY_NAME !== undefined) {
    throw new RelayError('USAGE', `within ${env.AGENT_RELAY_NAME} answers are typed to the agent itself`, {
      suggestion: 'leave --wait-reply out',
    });
  }
}

async function printReply(
  from: string,
  send: () => Promise<z.output<typeof Sent>>,
  options: SendOptions,
): Promise<void> {
  try {
    const { timestamp } = await send();
    const awaited = { from, sentAt: Date.parse(timestamp), thread: options.thread };
    await takeReply(placeOf(options, process.env), awaited, options.timeout * 1000, (reply) => {
      process.stdout.write(`${options.json ? JSON.stringify(reply) : sanitize(reply.body ?? '')}\n`);
    });
  } catch (error) {
    if (RelayError.from(error).code !== 'TIMEOUT') throw error;
    reportError(error);
    process.exitCode = EXIT_TIMEOUT;
  }
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
