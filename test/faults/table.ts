/** The results of a run, as the table at its end and as that of docs/faults.md. */
import { loadavg } from 'node:os';
import { type Result, verdict } from './fault.ts';

const BEGIN = '<!-- results: written by npm run test:faults -- --record -->';
const END = '<!-- /results -->';

/** One line a fault, columns aligned, for a terminal. */
export function renderTable(results: readonly Result[]): string {
  const head = ['fault', 'runs', 'stored', 'lost', 'twice', 'out of order', 'seconds', 'verdict'];
  const rows = results.map((one) => [
    one.name,
    ...[one.runs, one.stored, one.lost, one.twice, one.disordered, Math.round(one.seconds)].map(String),
    verdict(one),
  ]);
  const widths = head.map((_, n) => Math.max(...[head, ...rows].map((row) => (row[n] as string).length)));
  const line = (row: string[]) =>
    row
      .map((cell, n) =>
        n === 0 || n === 7 ? cell.padEnd(widths[n] as number) : cell.padStart(widths[n] as number),
      )
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}

/** `page` with the rows of these faults renewed between its two marks; the others stay as they are. */
export function recordResults(results: readonly Result[], page: string): string {
  const [before = '', rest = ''] = page.split(BEGIN);
  const [inside = '', after = ''] = rest.split(END);
  const rows = new Map<string, string>();
  for (const line of inside.split('\n')) {
    const name = /^\| `([^`]+)`/.exec(line)?.[1];
    if (name !== undefined) rows.set(name, line);
  }
  // What it was measured beside: takeovers on a busy machine take their time.
  const load = Math.round(loadavg()[0] ?? 0);
  const day = new Date().toISOString().slice(0, 10);
  for (const one of results) {
    const figures = [one.runs, one.stored, one.lost, one.twice, one.disordered];
    const said = [one.skipped, one.note].filter((text) => text !== '').join('; ');
    const cells = [
      `\`${one.name}\``,
      one.criterion,
      ...figures,
      `${verdict(one)} ${day}, seed ${one.seed}, load ${load}`,
      said,
    ];
    rows.set(one.name, `| ${cells.map((cell) => String(cell).replace(/\|/g, '\\|')).join(' | ')} |`);
  }
  const table = [
    '| fault | must hold | runs | stored | lost | twice | out of order | verdict | noted |',
    '|---|---|---|---|---|---|---|---|---|',
    ...[...rows.keys()].sort().map((name) => rows.get(name)),
  ].join('\n');
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}
