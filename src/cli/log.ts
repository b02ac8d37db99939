/** `agent-wrap log`: each message of the relay and what became of it. */
import { Command } from 'commander';
import * as z from 'zod';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { watchEvents } from '../client/events.ts';
import { type MessageView, messageView } from '../protocol/message-view.ts';
import { attach } from '../wrap/attach.ts';
import { renderMessage, timeOf } from './message-lines.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { callRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

interface LogOptions extends PlaceOptions {
  follow?: true;
  json?: true;
  mermaid?: true;
  from?: string;
  to?: string;
  topic?: string;
  since?: number;
}

const Answer = z.object({ messages: z.array(messageView), more: z.boolean() });

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function command(): Command {
  const log = throwUsage(new Command('log'))
    .description('shows each message and what became of it')
    .option('-f, --follow', 'go on showing what happens')
    .option('--json', 'one JSON object a line')
    .option('--mermaid', 'a sequence diagram for Mermaid')
    .option('--from <name>', 'only of this sender')
    .option('--to <name>', 'only to this recipient')
    .option('--topic <topic>', 'only on this topic')
    .option('--since <when>', 'only since then: 30m, 2h, 1d ago, or a date', parseSince)
    .addHelpText(
      'after',
      '\nExamples:\n  agent-wrap log --since 1h\n  agent-wrap log --follow --to bob\n  agent-wrap log --mermaid',
    );
  for (const option of placeOptions()) log.addOption(option);
  return log.action(run);
}

/** Shows what is there, and with `--follow` what comes. `waiting`: only what is not delivered yet. */
export async function run(options: LogOptions & { waiting?: true }): Promise<void> {
  const { from, to, topic, since, waiting, json } = options;
  const place = placeOf(options, process.env);
  const show = (message: MessageView) =>
    process.stdout.write(json ? `${JSON.stringify(message)}\n` : renderMessage(message));
  const filter = { from, to, topic };
  const call = (more: object) => callRelay(place, 'relay-log', { ...filter, ...more }, Answer);
  if (options.mermaid) {
    if (options.follow) throw new RelayError('USAGE', '--mermaid draws what is there, without --follow');
    process.stdout.write(await diagram((await call({ since, waiting })).messages));
    return;
  }
  if (!options.follow) {
    for (const message of (await call({ since, waiting })).messages) show(message);
    return;
  }
  const attachment = await attach({
    ...place,
    env: process.env,
    mayLead: false,
    clock: systemClock,
    log: silentLog,
  });
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  let opened: () => void = () => {};
  const watching = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const before = watching.then(async () => {
    for (const message of (await call({ since, waiting })).messages) show(message);
  });
  for await (const event of watchEvents(attachment, { signal: stop.signal, opened: () => opened() })) {
    await before;
    if (event.type === 'gap') throw new RelayError('SLOW_CONSUMER', 'more happened than could be shown');
    if (event.type === 'message') {
      for (const message of (await call({ id: event.id })).messages) show(message);
    } else if (event.type === 'fate' && matches(event, options) && !waiting) {
      const { at, from, to, fate, code } = event;
      if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
      else process.stdout.write(`${timeOf(at)}  ${from} → ${to}  ${fate}${code ? ` ${code}` : ''}\n`);
    }
  }
}

async function diagram(messages: readonly MessageView[]): Promise<string> {
  const { renderDiagram } = await import('../run/report-mermaid.ts');
  const drawn = messages.map(({ from, topic, kind, body, deliveries }) => ({
    from,
    topic,
    kind,
    body: body ?? '(its text was forgotten)',
    recipients: deliveries.map(({ to, state }) => ({ name: to, fate: state })),
  }));
  return renderDiagram([], drawn);
}

const matches = (event: { from: string; to: string }, { from, to, topic }: LogOptions): boolean =>
  topic === undefined && (from ?? event.from) === event.from && (to ?? event.to) === event.to;

function parseSince(text: string): number {
  const ago = /^(\d+)([smhd])$/.exec(text);
  const at = ago ? Date.now() - Number(ago[1]) * (UNITS[ago[2] as string] as number) : Date.parse(text);
  if (Number.isFinite(at)) return at;
  throw new RelayError('USAGE', `--since takes 30m, 2h, 1d or a date, not '${text}'`);
}
