/** What Claude Code's screen shows: its input box and its questions. Seen in 2.1.329. real-agents.md §3, §4. */
import type { AgentState, InputBox, ScreenView } from './adapter.ts';

/** The lines above and below the input box; the upper one may carry a label. */
const RULE = /^─{3}.*─$/;

/** What a row of the box begins with: `❯` and a no-break space, or the sign of another mode. */
const PROMPT = /^([❯!])(?:[ \u00a0]|$)/;

/** The choice that Enter would take. */
const CHOICE = /^\s*❯ \d+\. /;

/** A question that a key would answer: it stands where the box was. */
export const claudeAsks = (view: ScreenView): boolean =>
  claudeInputBox(view) === undefined && view.rows().some((row) => CHOICE.test(row));

export function claudeInputBox(view: ScreenView): InputBox | undefined {
  const rows = view.rows();
  const bottom = rows.findLastIndex((row) => RULE.test(row));
  const top = rows.slice(0, Math.max(0, bottom)).findLastIndex((row) => RULE.test(row));
  const sign = PROMPT.exec(rows[top + 1] ?? '')?.[1];
  if (top < 0 || sign === undefined) return undefined;
  const { row, column } = view.cursor;
  const inside = row > top && row < bottom;
  // A suggestion is drawn faint, behind the cursor in the first cell.
  const suggestion = row === top + 1 && column === 2 && view.faint(row, 3);
  const lines = rows.slice(top + 1, bottom).map((line) => line.slice(2));
  const text = suggestion ? '' : lines.join('\n').trimEnd();
  return { text, mode: inside && sign === '❯' && !text.startsWith('/') ? 'prompt' : 'other' };
}

/** `◐` and `◑` turn before the title while it works; `✳` may stand behind a question. */
export function claudeTitle(title: string): AgentState | undefined {
  if (/^[◐◑] /.test(title)) return 'busy';
  return title.startsWith('✳ ') ? 'ready' : undefined;
}
