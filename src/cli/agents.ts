/** `agent-wrap agents`: who is on the relay, and what waits for whom. */
import { Chalk } from 'chalk';
import { Command } from 'commander';
import type * as z from 'zod';
import { sanitizeLine } from '../base/sanitize.ts';
import { renderJsonLine } from './json.ts';
import { Agents } from './known-agents.ts';
import { timeOf } from './message-lines.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { callRelay } from './relay-call.ts';
import { throwUsage } from './usage.ts';

export function command(): Command {
  const agents = throwUsage(new Command('agents'))
    .description('lists the agents of the relay')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  agent-wrap agents\n  agent-wrap agents --json');
  for (const option of placeOptions()) agents.addOption(option);
  return agents.action(async (options: PlaceOptions & { json?: true }) => {
    const place = placeOf(options, process.env);
    const found = await callRelay(place, 'relay-agents', {}, Agents);
    process.stdout.write(options.json ? renderJsonLine(found) : table(found));
  });
}

function table({ namespace, agents }: z.output<typeof Agents>): string {
  const paint = new Chalk(process.stdout.isTTY ? {} : { level: 0 });
  if (agents.length === 0) return `nobody is on the relay ${namespace}\n`;
  const rows = agents.map((agent) =>
    [
      agent.name,
      `${agent.state === 'active' ? (agent.status ?? 'connected') : agent.state}${agent.held ? ' (held)' : ''}${agent.speech === 'none' ? ' (not heard)' : ''}`,
      agent.waitsFor ?? '',
      String(agent.queueDepth),
      String(agent.inflight),
      agent.topics.join(' '),
      timeOf(Date.parse(agent.lastActivity)),
    ].map(sanitizeLine),
  );
  const head = ['NAME', 'STATE', 'WAITS FOR', 'QUEUE', 'INFLIGHT', 'TOPICS', 'LAST ACTIVITY'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [paint.bold(line(head)), ...rows.map(line)].join('\n').concat('\n');
}
