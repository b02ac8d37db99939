/** What opencode's screen shows: its input box and its questions. Seen in 1.18.33. real-agents.md §3, §4. */
import type { InputBox, ScreenView } from './adapter.ts';

/** The lower edge of the box; its length is the width of the box. */
const EDGE = /^( *)╹▀+/;

const PLACEHOLDER = /^(Ask anything|Run a command)… "/;

/** The box, and the agent that gets what is typed into it. */
export interface OpencodeBox extends InputBox {
  agent: string;
}

/** A question that a key would answer: it stands where the box was, so a message that quotes one is none. */
export const opencodeAsks = (rows: readonly string[]): boolean =>
  !rows.some((row) => EDGE.test(row)) &&
  rows.some((row) => /^ *┃ +△ |^ *┃.*⇆ (select|tab)\b.*\benter /.test(row));

/** `esc interrupt` stands below the box while it works. */
export const opencodeWorks = (rows: readonly string[]): boolean =>
  rows
    .slice(rows.findLastIndex((row) => EDGE.test(row)) + 1)
    .some((row) => /\besc (again to )?interrupt\b/.test(row));

/** Rows `┃ …` over the edge: a blank one, what is typed, a blank one, agent and model. */
export function opencodeInputBox(view: ScreenView): OpencodeBox | undefined {
  const rows = view.rows();
  const bottom = rows.findLastIndex((row) => EDGE.test(row));
  const edge = EDGE.exec(rows[bottom] ?? '');
  if (!edge) return undefined;
  const left = edge[1]?.length ?? 0;
  const right = edge[0].length;
  const inside = (row: number): string | undefined => {
    const text = rows[row]?.slice(left, right);
    return text?.startsWith('┃') ? text.slice(3).trimEnd() : undefined;
  };
  let top = bottom;
  // A list of suggestions above the box has a `┃` at its right as well.
  while (inside(top - 1) !== undefined && !inside(top - 1)?.endsWith('┃')) top--;
  const first = top + 1;
  const last = bottom - 3;
  if (last < first) return undefined;
  const lines = Array.from({ length: last - first + 1 }, (_, i) => inside(first + i) ?? '');
  const agent = (inside(bottom - 1) ?? '').split(/ · | {2}/)[0]?.trim() ?? '';
  const { row, column } = view.cursor;
  const suggestions = inside(top - 1)?.endsWith('┃') === true;
  const typing = row >= first && row <= last && column >= left + 3 && !suggestions && agent !== 'Shell';
  const empty = lines.length === 1 && column === left + 3 && PLACEHOLDER.test(lines[0] ?? '');
  const text = empty ? '' : lines.join('\n');
  return { text, mode: typing && !text.startsWith('/') ? 'prompt' : 'other', agent };
}
