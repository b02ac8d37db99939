/** One row of a screen as text, and the logical lines that rows make. docs/glossary: row, logical line. */

export interface Row {
  text: string;
  /** The terminal wrapped the row before into this one: they are one logical line. */
  wrapped: boolean;
}

/** A logical line and the index of its first and last row. */
export interface RowLine {
  text: string;
  first: number;
  last: number;
}

/** Joins what the terminal wrapped; blanks at the end of a line are not text. */
export function joinWrapped(rows: readonly Row[]): RowLine[] {
  const lines: RowLine[] = [];
  rows.forEach((row, index) => {
    const line = lines.at(-1);
    if (row.wrapped && line !== undefined) {
      line.text += row.text;
      line.last = index;
    } else lines.push({ text: row.text, first: index, last: index });
  });
  for (const line of lines) line.text = line.text.trimEnd();
  return lines;
}
