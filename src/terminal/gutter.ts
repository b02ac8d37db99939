/**
 * What a TUI puts around its agent's text, taken away again: bullets, boxes, indents, and the line breaks
 * it makes itself. As seen in Claude Code 2.1.329, Codex 0.169.0, opencode 1.18.33, Gemini CLI 0.61.0
 * (real-agents.md §3). Pure; what a TUI has done to the Markdown in the text it cannot undo.
 */
import type { RowLine } from './row.ts';

export const PROFILES = ['generic', 'claude', 'codex', 'opencode', 'gemini'] as const;
export type Profile = (typeof PROFILES)[number];

interface Gutter {
  /** What begins a message; a row that has it continues nothing. */
  bullet: RegExp;
  /** What stands before every other row of the text. */
  indent: RegExp;
  /** Cells the TUI leaves free at the right edge. */
  margin: number;
}

const GUTTERS: Record<Exclude<Profile, 'generic'>, Gutter> = {
  claude: { bullet: /^[●⏺] /, indent: /^ {2}/, margin: 0 },
  codex: { bullet: /^• /, indent: /^ {2}/, margin: 0 },
  opencode: { bullet: /^(?!)/, indent: /^ {5}(?:│ )?/, margin: 3 },
  gemini: { bullet: /^✦ /, indent: /^ {2}/, margin: 2 },
};

/** What begins a line of its own, so that no row with it is taken for the rest of the row before. */
const STARTS = /^(?:>>|\\>>|\[\[|```|~~~|[{}\]]|[-*•] |#)/;

/** The logical lines of `rows` on a screen `cols` wide, without the profile's gutter. `generic`: as they are. */
export function ungutter(rows: readonly RowLine[], profile: Profile, cols: number): RowLine[] {
  if (profile === 'generic') return [...rows];
  const gutter = GUTTERS[profile];
  const lines: RowLine[] = [];
  /** Cells the last row of the last line took, or 0 where nothing may be joined to it. */
  let filled = 0;
  for (const row of rows) {
    const bullet = gutter.bullet.test(row.text);
    const indent = gutter.indent.exec(row.text)?.[0] ?? '';
    const text = bullet ? row.text.replace(gutter.bullet, '') : row.text.slice(indent.length);
    const line = lines.at(-1);
    if (
      line !== undefined &&
      filled > 0 &&
      !bullet &&
      indent !== '' &&
      continues(text, filled, cols - gutter.margin)
    ) {
      line.text += joint(line.text, text, filled, cols - gutter.margin) + text;
      line.last = row.last;
    } else lines.push({ ...row, text });
    filled = text !== '' && (bullet || indent !== '') ? cells(row.text) : 0;
  }
  return lines;
}

/** The first word would not have fitted into the row before. */
function continues(text: string, filled: number, width: number): boolean {
  if (text === '' || text.startsWith(' ') || STARTS.test(text)) return false;
  return filled + 1 + cells(firstWord(text)) > width;
}

/** Only a word longer than a row is broken inside, at the very edge; elsewhere the break took a blank's place. */
function joint(before: string, after: string, filled: number, width: number): '' | ' ' {
  const word = before.slice(before.lastIndexOf(' ') + 1) + firstWord(after);
  return filled >= width && cells(word) > width / 2 ? '' : ' ';
}

const firstWord = (text: string): string => text.split(' ', 1)[0] ?? '';

/** East Asian wide characters and emoji take two cells. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu;

const cells = (text: string): number => [...text].length + (text.match(WIDE)?.length ?? 0);
