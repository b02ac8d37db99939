/** What all benchmarks share: order statistics and a table on stdout. */

/** The q-quantile (0–1) of the values; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Microseconds of the monotonic clock, the same in all processes. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);

export interface Row {
  what: string;
  ours: string;
  /** What it is measured against, in the same run. */
  beside: string;
  ratio: string;
  /** What must hold, and whether it does. */
  gate: string;
  holds: boolean;
}

/** Prints the rows under a heading, with what must hold and whether it does. */
export function printTable(rows: readonly Row[]): void {
  printCells([
    ['what', 'agent-wrap', 'beside', 'ratio', 'gate', ''],
    ...rows.map((row) => [row.what, row.ours, row.beside, row.ratio, row.gate, row.holds ? 'ok' : 'FAILED']),
  ]);
}

/** Prints rows of text, in columns as wide as they need to be. */
export function printCells(cells: readonly (readonly string[])[]): void {
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  for (const row of cells) {
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}
