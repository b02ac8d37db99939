/** The results of runs on the real agents as the table of docs/agents.md. */

interface VitestResults {
  testResults: { assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
}

const BEGIN = '<!-- results: written by npm run test:agents -- --record -->';
const END = '<!-- /results -->';

/** Cells of a row: of what, what must hold, with what result, measured when. */
type Row = readonly [string, string, string, string];

/**
 * `page` with the rows of this run in the table between its two marks; what this run did not look at stays.
 * `when`: the day, the versions, and how often.
 */
export function renderResults(json: string, when: string, page: string): string {
  const { testResults } = JSON.parse(json) as VitestResults;
  const cell = (text: string) => text.replace(/\|/g, '\\|');
  const fresh = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(
      ({ ancestorTitles, title, status }): Row => [
        cell(ancestorTitles.join(', ')),
        cell(title),
        status,
        when,
      ],
    );
  const [before = '', rest = ''] = page.split(BEGIN);
  const [old = '', after = ''] = rest.split(END);
  const key = ([what, must]: Row) => JSON.stringify([what, must.replace(/\d+/g, '')]);
  const keys = new Set(fresh.map(key));
  const rows = [...rowsOf(old).filter((row) => !keys.has(key(row))), ...fresh];
  // Rows of the same kind stand together, in the order in which the kinds were first seen.
  const kinds = [...new Set(rows.map(([what]) => what))];
  const sorted = kinds.flatMap((kind) => rows.filter(([what]) => what === kind));
  const table = [
    '| what | must hold | result | measured |',
    '|---|---|---|---|',
    ...sorted.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
  return `${before}${BEGIN}\n${table}\n${END}${after}`;
}

/** The rows of a table that we have written, without its head. */
function rowsOf(table: string): Row[] {
  return table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((text) => text.trim()),
    )
    .map(([what = '', must = '', result = '', when = '']): Row => [what, must, result, when]);
}
