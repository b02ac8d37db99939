/** summary.json and messages.jsonl of a round. */
import type { RunMessage } from './conversation.ts';
import { renderOutcome } from './outcome.ts';
import type { RoundReport } from './report.ts';

/** Line ends to Unicode, none to JSON: readers of JSON lines disagree about them. */
const SEPARATORS = /[\u0085\u2028\u2029]/g;

/** One line of messages.jsonl, with its line feed. */
export const renderMessageLine = (message: RunMessage): string =>
  `${JSON.stringify(message).replace(SEPARATORS, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;

export function renderSummary(report: RoundReport): string {
  const { pairing, round, seed, exitCode, outcome, startedAt, durationMs, messages, verdicts, agents } =
    report;
  const summary = {
    pairing,
    round,
    seed,
    exitCode,
    outcome: { ...outcome, text: renderOutcome(outcome) },
    startedAt: new Date(startedAt).toISOString(),
    durationMs,
    messages: { total: messages.length, ...countFates(messages) },
    verdicts,
    agents,
  };
  return `${JSON.stringify(summary, null, 2)}\n`;
}

/** How many messages reached everybody, still wait for somebody, or died on the way to somebody. */
export function countFates(messages: readonly RunMessage[]): {
  delivered: number;
  waiting: number;
  dead: number;
} {
  const counts = { delivered: 0, waiting: 0, dead: 0 };
  for (const { recipients } of messages) {
    if (recipients.some(({ fate }) => fate === 'dead')) counts.dead++;
    else if (recipients.some(({ fate }) => fate === 'waiting' || fate === 'held')) counts.waiting++;
    else counts.delivered++;
  }
  return counts;
}
