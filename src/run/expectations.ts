/** What must have happened in a run: the `expect` of the pairing file, looked at when the run is over. */
import { RelayError } from '../base/errors.ts';
import type { RunMessage } from './conversation.ts';
import { compileMatcher, renderMatcher } from './matcher.ts';
import type { Expectation } from './schema.ts';

/** How an agent ended: its exit code, `stopped` by the run, or never started. */
export type AgentEnd = { code: number } | 'stopped' | 'not started';

export interface Verdict {
  title: string;
  ok: boolean;
  /** What was seen instead; empty if it is as expected. */
  detail: string;
}

/** One verdict each; a pattern that takes too long is a failed expectation, not a crash. */
export function judgeExpectations(
  expectations: readonly Expectation[],
  messages: readonly RunMessage[],
  ends: ReadonlyMap<string, AgentEnd>,
): Verdict[] {
  return expectations.flatMap((expectation) => {
    try {
      return judge(expectation, messages, ends);
    } catch (thrown) {
      const { message, suggestion } = RelayError.from(thrown);
      return [{ title: titleOf(expectation), ok: false, detail: `${message}; ${suggestion}` }];
    }
  });
}

function judge(
  expectation: Expectation,
  messages: readonly RunMessage[],
  ends: ReadonlyMap<string, AgentEnd>,
): Verdict[] {
  const { message, times, never, order, exit = {} } = expectation;
  const title = titleOf(expectation);
  if (message !== undefined)
    return [judgeCount(title, messages.filter(compileMatcher(message)).length, times)];
  if (never !== undefined) {
    const found = messages.find(compileMatcher(never));
    return [verdict(title, found === undefined ? '' : `${found.from} said at ${found.at} ms: ${found.body}`)];
  }
  if (order !== undefined) return [verdict(title, judgeOrder(order, messages))];
  return Object.entries(exit).map(([name, codes]) => {
    const end = ends.get(name) ?? 'not started';
    const asWanted = typeof end === 'object' && [codes].flat().includes(end.code);
    return verdict(
      `exit of ${name}: ${[codes].flat().join(' or ')}`,
      asWanted ? '' : `it was ${renderEnd(end)}`,
    );
  });
}

function judgeCount(title: string, count: number, times: Expectation['times']): Verdict {
  const { min = 0, max = Number.POSITIVE_INFINITY } =
    times === undefined ? { min: 1 } : typeof times === 'number' ? { min: times, max: times } : times;
  return verdict(title, count >= min && count <= max ? '' : `there were ${count}`);
}

/** Each matcher takes the first message after the one that the matcher before it took. */
function judgeOrder(order: NonNullable<Expectation['order']>, messages: readonly RunMessage[]): string {
  let from = 0;
  for (const [index, matcher] of order.entries()) {
    const matches = compileMatcher(matcher);
    const at = messages.findIndex((message, position) => position >= from && matches(message));
    if (at === -1)
      return `number ${index + 1} (${renderMatcher(matcher)}) did not come after the ones before it`;
    from = at + 1;
  }
  return '';
}

const verdict = (title: string, detail: string): Verdict => ({ title, ok: detail === '', detail });

export const renderEnd = (end: AgentEnd): string => (typeof end === 'object' ? String(end.code) : end);

function titleOf({ message, times, never, order = [], exit = {} }: Expectation): string {
  if (message !== undefined)
    return `message${times === undefined ? '' : ` ${renderTimes(times)}`}: ${renderMatcher(message)}`;
  if (never !== undefined) return `never: ${renderMatcher(never)}`;
  if (order.length > 0) return `order: ${order.map(renderMatcher).join(' → ')}`;
  return `exit of ${Object.keys(exit).join(', ')}`;
}

function renderTimes(times: NonNullable<Expectation['times']>): string {
  if (typeof times === 'number') return `${times} times`;
  return `${times.min ?? 0} to ${times.max ?? 'any number of'} times`;
}
