/** junit.xml: a suite per round, a case per agent, per expectation and for the end of the round. */
import { renderEnd } from './expectations.ts';
import { renderOutcome } from './outcome.ts';
import type { RoundReport } from './report.ts';

interface Case {
  name: string;
  failure?: string;
}

export function renderJunit(rounds: readonly RoundReport[]): string {
  const suites = rounds.map(renderSuite);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

function renderSuite(report: RoundReport): string {
  const { pairing, round, seed, durationMs, startedAt } = report;
  const cases = casesOf(report);
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const attributes = renderAttributes({
    name: `${pairing} #${round}`,
    tests: cases.length,
    failures,
    errors: 0,
    skipped: 0,
    time: seconds(durationMs),
    timestamp: new Date(startedAt).toISOString().replace(/Z$/, ''),
  });
  const properties = `    <properties>\n      <property${renderAttributes({ name: 'seed', value: seed })}/>\n    </properties>\n`;
  const body = cases.map((each) => renderCase(each, pairing)).join('');
  return `  <testsuite${attributes}>\n${properties}${body}  </testsuite>\n`;
}

function casesOf({ outcome, agents, verdicts }: RoundReport): Case[] {
  const over = outcome.how === 'met' ? {} : { failure: renderOutcome(outcome) };
  return [
    { name: 'comes to its end', ...over },
    ...agents.map(({ name, failed, end }) => ({
      name: `agent ${name}`,
      ...(failed ? { failure: `ended with exit code ${renderEnd(end)}` } : {}),
    })),
    ...verdicts.map(({ title, ok, detail }) => ({ name: title, ...(ok ? {} : { failure: detail }) })),
  ];
}

function renderCase({ name, failure }: Case, pairing: string): string {
  const attributes = renderAttributes({ classname: pairing, name });
  if (failure === undefined) return `    <testcase${attributes}/>\n`;
  return `    <testcase${attributes}>\n      <failure${renderAttributes({ message: failure })}/>\n    </testcase>\n`;
}

const renderAttributes = (attributes: Record<string, string | number>): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

/** Characters that XML 1.0 cannot hold, escaped or not, lone surrogates included. */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Text for an attribute: line ends and tabs are kept as references, for a parser would make blanks of them. */
export function escapeXml(text: string): string {
  return text
    .replace(NOT_XML, '\uFFFD')
    .replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
