/** What Codex's screen shows: its composer and its questions. Seen in 0.169.0. real-agents.md §3, §4. */
import type { AgentState, InputBox, ScreenView } from './adapter.ts';

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

/** A question that a key would answer: it stands where the composer was. */
export function codexAsks(view: ScreenView): boolean {
  const rows = view.rows();
  const asked = rows.some((row) => CHOICE.test(row)) && rows.some(isQuestion);
  return asked && codexInputBox(view) === undefined;
}

const isQuestion = (row: string): boolean => QUESTIONS.some((question) => question.test(row));

/** A braille wheel turns before the title while it works; a question says so. */
export function codexTitle(title: string): AgentState | undefined {
  if (/^\[ [!.] \] Action Required/.test(title)) return 'dialog';
  return /^[\u2801-\u28ff] /.test(title) ? 'busy' : 'ready';
}

/** The composer: from its `›` (or `!` in shell mode) to the blank row before the status row. */
export function codexInputBox(view: ScreenView): InputBox | undefined {
  const rows = view.rows();
  const status = rows.findLastIndex((row) => STATUS_ROW.test(row));
  const bottom = status < 0 ? view.cursor.row : status - 1;
  let top = bottom;
  while (top >= 0 && !/^[›!]( |$)/.test(rows[top] ?? '')) {
    // Rows of a draft are indented; anything else at the margin is not ours.
    if (/^\S/.test(rows[top] ?? '')) return undefined;
    top--;
  }
  // Without a status row below it, a choice is one of a question.
  if (top < 0 || (status < 0 && CHOICE.test(rows[top] ?? ''))) return undefined;
  const cursorInside = view.cursor.row >= top && view.cursor.row <= bottom;
  const lines = rows.slice(top, bottom + 1).map((row) => row.slice(2));
  while (lines.length > 1 && lines.at(-1) === '') lines.pop();
  let text = lines.join('\n');
  if (view.faint(top, 2)) text = '';
  const shell = rows[top]?.startsWith('!') === true;
  return { text, mode: cursorInside && !shell && !text.startsWith('/') ? 'prompt' : 'other' };
}
