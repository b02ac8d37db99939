/** What Gemini CLI's screen shows: its input box and its questions. Seen in 0.61.0. real-agents.md §3, §4. */
import type { AgentState, InputBox, ScreenView } from './adapter.ts';

/** `>` a prompt, `*` a prompt in YOLO mode, `!` a shell command, `(r:)` the search. */
const FIRST_ROW = /^ (>|\*|!|\(r:\)) ?/;

const PLACEHOLDER = /^ {1,2}Type your (message|shell command)\b/;

/** A choice in a question; the marked one has a dot. */
const CHOICE = /^[\s│]*● \d+\. /;

/** A question that a key would answer. It hides the input box, so a message that quotes one is none. */
export const geminiAsks = (view: ScreenView): boolean =>
  geminiInputBox(view) === undefined && view.rows().some((row) => CHOICE.test(row));

/**
 * The state that a title tells. `◇  Ready` also stands over questions of trust and login, and over that of a
 * detected loop; without `ui.dynamicWindowTitle` there is but one title, and a prompt typed early is queued.
 */
export function geminiTitle(text: string): AgentState | undefined {
  if (/^◇ |^Gemini CLI \(/.test(text)) return 'ready';
  if (/^[✦⏲] /u.test(text)) return 'busy';
  return /^✋ /u.test(text) ? 'dialog' : undefined;
}

/** The rows around the cursor from the one with the prompt's sign to the edge; without colours it has no edge. */
export function geminiInputBox(view: ScreenView): InputBox | undefined {
  const rows = view.rows();
  let top = view.cursor.row;
  while (top >= 0 && !FIRST_ROW.test(rows[top] ?? '')) {
    if (!isContinued(rows[top])) return undefined;
    top--;
  }
  const sign = FIRST_ROW.exec(rows[top] ?? '')?.[1];
  if (sign === undefined) return undefined;
  let bottom = view.cursor.row;
  while (bottom + 1 < rows.length && isContinued(rows[bottom + 1])) bottom++;
  const width = sign.length + 2;
  const lines = [rows[top]?.slice(width) ?? ''];
  for (const row of rows.slice(top + 1, bottom + 1)) lines.push(row.slice(3));
  while (lines.length > 1 && lines.at(-1) === '') lines.pop();
  const empty = lines.length === 1 && view.cursor.column === width && PLACEHOLDER.test(lines[0] ?? '');
  const text = empty ? '' : lines.join('\n').trimEnd();
  // Enter chooses from a list that these open.
  const chooses = text.startsWith('/') || /(^|\s)@\S*$/.test(text);
  const prompt = (sign === '>' || sign === '*') && !chooses;
  return { text, mode: prompt ? 'prompt' : 'other' };
}

/** A further row of what was typed: indented, or empty. */
const isContinued = (row: string | undefined): boolean => row === '' || row?.startsWith('   ') === true;
