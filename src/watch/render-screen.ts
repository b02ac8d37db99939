/** A followed screen → rows of ours: plain text, cut to the terminal, around its cursor. Pure. */
import type { ChalkInstance } from 'chalk';
import { sanitizeLine } from '../base/sanitize.ts';
import type { TtySize } from '../terminal/tty.ts';
import { toWidth } from './cells.ts';
import type { Followed } from './model.ts';

/** Exactly `rows` rows: a title, and what fits of the screen. */
export function renderScreen(
  { agent, frame }: Followed,
  { cols, rows }: TtySize,
  paint: ChalkInstance,
): string[] {
  if (rows <= 0) return [];
  const size = frame === undefined ? 'its wrapper shows no screen (yet)' : `${frame.cols}×${frame.rows}`;
  const title = `── ${sanitizeLine(agent)} · ${size} ${'─'.repeat(cols)}`;
  const text = frame === undefined ? [] : inSight(frame, rows - 1);
  return [
    paint.dim(toWidth(title, cols).replace('…', '─')),
    ...text.map((line) => toWidth(sanitizeLine(line), cols)),
    ...Array.from({ length: rows - 1 - text.length }, () => ' '.repeat(cols)),
  ];
}

/** The last rows that hold something, but the cursor's in any case. */
function inSight({ text, cursor }: NonNullable<Followed['frame']>, room: number): string[] {
  const end = Math.max(text.findLastIndex((line) => line.trim() !== '') + 1, cursor.row + 1);
  const first = Math.max(0, Math.min(end - room, cursor.row));
  return text.slice(first, first + room);
}
