/** The result of a run on the real agents as the table of docs/agents.md. */

interface VitestResults {
  testResults: { assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
}

const BEGIN = '<!-- results: written by npm run test:agents -- --record -->';
const END = '<!-- /results -->';

/** `page` with the table between its two marks replaced. */
export function renderResults(json: string, versions: readonly string[], page: string): string {
  const { testResults } = JSON.parse(json) as VitestResults;
  const rows = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(({ ancestorTitles, title, status }) => [ancestorTitles.join(', '), title, status]);
  const cell = (text: string | undefined) => (text ?? '').replace(/\|/g, '\\|');
  const table = [
    `Measured on ${new Date().toISOString().slice(0, 10)} with ${versions.join(', ')}; COUNT=${process.env.COUNT ?? 3}.`,
    '',
    '| what | must hold | result |',
    '|---|---|---|',
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n');
  const [before = '', rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1] ?? '';
  return `${before}${BEGIN}\n${table}\n${END}${after}`;
}
