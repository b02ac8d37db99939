/** `agent-wrap log`: each message of the relay and what became of it. */
import { Command } from 'commander';
import { RelayError } from '../base/errors.ts';
import type { MessageView } from '../protocol/message-view.ts';
import { renderJsonLine } from './json.ts';
import { followLog } from './log-follow.ts';
import { type LogFilter, readLog } from './log-pages.ts';
import { renderFate, renderMessage, withoutSecrets } from './message-lines.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { throwUsage } from './usage.ts';

interface LogOptions extends PlaceOptions, LogFilter {
  follow?: true;
  json?: true;
  mermaid?: true;
  secrets?: true;
}

/** Messages in a diagram, if nothing else is said: no renderer copes with more. */
const MAX_DRAWN = 500;

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
    .option('-n, --last <count>', 'only the last so many of them', parseCount)
    .option('--secrets', 'show also what is likely a secret')
    .addHelpText(
      'after',
      '\nExamples:\n  agent-wrap log --since 1h\n  agent-wrap log --follow --to bob\n  agent-wrap log --mermaid',
    );
  for (const option of placeOptions()) log.addOption(option);
  return log.action(({ secrets, ...options }: LogOptions) =>
    showLog(options, secrets ? (message) => message : withoutSecrets),
  );
}

/** Shows what is there, and with `follow` what comes, each message as `view` makes it. */
export async function showLog(
  options: LogOptions,
  view: (message: MessageView) => MessageView,
): Promise<void> {
  const { from, to, topic, since, waiting, json, mermaid, follow, last } = options;
  const place = placeOf(options, process.env);
  const filter = { from, to, topic, since, waiting, last };
  const write = (text: string) => void process.stdout.write(text);
  const show = (message: MessageView) =>
    write(json ? renderJsonLine(view(message)) : renderMessage(view(message)));
  if (mermaid || !follow) {
    if (follow) throw new RelayError('USAGE', '--mermaid draws what is there, without --follow');
    const messages = await readLog(place, { ...filter, last: last ?? (mermaid && MAX_DRAWN) });
    if (mermaid) write(await diagram(messages.map(view)));
    else for (const message of messages) show(message);
    return;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  await followLog(
    place,
    filter,
    {
      message: show,
      fate: (fate) => write(json ? renderJsonLine(fate) : renderFate(fate)),
      waits: () => void process.stderr.write('agent-wrap: the relay is gone; waiting for the next leader\n'),
    },
    stop.signal,
  );
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

function parseSince(text: string): number {
  const ago = /^(\d+)([smhd])$/.exec(text);
  const at = ago ? Date.now() - Number(ago[1]) * (UNITS[ago[2] as string] as number) : Date.parse(text);
  if (Number.isFinite(at)) return at;
  throw new RelayError('USAGE', `--since takes 30m, 2h, 1d or a date, not '${text}'`);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new RelayError('USAGE', `--last takes a number from 1 on, not '${text}'`);
}
