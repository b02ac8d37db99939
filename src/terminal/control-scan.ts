/** Which control sequences of an agent's output move the cursor or change what is drawn. terminal.md §3d. */

/** What one control sequence means for a reader of lines. `mode` sets or resets private modes. */
export type Effect = 'none' | 'moves' | 'mode';

/**
 * CSI finals that only colour, ask or report: SGR, DA, DSR, REQTPARM, window and cursor style, DECLL,
 * DECRQM, media copy. Any other one may place the cursor or change cells.
 */
const HARMLESS = new Set(['m', 'c', 'n', 'x', 't', 'q', 'p', 'i', 'g']);

/**
 * Private modes that tell of a program that draws: 132 columns, origin, autowrap, hidden cursor,
 * alternate screen, saved cursor, synchronized output.
 */
const DRAWING_MODES = new Set(['3', '6', '7', '25', '47', '1047', '1048', '1049', '2026']);

/**
 * `parameters` is what stands between `ESC [` and the final character, `atLineStart` whether a carriage
 * return stands before it. Erasing to the right of the end of a line (grep and gcc do) erases nothing.
 */
export function csiEffect(parameters: string, final: string, atLineStart: boolean): Effect {
  if (final === 'K') return atLineStart || /[^0]/.test(parameters) ? 'moves' : 'none';
  if (final === 'h' || final === 'l') {
    if (!parameters.startsWith('?')) return 'moves'; // Insert mode, new-line mode.
    return parameters
      .slice(1)
      .split(';')
      .some((mode) => DRAWING_MODES.has(mode))
      ? 'moves'
      : 'mode';
  }
  // With a prefix or an intermediate a final means something else: kitty's `CSI > 5 u`, `CSI ! p` (a reset).
  if (/[<=>?]/.test(parameters)) return final === 'J' ? 'moves' : 'none';
  if (/[ -/]/.test(parameters)) return final === 'p' && parameters.includes('!') ? 'moves' : 'none';
  return HARMLESS.has(final) ? 'none' : 'moves';
}

/** ESC + one character: saved cursor, index, next line, reverse index, full reset, and alignment test. */
export const escapeMoves = (final: string, intermediate: string): boolean =>
  intermediate === '' ? '78DEMc'.includes(final) : intermediate === '#';
