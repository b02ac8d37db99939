/** What Codex's screen shows: its composer and its questions. Seen in 0.169.0. real-agents.md §3, §4. */
import type { InputBox, ScreenView } from './adapter.ts';

/** Below the composer, after a blank row: model and folder. */
const STATUS_ROW = /^ {2}\S.* · /;

/** A choice in a menu or a question: also drawn behind `›`. */
const CHOICE = /^\s*› \d+\. /;

const QUESTIONS = [
  /^\s*Would you like to /,
  /^\s*Do you trust the contents of this directory/,
  /^\s*Press enter to (confirm|continue|select)\b/i,
  /^\s*Allow .*\?$/,
];

/** A question that a key would answer. */
export const codexAsks = (rows: readonly string[]): boolean =>
  rows.some((row) => CHOICE.test(row)) &&
  rows.some((row) => QUESTIONS.some((question) => question.test(row)));

/** The composer: from its `›` (or `!` in shell mode) to the blank row before the status row. */
export function codexInputBox(view: ScreenView): InputBox | undefined {
  const rows = view.rows();
  if (rows.some((row) => CHOICE.test(row))) return undefined;
  const status = rows.findLastIndex((row) => STATUS_ROW.test(row));
  const bottom = status < 0 ? view.cursor.row : status - 1;
  let top = bottom;
  while (top >= 0 && !/^[›!]( |$)/.test(rows[top] ?? '')) {
    // Rows of a draft are indented; anything else at the margin is not ours.
    if (/^\S/.test(rows[top] ?? '')) return undefined;
    top--;
  }
  if (top < 0) return undefined;
  const cursorInside = view.cursor.row >= top && view.cursor.row <= bottom;
  const lines = rows.slice(top, bottom + 1).map((row) => row.slice(2));
  while (lines.length > 1 && lines.at(-1) === '') lines.pop();
  let text = lines.join('\n');
  if (view.faint(top, 2)) text = '';
  const shell = rows[top]?.startsWith('!') === true;
  return { text, mode: cursorInside && !shell && !text.startsWith('/') ? 'prompt' : 'other' };
}
